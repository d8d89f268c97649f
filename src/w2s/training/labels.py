"""What methods do to labels before training: confidence thresholding and label noise (paper, Appendix B)."""

from __future__ import annotations

import torch
from torch import Tensor

from w2s.training.specs import MethodChanges

NOISE_STREAM = 1_000_003  # separates the random draw of label noise from that of the order of examples


def most_confident(labels: Tensor, share: float) -> list[int]:
    """Confidence thresholding: the numbers of the examples to keep, in order.

    labels: (n,) probabilities of class 1, of the whole label set. Of each class (side of 1/2) the ``share`` farthest
    from 1/2 is kept, at least one example; ties go to the first.
    """
    chosen: list[int] = []
    for side in (labels <= 0.5, labels > 0.5):
        numbers = side.nonzero().flatten()
        if len(numbers):
            confidence = (labels[numbers] - 0.5).abs()
            count = max(1, round(share * len(numbers)))
            chosen += numbers[confidence.argsort(descending=True, stable=True)[:count]].tolist()
    return sorted(chosen)


def flip_labels(labels: Tensor, share: float, seed: int) -> Tensor:
    """Label noise: exactly round(share x n) of the (n,) labels, drawn at random, become p -> 1 - p."""
    generator = torch.Generator().manual_seed(seed + NOISE_STREAM)
    chosen = torch.randperm(len(labels), generator=generator)[: round(share * len(labels))]
    noisy = labels.clone()
    noisy[chosen] = 1 - labels[chosen]
    return noisy


def add_noise(labels: Tensor, changes: MethodChanges, seed: int) -> Tensor:
    """(n,) labels with the method's noise."""
    return labels if changes.label_noise is None else flip_labels(labels, changes.label_noise, seed)


def select(labels: Tensor, changes: MethodChanges) -> list[int] | None:
    """The numbers of the examples that a method trains on; None: all. labels: (n,), before noise."""
    return None if changes.keep is None else most_confident(labels, changes.keep.share)
