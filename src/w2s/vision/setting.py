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
        return VisionPlan(experiment, experiment.vision, sources)

    def is_synthetic(self, experiment: Mapping[str, Any]) -> str | None:
        """Digits stand in for ImageNet."""
        return "scikit-learn's digits" if experiment["vision"]["images"]["source"] == "digits" else None

    def examples(self, plan: VisionPlan, task: str, number: int) -> Examples:
        """UserError: images are no text."""
        raise UserError(f"task {task!r} consists of images, which cannot be printed")

    def fetch(self, plan: VisionPlan) -> Iterator[str]:
        """Images and published weights that do not lie here."""
        from w2s.vision import images
        from w2s.vision.networks import frozen
        from w2s.vision.specs import FeaturesSpec

        config, place = plan.config, plan.images().spec["images"]
        if "hub" in place:
            files = images.tables(place, {})
            yield f"{config.images.name}: {place['hub']} at {place['revision']}: {len(files)} files"
        for network in (config.supervisor, *config.ladder):
            if network.published and network.published.weights and not network.published.is_local:
                artifact = plan.features(network)
                loaded = frozen.load(
                    FeaturesSpec.from_spec(artifact.spec), artifact.environment, f"rung {network.name!r}"
                )
                count = sum(parameter.numel() for parameter in loaded.network.parameters())
                yield f"{network.name}: {network.published.weights}: {count:,} parameters"


SETTING = VisionSetting()
