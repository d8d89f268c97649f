"""What methods do to labels before training: keep the surest of them, turn some round (paper, Appendix B)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

NOISE_STREAM = 1_000_003  # keeps the draw of noise apart from that of the order of examples


def surest(labels: Tensor, share: float) -> list[int]:
    """Confidence thresholding: which examples are kept, in their order.

    labels: (n,) probabilities of class 1, of the whole label set. Of each class (the side of 1/2) the ``share`` that
    lies farthest from 1/2 stays, one example at least; of equally sure ones the first.
    """
    kept: list[int] = []
    for side in (labels <= 0.5, labels > 0.5):
        numbers = side.nonzero().flatten()
        if len(numbers):
            sureness = (labels[numbers] - 0.5).abs()
            count = max(1, round(share * len(numbers)))
            kept += numbers[sureness.argsort(descending=True, stable=True)[:count]].tolist()
    return sorted(kept)


def turned(labels: Tensor, share: float, seed: int) -> Tensor:
    """Label noise: (n,) labels, exactly round(share x n) of which, drawn at random, are turned round (p to 1 - p)."""
    generator = torch.Generator().manual_seed(seed + NOISE_STREAM)
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    noisy = labels.clone()
    noisy[chosen] = 1 - labels[chosen]
    return noisy


def with_noise(labels: Tensor, method: Mapping[str, Any], seed: int) -> Tensor:
    """The labels that a method trains on."""
    return turned(labels, method["label_noise"], seed) if "label_noise" in method else labels


def kept(labels: Tensor, method: Mapping[str, Any]) -> list[int] | None:
    """Which examples a method trains on; None: all. labels: as the supervisor has them."""
    return surest(labels, method["keep"]["share"]) if "keep" in method else None
