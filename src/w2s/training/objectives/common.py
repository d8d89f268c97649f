"""What objectives are made of. Tensor methods only: importing this imports no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """(batch,) cross entropies in nats of (batch, 2) logits to (batch, 2) soft labels."""
    return -(labels * logits.log_softmax(-1)).sum(-1)


def pair(positive: Tensor) -> Tensor:
    """(n,) probabilities of class 1 -> (n, 2) of both classes."""
    from torch import stack

    return stack([1 - positive, positive], dim=-1)


def margin(logits: Tensor) -> Tensor:
    """(batch,) log odds of class 1."""
    return logits[:, 1] - logits[:, 0]
