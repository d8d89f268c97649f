"""Overlap density: the share of texts with both easy and hard patterns (Shin et al. 2024, arXiv 2412.03881).

Shin et al. find easy patterns by the supervisor's confidence, and hard ones by how similar a text's features in the
strong model are to those of texts on which the supervisor is unsure. Features are not stored, so here hard patterns are
those on which the ceiling is confident.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from w2s.analysis.bootstrap import Estimate

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

OVERLAP = "overlap"
VALUES = (OVERLAP, "weak_only", "strong_only")
HALFWAY = 0.75  # between a guess and certainty


def density(ids: Sequence[object], supervisor: Array, ceiling: Array) -> dict[str, Estimate]:
    """``overlap``, ``weak_only`` and ``strong_only``: shares of texts on which both, or only one of them, is confident.

    supervisor, ceiling: probabilities of class 1, (n,), n > 0. ids: of the texts. Draws of texts keep the thresholds.
    """
    weak, strong = (_confident(probability) for probability in (supervisor, ceiling))
    shares = weak & strong, weak & ~strong, strong & ~weak
    return {name: Estimate.share(ids, share.tolist()) for name, share in zip(VALUES, shares, strict=True)}


def change_point(values: Array) -> float:
    """Where sorted values change most: halfway between the two parts with the least squared distance to their means.

    values: (n,), n > 0. ``HALFWAY`` if all are the same. Of equally good changes the lowest.
    """
    import numpy as np

    ordered = np.sort(values)
    low = np.arange(1, len(ordered))
    sums = ordered.cumsum()
    high = len(ordered) - low
    between = low * high * ((sums[-1] - sums[:-1]) / high - sums[:-1] / low) ** 2
    between = np.where(ordered[1:] > ordered[:-1], between, 0)
    if not between.any():
        return HALFWAY
    place = int(between.argmax())
    return float(ordered[place] + ordered[place + 1]) / 2


def _confident(probability: Array) -> Array:
    """(n,): whether the more likely class is more likely than at the change-point."""
    import numpy as np

    confidence = np.maximum(probability, 1 - probability)
    found: Array = confidence > change_point(confidence)
    return found
