"""The run graph of the vision setting (Appendix D.1). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from w2s.config.common import Common
from w2s.engine.sources import Sources
from w2s.errors import UserError, allowed
from w2s.graph.artifact import Artifact, Cached, Run
from w2s.graph.setting import SettingPlan
from w2s.vision import sources
from w2s.vision.config import Network, Student, Vision
from w2s.vision.stages import FEATURES, IMAGES, MODEL, PROBE


class VisionPlan(Cached, SettingPlan):
    """Every vision run that an experiment can ask for, made on demand and remembered.

    The method of a run is the schedule of its learning rate; the supervisor labels all, so its task has one.
    """

    name = "vision"

    def __init__(self, experiment: Common, config: Vision, sources: Sources) -> None:
        super().__init__()
        self.sources = sources
        self.config = config
        self.seeds: tuple[int, ...] = config.seeds or experiment.seeds
        self.task = config.images.name
        self._rungs = {rung.name: rung for rung in config.ladder}

    @property
    def tasks(self) -> list[str]:
        """The one task: the name of its images."""
        return [self.task]

    def rung(self, name: str) -> Student:
        """A rung of the ladder by name."""
        if name not in self._rungs:
            raise UserError(f"unknown vision rung {name!r}; {allowed(name, self._rungs)}")
        return self._rungs[name]

    # -- artifacts -----------------------------------------------------------------------------------------

    def images(self) -> Artifact:
        """All images with their truth, and which of them networks that are trained here learn from."""
        return self._once(("images",), self._new_images)

    def _new_images(self) -> Artifact:
        images = self.config.images
        place, environment = sources.images(images, self.sources.root)
        message = f"images of {self.task} from {images.source}"
        spec: dict[str, Any] = {"images": place}
        if self.config.supervisor.probe and "digits" not in place:
            spec["pretraining"] = {"images": images.pretraining, "seed": images.seed}
        return Artifact(IMAGES, f"vision/{self.task}/images", message, spec, environment=environment)

    def model(self, network: Network) -> Artifact:
        """A network that is trained here: with labels if it is to supervise, without them otherwise."""
        return self._once(("model", network.name), lambda: self._new_model(network))

    def _new_model(self, network: Network) -> Artifact:
        assert network.trained is not None, network.name
        supervises = network is self.config.supervisor
        spec = {"labels": "truth" if supervises else "none"} | network.trained.model_dump()
        message = f"train vision network {network.name} {'on truth' if supervises else 'without labels'}"
        name = f"vision/{self.task}/models/{network.name}"
        return Artifact(MODEL, name, message, spec, {"images": self.images()}, priority=1000)

    def features(self, network: Network) -> Artifact:
        """What a network says of every image: a student's features, a supervisor's probabilities."""
        return self._once(("features", network.name), lambda: self._new_features(network))

    def _new_features(self, network: Network) -> Artifact:
        supervises = network is self.config.supervisor
        spec: dict[str, Any] = {"output": "probabilities" if supervises else "features"}
        parents = {"images": self.images()}
        environment = dict(self.images().environment)
        if network.published is None:
            parents["model"] = self.model(network)
        else:
            identity, place = sources.network(network.published, network.name, self.sources)
            spec |= identity
            if network.published.cuts:
                spec["preprocessing"] = {"resize": self.config.images.resize, "crop": self.config.images.crop}
            environment |= place
        if supervises and self.config.supervisor.probe:
            spec["probe"] = self.config.supervisor.probe.model_dump() | {"seed": self.config.images.seed}
        message = f"{spec['output']} of {network.name} on {self.task}"
        name = f"vision/{self.task}/features/{network.name}"
        return Artifact(FEATURES, name, message, spec, parents, environment=environment, priority=500)

    # -- runs ----------------------------------------------------------------------------------------------

    def truth(self, task: str, rung: str, seed: int, method: str | None = None) -> Run:
        """The probe on the truth of the images that students see. method: a schedule; the first by default."""
        self._check(task)
        return self._run(rung, "truth", method or self.config.schedules[0], seed)

    def ceiling(self, task: str, rung: str, seed: int, method: str | None = None) -> Run:
        """The same run: it bounds students of this rung."""
        return self.truth(task, rung, seed, method)

    def student(self, task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        """The probe on the supervisor's probabilities."""
        self._check(task)
        if weak != self.config.supervisor.name:
            raise UserError(f"vision: {weak!r} is not a supervisor; allowed: {self.config.supervisor.name}")
        return self._run(strong, f"from-{weak}", method, seed)

    def _check(self, task: str) -> None:
        if task != self.task:
            raise UserError(f"unknown vision task {task!r}; allowed: {self.task}")

    def _run(self, rung: str, labels: str, schedule: str, seed: int) -> Run:
        identity = ("run", rung, labels, schedule, seed)
        return self._once(identity, lambda: self._new_run(self.rung(rung), labels, schedule, seed))

    def _new_run(self, rung: Student, labels: str, schedule: str, seed: int) -> Run:
        setting = self.config
        parents = {"images": self.images(), "features": self.features(rung)}
        if labels != "truth":
            parents["labels"] = self.features(setting.supervisor)
        spec = {
            "train": setting.train,
            "test": setting.test,
            "training": setting.probe.model_dump(mode="json") | {"epochs": rung.epochs},
            "schedule": schedule,
            "seed": seed,
        }
        source = "truth" if labels == "truth" else f"labels of {setting.supervisor.name}"
        return Run(
            PROBE,
            f"vision/{self.task}/{rung.name}/{labels}/{schedule}/s{seed}",
            f"probe {rung.name} on {self.task}: {source}, {schedule}, seed {seed}",
            spec,
            parents,
            task=self.task,
            rung=rung.name,
            labels=labels,
            method=schedule,
            seed=seed,
        )

    # -- everything ----------------------------------------------------------------------------------------

    def every_run(self) -> Iterator[Run]:
        """All runs of the setting."""
        for seed in self.seeds:
            for rung in self.config.ladder:
                for schedule in self.config.schedules:
                    yield self.ceiling(self.task, rung.name, seed, schedule)
                    yield self.student(self.task, self.config.supervisor.name, rung.name, schedule, seed)
