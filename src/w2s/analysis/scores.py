"""Scores of predicted probabilities of two classes: error rate, Brier score, calibration error, AUROC.

Pure functions of (n,) arrays. Each also takes weights of the examples, (n,) or (draws, n), whose rows add up to 1, and
returns one number for each row: this is how bootstraps over test examples score all of their draws at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BINS = 15  # of the calibration error, of equal width


class Score(Protocol):
    """A score of predictions against the truth."""

    def __call__(self, truth: Array, probability: Array, /, weights: Array | None = None) -> Array:
        """One number, or one for each row of weights."""


def scores(truth: Array, probability: Array) -> dict[str, float]:
    """Accuracy, Brier score, calibration error and AUROC. Both (n,); truth: 0 or 1."""
    found = {name: float(score(truth, probability)) for name, score in PROBABILISTIC.items()}
    return {"accuracy": 1 - float(rate(truth, probability)), **found}


def squared(target: Array, probability: Array, weights: Array | None = None) -> Array:
    """Mean squared distance of two arrays in [0, 1]; against a truth of 0 or 1, the Brier score."""
    return _mean((probability - target) ** 2, weights)


def rate(target: Array, probability: Array, weights: Array | None = None) -> Array:
    """Share of examples on which two arrays of probabilities lie on different sides of 1/2."""
    return _mean((probability > 0.5) != (target > 0.5), weights)


def ece(truth: Array, probability: Array, weights: Array | None = None, *, bins: int = BINS) -> Array:
    """Expected calibration error of the probability of class 1. truth: 0 or 1.

    In bins of equal width, the distance of the mean probability from the share of class 1, weighted by examples.
    """
    import numpy as np

    bin_of = np.minimum((probability * bins).astype(int), bins - 1)
    off = (probability - (truth > 0.5))[:, None] * (bin_of[:, None] == np.arange(bins))
    found: Array = np.abs(_mean(off, weights)).sum(axis=-1)
    return found


def auroc(truth: Array, probability: Array, weights: Array | None = None) -> Array:
    """Area under the ROC curve, ties counted half; NaN where one class has no weight. truth: 0 or 1.

    It is the chance that an example of class 1 is given a higher probability than one of class 0 (Mann-Whitney).
    """
    import numpy as np

    order = np.argsort(probability, kind="stable")
    _, starts = np.unique(probability[order], return_index=True)
    known = np.full(len(truth), 1 / len(truth)) if weights is None else weights
    known, positive = known[..., order], truth[order] > 0.5
    ones, zeros = (np.add.reduceat(known * side, starts, axis=-1) for side in (positive, ~positive))
    wins = (ones * (zeros.cumsum(axis=-1) - zeros / 2)).sum(axis=-1)
    both = ones.sum(axis=-1) * zeros.sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found: Array = np.where(both > 0, wins / both, np.nan)
    return found


def _mean(values: Array, weights: Array | None) -> Array:
    """Mean over examples, the first axis."""
    found: Array = values.mean(axis=0) if weights is None else weights @ values
    return found


PROBABILISTIC: Mapping[str, Score] = {"brier": squared, "ece": ece, "auroc": auroc}
