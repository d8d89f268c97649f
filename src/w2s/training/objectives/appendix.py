"""The losses that the paper's Appendix B tried beside its own, and one of its follow-ups.

``l2_confidence`` and ``entropy_confidence`` reward predictions away from 1/2. The paper prints the second as
p log p + (1 - p) log(1 - p), minus the entropy: minimising that pulls p *to* 1/2, against what is said of it, so the
entropy itself is added here (docs/deviations.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from w2s.config.parameters import Between
from w2s.training.objectives.common import cross_entropy, margin, pair

if TYPE_CHECKING:
    from torch import Tensor

TINY = 1e-12  # probabilities below it have no logarithm worth the name


def l2_confidence(
    logits: Tensor,
    labels: Tensor,
    *,
    progress: float,
    weight: Annotated[float, Between(0, 100)] = 1.0,
    balanced: bool = True,
) -> Tensor:
    """Cross entropy, and ``weight`` times -(p - 1/2)^2 (Appendix B). balanced: p as ``prediction`` has it."""
    p = prediction(logits, balanced)
    return cross_entropy(logits, labels) - weight * (p - 0.5) ** 2


def entropy_confidence(
    logits: Tensor,
    labels: Tensor,
    *,
    progress: float,
    weight: Annotated[float, Between(0, 100)] = 0.5,
    balanced: bool = True,
) -> Tensor:
    """Cross entropy, and ``weight`` times the entropy of the prediction in nats (Appendix B, its sign put right)."""
    p = prediction(logits, balanced)
    return cross_entropy(logits, labels) + weight * entropy(p)


def prediction(logits: Tensor, balanced: bool) -> Tensor:
    """(batch,) probabilities of class 1; balanced: with odds relative to the median of the batch.

    So half of the batch is pushed to either side, which is how we read Appendix B's "rebalancing procedure"; no
    gradient flows through the median.
    """
    odds = margin(logits)
    if balanced:
        odds = odds - odds.detach().quantile(0.5)
    return odds.sigmoid()


def entropy(p: Tensor) -> Tensor:
    """(n,) probabilities of class 1 -> (n,) entropies in nats."""
    both = pair(p)
    return -(both * both.clamp_min(TINY).log()).sum(-1)


def product(
    logits: Tensor,
    labels: Tensor,
    *,
    progress: float,
    alpha: Annotated[float, Between(0, 10)] = 1.0,
    beta: Annotated[float, Between(0, 10)] = 1.0,
) -> Tensor:
    """Product confidence (Appendix B): cross entropy to label^alpha x own prediction^beta, made to sum to 1.

    No gradient flows through that target. Both exponents 1/2: the geometric mean. No example depends on another.
    """
    return cross_entropy(logits, multiplied(logits, labels, alpha, beta))


def multiplied(logits: Tensor, labels: Tensor, alpha: float, beta: float) -> Tensor:
    """(batch, 2) targets: labels and own predictions multiplied and renormalised, without gradient."""
    own = logits.detach().log_softmax(-1)
    return (alpha * labels.clamp_min(TINY).log() + beta * own).softmax(-1)


def generalised_cross_entropy(
    logits: Tensor, labels: Tensor, *, progress: float, q: Annotated[float, Between(0, 1)] = 0.7
) -> Tensor:
    """(1 - f^q) / q, averaged under the soft label (Appendix B; Zhang and Sabuncu, 2018).

    q = 0: cross entropy; q = 1: the mean absolute error, which mistaken labels move least.
    """
    logs = logits.log_softmax(-1)
    each = -(q * logs).expm1() / q if q else -logs
    return (labels * each).sum(-1)


def reverse_cross_entropy(
    logits: Tensor, labels: Tensor, *, progress: float, floor: Annotated[float, Between(1e-9, 0.5)] = 1e-4
) -> Tensor:
    """Cross entropy of the label under the student's prediction: the two exchanged (arXiv 2505.24313).

    floor: the least probability of a label inside the logarithm. A label of 1/2 pulls nowhere, whatever is predicted.
    """
    return -(logits.softmax(-1) * labels.clamp(floor, 1 - floor).log()).sum(-1)
