"""What the specs of training stages share, as typed models. Light: no torch.

A spec is the JSON object that identifies an artifact. Every stage reads its own once, by ``Spec.from_spec``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import Field, ValidationError

from w2s.config.ladder import Adapters
from w2s.config.methods import Average, Consistency, HeadFirst, Keep
from w2s.config.schema import Strict
from w2s.errors import UserError


class Spec(Strict):
    """A spec or a part of one: immutable, and unknown keys are errors."""

    @classmethod
    def from_spec(cls, spec: Mapping[str, Any]) -> Self:
        """The spec of a stage; UserError for a key that is missing, unknown or of the wrong type."""
        try:
            return cls.model_validate(spec)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(map(str, first["loc"]))
            raise UserError(f"spec: {key}: {first['msg']}") from None


class Training(Spec):
    """How a model is trained. evaluations_per_epoch: rows of ``history.csv``; max_length: in tokens."""

    epochs: float
    batch: int
    weight_decay: float
    max_length: int
    evaluations_per_epoch: float = 0


class Objective(Spec):
    """A loss by name, with its parameters. code: the hash of a user's own, as it was planned."""

    name: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    code: str | None = None


class MethodChanges(Spec):
    """What a method changes beside the objective (``w2s.config.methods.Method``)."""

    keep: Keep | None = None
    balanced: bool = False
    label_noise: float | None = None
    ground_truth: float | None = None
    head_first: HeadFirst | None = None
    adapters: Adapters | None = None
    learning_rate_times: float = 1
    weight_decay: float | None = None
    dropout: float | None = None
    average: Average | None = None
    consistency: Consistency | None = None


class ModelSpec(Spec):
    """How a base model is computed, as far as this changes results. Rungs pretrained here leave it out."""

    precision: str = "float32"
    adapters: Adapters | None = None
