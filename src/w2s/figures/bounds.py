"""Ends of bands and whiskers: over seeds, tasks or test examples, by the experiment's ``spread`` if available."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

from w2s.analysis.aggregate import INTERVAL
from w2s.analysis.bootstrap import HIGH, LOW

Ends = tuple["pd.Series[float]", "pd.Series[float]"]  # low and high
EXAMPLES = "95% bootstrap interval over test examples"
WORDS = {
    "seeds": "lowest to highest seed",
    "tasks": "95% bootstrap interval over tasks",
    "examples": f"{EXAMPLES}, the same for all runs",
}


def basis(rows: pd.DataFrame, spread: str, value: str | None = None) -> str | None:
    """What the bounds of these rows cover: ``seeds``, ``tasks`` or ``examples``; None if nothing is known about noise.

    Uses the experiment's ``spread`` if available, else seeds or, with one seed, test examples. rows: of one setting or
    cell. value: a single column to consider.
    """
    intervals = rows[rows["task"] == INTERVAL]
    if spread == "tasks" and _known(intervals, "_low", value):
        return "tasks"
    one_seed = rows["seed"].nunique() < 2
    if (spread == "examples" or one_seed) and _known(rows, LOW, value):
        return "examples"
    return None if one_seed else "seeds"


def _known(rows: pd.DataFrame, end: str, value: str | None) -> bool:
    names = [f"{value}{end}"] if value else [name for name in rows if str(name).endswith(end)]
    names = [name for name in names if name in rows and (end == LOW or not str(name).endswith(LOW))]
    return bool(rows[names].notna().to_numpy().any())


def of_means(rows: pd.DataFrame, value: str, found: str | None, by: str) -> Ends | None:
    """Like ``of`` for means over tasks and seeds; rows: single tasks and their ``INTERVAL``."""
    intervals = rows["task"] == INTERVAL
    means = rows[~intervals].groupby([by, "seed"], as_index=False)[value].mean().assign(task="mean")
    return of(pd.concat([means, rows[intervals]]), value, found, by)


def of(rows: pd.DataFrame, value: str, found: str | None, by: str) -> Ends | None:
    """(low, high) of means over seeds in percent, by another column; NaN or None without bounds.

    rows: one line or mark, including its ``INTERVAL`` rows. found: the basis of the whole panel, so that its
    description holds for every line. Over test examples, a mean has bounds if all of its seeds have; over seeds, if
    there are at least two.
    """
    if found is None or value not in rows:
        return None
    rows = rows.replace([math.inf, -math.inf], math.nan)
    shown, intervals = rows[rows["task"] != INTERVAL], rows[rows["task"] == INTERVAL]
    if found == "seeds":
        shown = shown.dropna(subset=[value])
        each, seeds = (shown[value] * 100).groupby(shown[by]), shown.groupby(by)["seed"].nunique()
        return None if shown.empty else (each.min().where(seeds > 1), each.max().where(seeds > 1))
    ends = ("_low", "_high") if found == "tasks" else (LOW, HIGH)
    low, high = (value + end for end in ends)
    of_lines = intervals if found == "tasks" or _known(intervals, LOW, value) else shown
    if not {low, high} <= set(rows):
        return None
    known = of_lines.dropna(subset=[value] if of_lines is shown else [low, high])
    bottom, top = (known.groupby(by)[end].agg(lambda each: each.mean(skipna=False) * 100) for end in (low, high))
    both = bottom.notna() & top.notna()
    return (bottom.where(both), top.where(both)) if both.any() else None


def lengths(middle: Any, ends: tuple[Any, Any]) -> np.ndarray[Any, Any]:
    """(2, n): lengths of whiskers below and above n means, as ``errorbar`` expects them."""
    low, high = ends
    reach: np.ndarray[Any, Any] = np.array([np.atleast_1d(middle - low), np.atleast_1d(high - middle)])
    return reach.clip(min=0)
