"""How sure numbers are: a bootstrap over tasks, and the noise of a share of a test set.

The noise floor: an accuracy on n test examples has a binomial standard error; what lies within ``CLEAR`` of it (of a
gap: of the two errors together) is noise, and a PGR whose gap is noise is undefined.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from w2s.analysis.pgr import mean_defined

if TYPE_CHECKING:
    import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 9999
FEWEST = 3  # tasks: with fewer an interval says nothing
SEED = 0  # of the resampling, so that a table is the same whenever it is written
CLEAR = 2.0  # standard errors: a gap of no more is noise


def binomial_error(share: float, examples: float) -> float:
    """Standard error of a share of so many test examples.

    Two made-up examples, one of each kind, are added (Agresti and Coull 1998): all right is not certainty.
    """
    smoothed = (share * examples + 1) / (examples + 2)
    return math.sqrt(smoothed * (1 - smoothed) / examples)


def binomial_errors(shares: Iterable[float], sizes: Iterable[float]) -> list[float]:
    """The same of many; NaN where share or size is not known, or there are no examples."""
    both = zip(shares, sizes, strict=True)
    return [binomial_error(one, size) if math.isfinite(one) and size > 0 else math.nan for one, size in both]


def of_draws(draws: np.ndarray[Any, Any]) -> tuple[float, float]:
    """(low, high): 95% percentile interval; NaN where fewer than half of the draws have a value."""
    import numpy as np

    known = draws[~np.isnan(draws)]
    if not len(known) or len(known) < len(draws) / 2:
        return math.nan, math.nan
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, [tail, 1 - tail])
    return float(low), float(high)


def is_noise(gap: float, error: float) -> bool:
    """Whether a gap between ceiling and supervisor is no more than noise; PGR is undefined there."""
    return not gap > CLEAR * error


def over_tasks(values: Iterable[tuple[str, float]]) -> tuple[float, float]:
    """(low, high) of the median over tasks of each task's mean over seeds.

    values: (task, value), one for every seed; NaN is undefined and left out.
    """
    by_task: dict[str, list[float]] = defaultdict(list)
    for task, value in values:
        by_task[task].append(value)
    return of_median([[mean_defined(seeds)] for seeds in by_task.values()])


def of_median(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """(low, high): 95% percentile bootstrap interval of the median of all values.

    groups: the values of each task, which are drawn (with replacement) or left out together, because what one
    task does to its pairs it does to all of them. NaN is left out; both bounds are NaN where fewer than three
    tasks have a defined value.
    """
    defined = [[value for value in group if not math.isnan(value)] for group in groups]
    defined = [group for group in defined if group]
    if len(defined) < FEWEST:
        return math.nan, math.nan
    import numpy as np
    from scipy.stats import bootstrap

    values = np.full((len(defined), max(map(len, defined))), np.nan)
    for number, group in enumerate(defined):
        values[number, : len(group)] = group
    median = np.nanmedian if np.isnan(values).any() else np.median  # the former takes much longer

    def middle(chosen: np.ndarray, axis: int) -> Any:
        """chosen: (..., tasks) numbers of tasks; axis is always the last."""
        drawn = values[chosen.astype(int)]
        return median(drawn.reshape(*drawn.shape[:-2], -1), axis=-1)

    found = bootstrap(
        (np.arange(len(defined)),),
        middle,
        confidence_level=CONFIDENCE,
        n_resamples=RESAMPLES,
        batch=1000,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    ).confidence_interval
    return float(found.low), float(found.high)
