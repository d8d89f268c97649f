"""Intervals that hold their level with few tasks and few seeds, on arrays of numbers of the same claim.

* Over tasks: between two order statistics of the tasks' numbers, so that the sign test holds its level. It covers the
  median of the tasks whatever their distribution, and needs six tasks: with five even the whole range misses too often.
* Over seeds: Student's t, which assumes that what a seed adds is about normal, and needs two seeds. What test examples
  add, which may be the same for all seeds, is added in squares.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

TAIL = 0.025  # a side of a 95% interval
FEWEST_SEEDS = 2


@cache
def rank(tasks: int) -> int:
    """Which order statistic, from either end, bounds the median of so many tasks; 0 where none does.

    The largest k for which fewer than k of n fair coins come up heads in at most 2.5% of all cases.
    """
    below, k = 0.0, 0
    while (below := below + math.comb(tasks, k) / 2**tasks) <= TAIL:
        k += 1
    return k


def over_tasks(value: Array, each: Array) -> tuple[Array, Array]:
    """(low, high), both (...): the 95% interval of a number over tasks, widened to its value.

    value: (...), the number of all tasks together. each: (..., tasks), that of each task alone; NaN where a task has
    none. Both bounds are NaN where fewer than six tasks have one.
    """
    ordered = np.sort(each, axis=-1)  # NaN last
    count = (~np.isnan(each)).sum(axis=-1)
    ranks = np.array([rank(number) for number in range(each.shape[-1] + 1)])[count]
    low, high = (
        np.take_along_axis(ordered, place.clip(0, each.shape[-1] - 1)[..., None], axis=-1)[..., 0]
        for place in (ranks - 1, count - ranks)
    )
    known = ranks > 0
    return np.where(known, np.minimum(low, value), np.nan), np.where(known, np.maximum(high, value), np.nan)


def over_seeds(value: Array, each: Array, below: Array, above: Array) -> tuple[Array, Array]:
    """(low, high), both (...): the 95% interval of a number over seeds and test examples.

    value: (...). each: (..., seeds), the number of each seed alone. below, above: (...), how far test examples alone
    could take the value down and up, 2.5% a side. NaN where there are fewer than two seeds, or any of it is NaN.
    """
    from scipy.special import stdtrit  # quantiles of Student's t

    seeds = each.shape[-1]
    if seeds < FEWEST_SEEDS:
        return np.full_like(value, np.nan), np.full_like(value, np.nan)
    by_seed = stdtrit(seeds - 1, 1 - TAIL) * each.std(axis=-1, ddof=1) / math.sqrt(seeds)
    return value - np.hypot(by_seed, below), value + np.hypot(by_seed, above)
