"""What methods do to labels before training: a little truth, which examples are kept, label noise (Appendix B)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from w2s.training.specs import MethodChanges

NOISE_STREAM = 1_000_003  # separates the random draw of label noise from that of the order of examples
TRUTH_STREAM = 2_000_003  # and this one that of the examples whose truth is told
TINY = 1e-12  # the least probability whose odds count
ROWS = 1024  # examples whose neighbours are searched at once


def most_confident(labels: Tensor, share: float) -> list[int]:
    """Confidence thresholding: the numbers of the examples to keep, in order.

    labels: (n,) probabilities of class 1, of the whole label set. Confident is what is far from 1/2.
    """
    return best_of_each_class(labels, (labels - 0.5).abs(), share)


def best_of_each_class(labels: Tensor, scores: Tensor, share: float) -> list[int]:
    """The numbers of the examples with the highest (n,) scores, in order; ties go to the first.

    labels: (n,) probabilities of class 1. Of each class (side of 1/2) this share is kept, at least one example.
    """
    chosen: list[int] = []
    for side in (labels <= 0.5, labels > 0.5):
        numbers = side.nonzero().flatten()
        if len(numbers):
            count = max(1, round(share * len(numbers)))
            chosen += numbers[scores[numbers].argsort(descending=True, stable=True)[:count]].tolist()
    return sorted(chosen)


def agreement_of_neighbours(labels: Tensor, states: Tensor, count: int) -> Tensor:
    """(n,) mean probabilities that the ``count`` nearest neighbours of each example give to its own class.

    labels: (n,) probabilities of class 1; states: (n, width). Near are large cosines of states, less their mean. An
    example is no neighbour of itself.
    """
    unit = torch.nn.functional.normalize(states - states.mean(0))
    count = min(count, len(unit) - 1)
    positive = []
    for first in range(0, len(unit), ROWS):
        similarity = unit[first : first + ROWS] @ unit.T
        itself = torch.arange(len(similarity))
        similarity[itself, first + itself] = -torch.inf
        positive.append(labels[similarity.topk(count).indices].mean(-1))
    found = torch.cat(positive)
    return torch.where(labels > 0.5, found, 1 - found)


def balanced(labels: Tensor, by: Tensor) -> Tensor:
    """(n,) labels with log odds less the median of those of ``by``, of which half are then of either class."""
    odds, middle = (some.double().logit(TINY) for some in (labels, by))
    return (odds - middle.quantile(0.5)).sigmoid().to(labels)


def with_truth(labels: Tensor, truth: Tensor, changes: MethodChanges, seed: int) -> Tensor:
    """(n,) labels, of which the method's share (exactly, drawn at random) is replaced by the (n,) truth."""
    if changes.ground_truth is None:
        return labels
    generator = torch.Generator().manual_seed(seed + TRUTH_STREAM)
    chosen = torch.randperm(len(labels), generator=generator)[: round(changes.ground_truth * len(labels))]
    told = labels.clone()
    told[chosen] = truth[chosen]
    return told


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


def select(labels: Tensor, changes: MethodChanges, states: Callable[[], Tensor]) -> list[int] | None:
    """The numbers of the examples that a method trains on; None: all.

    labels: (n,), before noise. states: computes (n, width) hidden states of the base model, where they are needed.
    """
    keep = changes.keep
    if keep is None:
        return None
    if keep.neighbours is None:
        return most_confident(labels, keep.share)
    return best_of_each_class(labels, agreement_of_neighbours(labels, states(), keep.neighbours), keep.share)
