"""The run graph of the vision setting (Appendix D.1). Pure and light, as ``w2s.plan``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from w2s.errors import UserError, allowed
from w2s.experiment import Experiment
from w2s.plan import Artifact, Remembering, Run, Sources
from w2s.settings.vision import Network, Student, Vision


class VisionPlan(Remembering):
    """Every vision run that an experiment can ask for, made on demand and remembered."""

    def __init__(self, experiment: Experiment, setting: Vision, sources: Sources) -> None:
        super().__init__()
        self.setting = setting
        self.seeds: tuple[int, ...] = setting.seeds or experiment.seeds
        self.task = setting.images.name
        self._sources = sources
        self._rungs = {rung.name: rung for rung in setting.ladder}

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
        images = self.setting.images
        place, environment = self._sources.images(images)
        message = f"images of {self.task} from {images.source}"
        return Artifact("images", f"vision/{self.task}/images", message, {"images": place}, environment=environment)

    def model(self, network: Network) -> Artifact:
        """A network that is trained here: with labels if it is to supervise, without them otherwise."""
        return self._once(("model", network.name), lambda: self._new_model(network))

    def _new_model(self, network: Network) -> Artifact:
        assert network.trained is not None, network.name
        supervises = network is self.setting.supervisor
        spec = {"labels": "truth" if supervises else "none"} | network.trained.model_dump()
        message = f"train vision network {network.name} {'on truth' if supervises else 'without labels'}"
        name = f"vision/{self.task}/models/{network.name}"
        return Artifact("vision_model", name, message, spec, {"images": self.images()}, priority=1000)

    def features(self, network: Network) -> Artifact:
        """What a network says of every image: a student's features, a supervisor's probabilities."""
        return self._once(("features", network.name), lambda: self._new_features(network))

    def _new_features(self, network: Network) -> Artifact:
        supervises = network is self.setting.supervisor
        spec: dict[str, Any] = {"output": "probabilities" if supervises else "features"}
        parents = {"images": self.images()}
        environment = dict(self.images().environment)
        if network.published is None:
            parents["model"] = self.model(network)
        else:
            weights, place = self._sources.network(network.published, network.name)
            cut = {"resize": self.setting.images.resize, "crop": self.setting.images.crop}
            spec |= {"architecture": network.published.architecture, "weights": weights, "preprocessing": cut}
            environment |= place
        message = f"{spec['output']} of {network.name} on {self.task}"
        name = f"vision/{self.task}/features/{network.name}"
        return Artifact("vision_features", name, message, spec, parents, environment=environment, priority=500)

    # -- runs ----------------------------------------------------------------------------------------------

    def ceiling(self, rung: str, schedule: str, seed: int) -> Run:
        """The probe on the truth of the same images that students see."""
        return self._run(rung, "truth", schedule, seed)

    def student(self, rung: str, schedule: str, seed: int) -> Run:
        """The probe on the supervisor's probabilities."""
        return self._run(rung, f"from-{self.setting.supervisor.name}", schedule, seed)

    def _run(self, rung: str, labels: str, schedule: str, seed: int) -> Run:
        identity = ("run", rung, labels, schedule, seed)
        return self._once(identity, lambda: self._new_run(self.rung(rung), labels, schedule, seed))

    def _new_run(self, rung: Student, labels: str, schedule: str, seed: int) -> Run:
        setting = self.setting
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
            "vision_probe",
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
            for rung in self.setting.ladder:
                for schedule in self.setting.schedules:
                    yield self.ceiling(rung.name, schedule, seed)
                    yield self.student(rung.name, schedule, seed)
