"""What a student minimises: one function an objective, named in the config's ``methods``.

An objective takes the logits of the *whole batch* and returns each example's loss, whose mean is minimised:

    logits: (batch, 2) float, with gradient;  labels: (batch, 2) float, probabilities that sum to 1;
    progress: share of the training steps done before this one, in [0, 1);
    result: (batch,) losses in nats.

Its keyword arguments after ``progress`` are its parameters, given in the config; their types and ranges are read off
its signature (``w2s.config.parameters``). Objectives use tensor methods only, so that these modules can be imported
without torch. A user's own objective looks the same and lies in the project's folder (``w2s.config.user_code``).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from w2s.config import user_code as own
from w2s.config.parameters import Between, Parameter, of_function, takes_progress
from w2s.errors import UserError
from w2s.training.loss import Loss
from w2s.training.objectives.appendix import (
    entropy_confidence,
    generalised_cross_entropy,
    l2_confidence,
    product,
    reverse_cross_entropy,
)
from w2s.training.objectives.common import cross_entropy, pair
from w2s.training.objectives.confidence import confidence, confidence_open, hardened, naive
from w2s.training.objectives.divergences import f_divergence
from w2s.training.specs import Objective as ObjectiveSpec

if TYPE_CHECKING:
    from torch import Tensor

__all__ = [
    "OBJECTIVES",
    "SEPARABLE",
    "Between",
    "confidence",
    "cross_entropy",
    "hardened",
    "loss_of",
    "naive",
    "pair",
    "resolve",
    "settings",
]

Objective = Callable[..., "Tensor"]

OBJECTIVES: dict[str, Objective] = {
    function.__name__: function
    for function in (
        naive,
        confidence,
        confidence_open,
        l2_confidence,
        entropy_confidence,
        product,
        generalised_cross_entropy,
        reverse_cross_entropy,
        f_divergence,
    )
}
# An example's loss does not depend on the others, so micro-batches need not see each other.
SEPARABLE = {"naive", "product", "generalised_cross_entropy", "reverse_cross_entropy", "f_divergence"}


def settings(objective: str, root: Path = Path()) -> dict[str, Parameter]:
    """An objective's parameters, by name; root: the project's folder, for a user's own."""
    if own.is_own(objective):
        return of_function(*own.file_of(objective, root))
    return of_function(Path(inspect.getfile(OBJECTIVES[objective])), objective)


def resolve(objective: str, code: str | None = None, root: Path = Path()) -> Objective:
    """An objective by name. code: the hash that a user's own had when the run was planned; UserError if it changed."""
    if not own.is_own(objective):
        return OBJECTIVES[objective]
    function = own.function(objective, code or "", root)
    wants_progress = takes_progress(*own.file_of(objective, root))

    def checked(logits: Tensor, labels: Tensor, *, progress: float, **parameters: object) -> Tensor:
        losses: Tensor = function(logits, labels, **({"progress": progress} if wants_progress else {}), **parameters)
        shape = tuple(getattr(losses, "shape", ()))
        if shape != (len(logits),):
            raise UserError(
                f"{objective}: returned {f'shape {shape}' if hasattr(losses, 'shape') else type(losses).__name__}; "
                f"expected one loss per example, shape ({len(logits)},)"
            )
        return losses

    return checked


def loss_of(spec: ObjectiveSpec) -> Loss:
    """The loss that a spec names, with its parameters."""
    return Loss(partial(resolve(spec.name, spec.code), **spec.parameters), separable=spec.name in SEPARABLE)
