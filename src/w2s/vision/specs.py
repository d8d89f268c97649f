"""The specs of vision stages. Light: no torch."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from w2s.training.specs import Spec


class NetworkSpec(Spec):
    """A small network trained here. images: how many; None: all of the pretraining images."""

    width: int
    labels: str
    images: int | None
    epochs: float
    batch: int
    learning_rate: float
    seed: int


class FittedSpec(Spec):
    """A supervisor's probe. images: of those set aside, drawn with the seed; None: all."""

    images: int | None
    c: float
    seed: int


class FeaturesSpec(Spec):
    """What a frozen network says of every image. All but the output are of published networks.

    code: a hash of the user's own code that makes the network. preprocessing: ``resize`` and ``crop``, where the config
    says how images are cut. probe: fitted on features, for probabilities.
    """

    output: Literal["features", "probabilities"]
    architecture: str | None = None
    weights: dict[str, Any] | None = None
    code: str | None = None
    preprocessing: dict[str, int] = Field(default_factory=dict)
    probe: FittedSpec | None = None


class ProbeTraining(Spec):
    """How a probe is trained, with Adam."""

    epochs: float
    batch: int
    learning_rate: float
    evaluations_per_epoch: float


class ProbeSpec(Spec):
    """A linear probe on features (Appendix D.1). train, test: numbers of images."""

    train: int
    test: int
    training: ProbeTraining
    schedule: Literal["cosine", "oscillating"]
    seed: int
