"""Performance gap recovered, PGR = (student - weak) / (ceiling - weak) (paper, Section 3). The only implementation.

One rule, for figures, claims and comparisons: PGR is *undefined* where the ceiling is no better than the supervisor,
and defined everywhere else. Figures may follow the paper's reading instead (config key ``pgr``), which keeps the ratio
where the ceiling is below the supervisor. Whether a gap is *within noise* is another matter: a PGR within noise is
defined, but says little.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

CLEAR = 2.0  # standard errors: a gap of no more is within noise


def pgr(weak: float, student: float, ceiling: float, *, keep_inverted: bool = False) -> float:
    """(student - weak) / (ceiling - weak), not clipped; NaN (undefined) where ceiling <= weak.

    keep_inverted: also give the ratio where the ceiling lies *below* the supervisor, as the paper does: its
    Figures 3 and 5 follow from its Figure 12 only so. Such a ratio says nothing about recovery.
    """
    gap = ceiling - weak
    return (student - weak) / gap if gap > 0 or (keep_inverted and gap < 0) else math.nan


def pgr_of_draws(
    weak: Array, student: Array, ceiling: Array, *, infinite: bool = False, keep_inverted: bool = False
) -> Array:
    """PGR in every draw of its three accuracies, elementwise; NaN in draws where ceiling <= weak.

    infinite: such draws lie beyond any bound instead, on the side of what the student gains on its supervisor, so that
    the bounds of a PGR count them. keep_inverted: of such draws only those without any gap, as in ``pgr``.
    """
    import numpy as np

    gap, gain = ceiling - weak, student - weak
    with np.errstate(divide="ignore", invalid="ignore"):
        without_gap = np.where(gain == 0, np.nan, np.copysign(np.inf, gain)) if infinite else np.nan
        return np.where((gap > 0) | (keep_inverted & (gap < 0)), gain / gap, without_gap)


def within_noise(gap: float, error: float) -> bool:
    """Whether a gap between ceiling and supervisor is at most two of its standard errors, or not known."""
    return not gap > CLEAR * error


def accuracy(truth: Sequence[float], probability: Sequence[float]) -> float:
    """Share of examples whose class-1 probability lies on the truth's side of 1/2. Both (n,), n > 0."""
    hits = sum((p > 0.5) == (t > 0.5) for t, p in zip(truth, probability, strict=True))
    return hits / len(truth)


def median_defined(values: Iterable[float]) -> tuple[float, int]:
    """(median of the defined values, how many are undefined); the median is NaN if none is defined.

    The paper's aggregate is the median over tasks of per-task PGR, not the PGR of medians.
    """
    everything = list(values)
    defined = [value for value in everything if not math.isnan(value)]
    return (median(defined) if defined else math.nan), len(everything) - len(defined)


def mean_defined(values: Iterable[float]) -> float:
    """Mean of the defined values, over seeds; NaN if none is defined."""
    defined = [value for value in values if not math.isnan(value)]
    return fmean(defined) if defined else math.nan
