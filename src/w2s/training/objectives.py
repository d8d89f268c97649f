"""How a student is trained on its labels: one function an objective, named in the config's ``methods``.

An objective takes the logits of the *whole batch* and returns each example's loss, whose mean is minimised:

    logits: (batch, 2) float, with gradient;  labels: (batch, 2) float, probabilities that sum to 1;
    progress: share of the training steps done before this one, in [0, 1);
    result: (batch,) losses in nats.

Its keyword arguments after ``progress`` are its settings, given in the config. Tensor methods only, so that
this module can be read (for its settings' names) without importing torch.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING

from w2s.experiment import Parameter

if TYPE_CHECKING:
    from torch import Tensor

Objective = Callable[..., "Tensor"]


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(batch,) cross entropies in nats of (batch, 2) logits to (batch, 2) soft labels."""
    return -(labels * logits.log_softmax(-1)).sum(-1)


def naive(logits: Tensor, labels: Tensor, *, progress: float) -> Tensor:
    """Cross entropy to the labels as they are (paper, section 3)."""
    return cross_entropy(logits, labels)


def confidence(
    logits: Tensor, labels: Tensor, *, progress: float, alpha_max: float = 0.5, warmup: float = 0.2
) -> Tensor:
    """The auxiliary confidence loss (Appendix A.4): cross entropy to (1 - a) labels + a hardened.

    ``hardened`` is the student's own prediction, 1 for the half of the batch that it finds likeliest and 0
    for the other (the threshold t at which f(x) > t for exactly half the batch); no gradient flows through
    it. a rises linearly from 0 to ``alpha_max`` over the first ``warmup`` share of the steps.
    """
    alpha = alpha_max * min(1.0, progress / warmup) if warmup else alpha_max
    return cross_entropy(logits, (1 - alpha) * labels + alpha * hardened(logits))


def hardened(logits: Tensor) -> Tensor:
    """(batch, 2) one-hot predictions, class 1 for the likeliest half of the batch; ties go by position."""
    margin = (logits[:, 1] - logits[:, 0]).detach()
    likeliest = margin.argsort(descending=True, stable=True)[: len(margin) // 2]
    positive = margin.new_zeros(len(margin)).index_fill(0, likeliest, 1.0)
    return pair(positive)


def pair(positive: Tensor) -> Tensor:
    """(n,) probabilities of class 1 -> (n, 2) of both classes."""
    from torch import stack

    return stack([1 - positive, positive], dim=-1)


OBJECTIVES: dict[str, Objective] = {"naive": naive, "confidence": confidence}
SEPARABLE = {"naive"}  # an example's loss does not depend on the others, so micro-batches need not see each other
RANGES = {"alpha_max": (0.0, 1.0), "warmup": (0.0, 1.0)}  # of settings, both ends allowed


def settings(objective: str) -> dict[str, Parameter]:
    """An objective's settings, by name."""
    parameters = inspect.signature(OBJECTIVES[objective]).parameters
    names = [name for name in parameters if name not in ("logits", "labels", "progress")]
    return {name: Parameter(parameters[name].default, *RANGES[name]) for name in names}
