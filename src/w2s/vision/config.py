"""The vision setting's section of the config (Appendix D.1, Table 3)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from w2s.config.ladder import RungName
from w2s.config.schema import Positive, Rate, Revision, Seed, Strict
from w2s.config.section import NotNegative, refuse_twice

Architecture = Literal["alexnet", "resnet50", "vit_b8"]
Schedule = Literal["oscillating", "cosine"]


class Images(Strict):
    """Labelled images, and how they are cut to the square that open networks take."""

    source: Literal["digits", "files", "hub"] = "digits"
    name: str = Field("digits", pattern=r"^[a-z0-9_]+$")  # of the task, in paths
    pretraining: NotNegative = 700  # digits that networks trained here learn from, apart from the others
    seed: Seed = 0  # of the choice of these
    paths: tuple[str, ...] = ()  # .parquet files, or one folder with a folder of images a class; globs are allowed
    hub: str | None = None  # a data set with columns image and label
    revision: Revision | None = None
    files: str = "*.parquet"  # of the hub's repository
    resize: Positive = 256  # pixels of the shorter side
    crop: Positive = 224  # pixels of the square in the middle

    @model_validator(mode="after")
    def _place_is_named(self) -> Images:
        if self.source == "files" and not self.paths:
            raise ValueError("source is 'files', so paths must name one")
        if self.source == "hub" and not (self.hub and self.revision):
            missing = "hub" if not self.hub else "revision"
            raise ValueError(f"source is 'hub', so {missing} must name one")
        if self.crop > self.resize:
            raise ValueError(f"crop: {self.crop} is larger than resize, {self.resize}; allowed: at most as large")
        return self


class Trained(Strict):
    """A small network that is trained here on digits: a supervisor on truth, a student without labels."""

    width: Positive  # channels of its first layer
    images: Positive | None = None  # of the pretraining ones; all by default
    epochs: Rate
    batch: Positive = 128
    learning_rate: Rate
    seed: Seed = 0


class Published(Strict):
    """A network with published weights."""

    architecture: Architecture
    weights: str = Field(min_length=1)  # a file or folder (it starts with . or / or ~), an https address, or a hub id
    revision: Revision | None = None  # of the hub: a commit

    @property
    def is_local(self) -> bool:
        """Whether the weights are a file or a folder."""
        return self.weights.startswith((".", "/", "~"))

    @property
    def is_address(self) -> bool:
        """Whether the weights are one file somewhere on the web."""
        return self.weights.startswith(("https://", "http://"))

    @model_validator(mode="after")
    def _hub_is_pinned(self) -> Published:
        on_hub = not self.is_local and not self.is_address
        if on_hub and not self.revision:
            raise ValueError(f"revision: missing; {self.weights!r} is on the hub, so a commit of it should be named")
        if not on_hub and self.revision:
            raise ValueError(f"revision: {self.revision!r} has an effect only with a hub id")
        return self


class Network(Strict):
    """A rung: trained here, or published. Exactly one of the two."""

    name: RungName
    trained: Trained | None = None
    published: Published | None = None

    @model_validator(mode="after")
    def _is_one_of_them(self) -> Network:
        if (self.trained is None) == (self.published is None):
            raise ValueError(f"{self.name}: should have either trained or published, the other one null")
        return self


class Student(Network):
    """A rung whose frozen features are probed. epochs: of the probe (the paper has 20 and 5)."""

    epochs: Rate = 20


class Probe(Strict):
    """A linear layer on frozen features, trained with Adam (Appendix D.1)."""

    learning_rate: Rate = 1e-3
    batch: Positive = 128
    evaluations_per_epoch: NotNegative = 1  # rows of history.csv an epoch; 0: one at the end


class Vision(Strict):
    """The vision setting: a supervisor that classifies images, and frozen students that are probed on its labels."""

    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # the experiment's by default; each draws train and test
    images: Images = Images()
    train: Positive = 40_000  # images to probe on
    test: Positive = 10_000  # images to test on, apart from these
    supervisor: Network
    ladder: tuple[Student, ...] = Field(min_length=1)  # weakest first
    schedules: tuple[Schedule, ...] = Field(("oscillating", "cosine"), min_length=1)
    probe: Probe = Probe()

    @model_validator(mode="after")
    def _networks_fit(self) -> Vision:
        refuse_twice("schedules", self.schedules)
        refuse_twice("ladder", [self.supervisor.name, *(rung.name for rung in self.ladder)])
        digits = self.images.source == "digits"
        for network in (self.supervisor, *self.ladder):
            if (network.trained is None) == digits:
                right = "trained" if digits else "published"
                raise ValueError(f"{network.name}: images of source {self.images.source!r} are for {right} networks")
            if network.trained and (network.trained.images or 1) > self.images.pretraining:
                raise ValueError(
                    f"{network.name}: trained.images: {network.trained.images or 'all'} is more than the "
                    f"{self.images.pretraining} pretraining images there are"
                )
        published = self.supervisor.published
        if published and published.architecture != "alexnet":
            raise ValueError(f"supervisor: {published.architecture!r} has no classes to label with; allowed: alexnet")
        for rung in self.ladder:
            if rung.published and rung.published.architecture == "alexnet":
                raise ValueError(f"{rung.name}: 'alexnet' was trained on labels; allowed: resnet50, vit_b8")
        return self
