"""Performance gap recovered (paper, section 3.1), and how the paper aggregates it over tasks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import fmean, median


def accuracy(truth: Sequence[float], probability: Sequence[float]) -> float:
    """Share of examples whose class-1 probability lies on the truth's side of 1/2. Both (n,), n > 0."""
    hits = sum((p > 0.5) == (t > 0.5) for t, p in zip(truth, probability, strict=True))
    return hits / len(truth)


def pgr(weak: float, student: float, ceiling: float, *, keep_inverted: bool = False) -> float:
    """(student - weak) / (ceiling - weak), not clipped; NaN (undefined) where ceiling <= weak.

    keep_inverted: also give the ratio where the ceiling lies *below* the supervisor, as the paper does: its
    Figures 3 and 5 follow from its Figure 12 only so. Such a ratio says nothing about recovery.
    """
    gap = ceiling - weak
    return (student - weak) / gap if gap > 0 or (keep_inverted and gap < 0) else math.nan


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
