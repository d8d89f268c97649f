"""Naive finetuning, and the auxiliary confidence loss as the paper has it and as its authors' released code has it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from w2s.config.parameters import Between
from w2s.training.objectives.common import cross_entropy, pair

if TYPE_CHECKING:
    from torch import Tensor


def naive(logits: Tensor, labels: Tensor, *, progress: float) -> Tensor:
    """Cross entropy to the labels as they are (paper, Section 3)."""
    return cross_entropy(logits, labels)


def confidence(
    logits: Tensor,
    labels: Tensor,
    *,
    progress: float,
    alpha_max: Annotated[float, Between(0, 1)] = 0.5,
    warmup: Annotated[float, Between(0, 1)] = 0.2,
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


def confidence_open(
    logits: Tensor,
    labels: Tensor,
    *,
    progress: float,
    alpha: Annotated[float, Between(0, 1)] = 0.5,
    warmup: Annotated[float, Between(0, 1)] = 0.1,
    jumps: bool = True,
) -> Tensor:
    """The confidence loss as in the authors' released code (github openai/weak-to-strong).

    It differs from ``confidence`` in the threshold, the quantile of the batch's probabilities of class 0 at the mean
    weak label of class 1 (so that as many are predicted 1 as the supervisor would), and in the warm-up: the share of
    the steps done counts as the share of ``alpha`` until it is ``warmup``, then all of alpha holds at once. jumps:
    false is the linear warm-up that was meant.
    """
    share = progress if jumps else progress / max(warmup, 1e-12)
    alpha = alpha * (1.0 if progress > warmup else min(1.0, share))
    return cross_entropy(logits, (1 - alpha) * labels + alpha * by_prior(logits, labels))


def by_prior(logits: Tensor, labels: Tensor) -> Tensor:
    """(batch, 2) one-hot predictions, class 0 from the quantile at the labels' mean upwards; without gradient."""
    negative = logits.detach().softmax(-1)[:, 0]
    threshold = negative.quantile(labels[:, 1].mean())
    return pair((negative < threshold).to(logits.dtype))
