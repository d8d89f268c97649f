"""The vision setting's section of the config (Appendix D.1, Table 3)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from w2s.config.ladder import RungName
from w2s.config.schema import Positive, Rate, Revision, Seed, Strict
from w2s.config.section import NotNegative, refuse_twice
from w2s.config.user_code import REFERENCE
from w2s.errors import allowed

PAPERS = ("alexnet", "resnet50", "vit_b8")  # built in, with the weights' published names
TRANSFORMERS = "transformers"  # whatever config.json says, in a folder or on the hub
TORCHVISION = "torchvision/"  # before the name of one of its classifiers
Schedule = Literal["oscillating", "cosine"]


class Images(Strict):
    """Labelled images, and how they are cut to the square that open networks take."""

    source: Literal["digits", "files", "hub"] = "digits"
    name: str = Field("digits", pattern=r"^[a-z0-9_]+$")  # of the task, in paths
    pretraining: NotNegative = 700  # set aside for networks trained here, or a supervisor's probe
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
    """A network with published weights: one of the paper's, any of two libraries', or one that a user's code makes."""

    architecture: str  # one of PAPERS, transformers, torchvision/NAME, or a user's own module:function
    weights: str | None = Field(None, min_length=1)  # a file or folder (./, /, ~), an https address, or a hub id
    revision: Revision | None = None  # of the hub: a commit

    @property
    def is_own(self) -> bool:
        """Whether a user's own code makes the network."""
        return bool(REFERENCE.fullmatch(self.architecture))

    @property
    def cuts(self) -> bool:
        """Whether images are cut as the config says; other networks bring their own preprocessing."""
        return self.architecture != TRANSFORMERS and not self.is_own

    @property
    def is_local(self) -> bool:
        """Whether the weights are a file or a folder."""
        return self.weights is not None and self.weights.startswith((".", "/", "~"))

    @property
    def is_address(self) -> bool:
        """Whether the weights are one file somewhere on the web."""
        return self.weights is not None and self.weights.startswith(("https://", "http://"))

    @field_validator("architecture")
    @classmethod
    def _is_known(cls, value: str) -> str:
        library, _, name = value.partition("/")
        in_library = f"{library}/" == TORCHVISION and name.isidentifier()
        if value not in (*PAPERS, TRANSFORMERS) and not in_library and not REFERENCE.fullmatch(value):
            choices = (*PAPERS, TRANSFORMERS, f"{TORCHVISION}NAME", "module:function")
            raise ValueError(f"{value!r} is not allowed; {allowed(value, choices)}")
        return value

    @model_validator(mode="after")
    def _weights_fit(self) -> Published:
        if self.weights is None and not self.is_own:
            raise ValueError(f"weights: missing; {self.architecture!r} needs a file, a folder, an address or a hub id")
        if self.architecture == TRANSFORMERS and self.is_address:
            raise ValueError(f"weights: {self.weights!r} is not allowed with transformers; allowed: a folder, a hub id")
        return self

    @model_validator(mode="after")
    def _hub_is_pinned(self) -> Published:
        on_hub = self.weights is not None and not self.is_local and not self.is_address
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


class Fitted(Strict):
    """A linear layer on a supervisor's features: logistic regression on the truth of the images set aside for it."""

    images: Positive | None = None  # of those set aside; all by default
    c: Rate = 1.0  # inverse strength of the l2 penalty


class Supervisor(Network):
    """The network whose probabilities students learn: of its own classes, or of a probe's."""

    probe: Fitted | None = None

    @model_validator(mode="after")
    def _is_probed_if_published(self) -> Supervisor:
        if self.probe and self.trained:
            raise ValueError(f"{self.name}: probe has an effect only with a published network")
        return self


class Student(Network):
    """A rung whose frozen features are probed. epochs: of the probe (the paper has 20 and 5)."""

    epochs: Rate = 20.0


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
    supervisor: Supervisor
    ladder: tuple[Student, ...] = Field(min_length=1)  # weakest first
    schedules: tuple[Schedule, ...] = Field(("oscillating", "cosine"), min_length=1)
    probe: Probe = Probe()

    @model_validator(mode="after")
    def _networks_fit(self) -> Vision:
        refuse_twice("schedules", self.schedules)
        refuse_twice("ladder", [self.supervisor.name, *(rung.name for rung in self.ladder)])
        for network in (self.supervisor, *self.ladder):
            if network.trained and self.images.source != "digits":
                raise ValueError(
                    f"{network.name}: only digits are for networks trained here; images of source "
                    f"{self.images.source!r} are for published ones"
                )
            if network.trained:
                self._refuse_too_many(f"{network.name}: trained", network.trained.images)
        if self.supervisor.probe:
            self._refuse_too_many(f"{self.supervisor.name}: probe", self.supervisor.probe.images)
        published, probe = self.supervisor.published, self.supervisor.probe
        if published and published.architecture in ("resnet50", "vit_b8") and probe is None:
            raise ValueError(
                f"supervisor: {published.architecture!r} has no classes to label with; allowed: alexnet, "
                "or a probe on its features"
            )
        for rung in (*self.ladder, *([self.supervisor] if probe else [])):
            if rung.published and rung.published.architecture == "alexnet":
                raise ValueError(
                    f"{rung.name}: 'alexnet' was trained on labels and gives classes, no features; "
                    "allowed: resnet50, vit_b8, torchvision/alexnet, ..."
                )
        return self

    def _refuse_too_many(self, where: str, images: int | None) -> None:
        """images: that a network is trained or probed on; None: all that are set aside."""
        if (images or 1) > self.images.pretraining:
            there = self.images.pretraining
            raise ValueError(f"{where}.images: {images or 'all'} is more than the {there} pretraining images there are")
