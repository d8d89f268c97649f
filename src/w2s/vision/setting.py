"""Vision as a setting: what the rest of the package knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from w2s.engine.sources import Sources
from w2s.errors import UserError
from w2s.graph.setting import Examples, Setting
from w2s.vision.config import Vision
from w2s.vision.plan import VisionPlan
from w2s.vision.stages import STAGES


class VisionSetting(Setting):
    """Linear probes on frozen features, trained on a network's labels (Appendix D.1)."""

    name = "vision"
    section = Vision
    stages = STAGES
    prints = False

    def check(self, experiment: Any, sources: Sources) -> None:
        """Nothing is named that the section itself does not know."""

    def plan(self, experiment: Any, sources: Sources) -> VisionPlan:
        """The setting's part of the run graph."""
        return VisionPlan(experiment, experiment.vision)

    def is_synthetic(self, experiment: Mapping[str, Any]) -> str | None:
        """Digits stand in for ImageNet."""
        return "scikit-learn's digits" if experiment["vision"]["images"]["source"] == "digits" else None

    def examples(self, plan: VisionPlan, task: str, number: int) -> Examples:
        """UserError: images are no text."""
        raise UserError(f"task {task!r} consists of images, which cannot be printed")

    def fetch(self, plan: VisionPlan) -> Iterator[str]:
        """Images and published weights that do not lie here."""
        from w2s.vision import images
        from w2s.vision.networks import published

        config, place = plan.config, plan.images().spec["images"]
        if "hub" in place:
            files = images.tables(place, {})
            yield f"{config.images.name}: {place['hub']} at {place['revision']}: {len(files)} files"
        for network in (config.supervisor, *config.ladder):
            if network.published and not network.published.is_local:
                weights, wanted_by = plan.features(network).spec["weights"], f"rung {network.name!r}"
                file = published.file_of(weights, {}, wanted_by)
                published.load(network.published.architecture, file, wanted_by)
                yield f"{network.name}: {network.published.weights}: {file}"


SETTING = VisionSetting()
