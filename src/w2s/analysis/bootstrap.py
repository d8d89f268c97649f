"""How else a number could have come out: bootstraps over tasks and over test examples. The only implementation.

* Over test examples: an ``Estimate`` is a value with draws. Runs on the same test set are drawn together, by the
  examples' ids, so what is hard for all of them cancels in differences. The draws of a PGR, a median or a mean follow
  from those of their parts, in the same order.
* Over tasks: whole tasks are drawn with replacement, together with all of their pairs, seeds and test examples.
* The standard error of a share of a test set, for numbers whose examples are not known one by one.

Resampling is seeded: the same table comes out whenever it is written.
"""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from w2s.analysis.pgr import mean_defined, median_defined, pgr, pgr_of_draws, within_noise

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

CONFIDENCE = 0.95
SEED = 0
EXAMPLE_DRAWS = 1000
TASK_DRAWS = 9999
MEDIAN_TASKS = 3  # with fewer, a median over tasks says nothing
FEWEST_TASKS = 6  # with fewer, no interval of a median over tasks holds its level
LOW, HIGH = "_examples_low", "_examples_high"  # behind a column's name: 95% bounds over test examples


# -- arrays of draws ---------------------------------------------------------------------------------------


def interval(draws: Array, *, interpolate: bool = True) -> tuple[float, float]:
    """(low, high): 95% percentile interval; NaN where fewer than half of the draws have a value.

    interpolate: between two draws. Without it bounds are draws themselves, as infinite draws need it.
    """
    import numpy as np

    known = np.sort(draws[~np.isnan(draws)])
    if not len(known) or len(known) < len(draws) / 2:
        return math.nan, math.nan
    ends = (1 - CONFIDENCE) / 2, 1 - (1 - CONFIDENCE) / 2
    low, high = np.quantile(known, ends) if interpolate else (known[round(end * (len(known) - 1))] for end in ends)
    return float(low), float(high)


def median_of_draws(values: Array) -> Array:
    """Median of the defined values along the last axis; NaN where none is. (..., values) -> (...,)."""
    import numpy as np

    ordered = np.sort(values, axis=-1)  # NaN last
    count = (~np.isnan(values)).sum(axis=-1)
    lower, upper = (np.maximum(count - 1, 0) // 2)[..., None], (count // 2)[..., None]
    upper = np.minimum(upper, values.shape[-1] - 1)
    middle = (np.take_along_axis(ordered, lower, -1) + np.take_along_axis(ordered, upper, -1))[..., 0] / 2
    return np.where(count > 0, middle, np.nan)


def mean_of_draws(values: Array) -> Array:
    """Mean of the defined values along the last axis; NaN where none is. (..., values) -> (...,)."""
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where there is none
        found: Array = np.nanmean(values, axis=-1)
    return found


def drawn_tasks(tasks: int, draws: int, rng: np.random.Generator) -> Array:
    """(draws, tasks): numbers of tasks, drawn with replacement."""
    return rng.integers(0, tasks, (draws, tasks))


# -- over tasks --------------------------------------------------------------------------------------------


def interval_of_median(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """(low, high): 95% percentile bootstrap interval over tasks of the median of all values.

    groups: the values of each task, which are drawn together, because what a task does to one of its pairs it does to
    all of them. NaN is left out; both bounds are NaN where fewer than six tasks have a defined value.
    """
    import numpy as np

    defined = [[value for value in group if not math.isnan(value)] for group in groups]
    defined = [group for group in defined if group]
    if len(defined) < FEWEST_TASKS:
        return math.nan, math.nan
    values = np.full((len(defined), max(map(len, defined))), np.nan)
    for number, group in enumerate(defined):
        values[number, : len(group)] = group
    drawn = drawn_tasks(len(defined), TASK_DRAWS, np.random.default_rng(SEED))
    return interval(median_of_draws(values[drawn].reshape(TASK_DRAWS, -1)))


def interval_over_tasks(values: Iterable[tuple[str, float]]) -> tuple[float, float]:
    """(low, high) of the median over tasks of each task's mean over seeds. values: (task, value), one for every seed.

    NaN is undefined and left out.
    """
    by_task: dict[str, list[float]] = defaultdict(list)
    for task, value in values:
        by_task[task].append(value)
    return interval_of_median([[mean_defined(seeds)] for seeds in by_task.values()])


# -- over test examples ------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Estimate:
    """A value, and what it would be on other draws of the test examples.

    draws: (EXAMPLE_DRAWS,), infinite or NaN where undefined; None where the examples are not known. doubtful: draws
    do not bound the value, because it is a ratio to a gap within noise, which can be anything.
    """

    value: float
    draws: Array | None = field(default=None, repr=False)
    doubtful: bool = False

    @property
    def bounds(self) -> tuple[float, float]:
        """(low, high): 95% percentile interval; NaN where the value is undefined or its bounds are not known."""
        if self.draws is None or self.doubtful or math.isnan(self.value):
            return math.nan, math.nan
        return interval(self.draws, interpolate=False)

    @property
    def error(self) -> float:
        """Standard error; NaN without draws."""
        return math.nan if self.draws is None else float(self.draws.std())

    @classmethod
    def share(cls, ids: Sequence[object], hits: Sequence[bool], among: Sequence[bool] | None = None) -> Estimate:
        """Share of the examples that are right; NaN if there are none. The same ids are drawn alike, in any order.

        ids, hits, among: (n,). among: which examples count, all by default; of each draw of all of them these count.
        Where all or none are right, half of the draws are off by the uncertainty of a share of so many examples.
        """
        import numpy as np

        counted = [True] * len(ids) if among is None else among
        examples = sum(map(bool, counted))
        if not examples:
            return cls(math.nan, np.full(EXAMPLE_DRAWS, math.nan))
        order, seed = _in_order(ids)
        right = np.array([hits[number] and counted[number] for number in order], dtype=np.float32)
        weights = _weights(seed, len(right))
        draws = weights @ right
        if examples < len(right):
            with np.errstate(invalid="ignore"):  # none of them may be in a draw
                draws = draws / (weights @ np.array([counted[number] for number in order], dtype=np.float32))
        value = float(right.sum()) / examples
        if value in (0, 1):  # no draw differs, yet all right is not certainty
            rng = np.random.default_rng([SEED, seed, examples])
            off = rng.normal(0, binomial_error(value, examples), EXAMPLE_DRAWS)
            draws = (value + (1 - 2 * value) * off.clip(0, 1)).astype(np.float32)
        return cls(value, draws)

    @classmethod
    def score(cls, ids: Sequence[object], statistic: Callable[[Array], Array]) -> Estimate:
        """Any statistic of the examples, on the draws that ``share`` makes of the same ids.

        statistic: of their weights, (..., n) in the order of the ids, whose rows add up to 1; one number for each row.
        """
        import numpy as np

        order, seed = _in_order(ids)
        value = float(statistic(np.full(len(ids), 1 / len(ids))))
        return cls(value, statistic(_weights(seed, len(ids))[:, np.argsort(order)]))

    @classmethod
    def of_count(cls, value: float, examples: int) -> Estimate:
        """A share of so many examples when it is not known which are right: it has bounds, but is not paired."""
        right = round(value * examples)
        return cls(value, cls.share(range(examples), [number < right for number in range(examples)]).draws)

    def difference(self, other: Estimate) -> Estimate:
        """This less another, on the same examples."""
        if self.draws is None or other.draws is None:
            return Estimate(self.value - other.value)
        return Estimate(self.value - other.value, self.draws - other.draws)

    @classmethod
    def pgr(cls, weak: Estimate, student: Estimate, ceiling: Estimate, *, keep_inverted: bool = False) -> Estimate:
        """PGR of three accuracies, on the same examples; undefined, or doubtful, as ``w2s.analysis.pgr`` says."""
        value = pgr(weak.value, student.value, ceiling.value, keep_inverted=keep_inverted)
        if weak.draws is None or student.draws is None or ceiling.draws is None:
            return cls(value)
        gap = ceiling.difference(weak)
        accuracies = weak.draws, student.draws, ceiling.draws
        draws = pgr_of_draws(*accuracies, infinite=True, keep_inverted=keep_inverted)
        return cls(value, draws, within_noise(abs(gap.value) if keep_inverted else gap.value, gap.error))

    @classmethod
    def median(cls, values: Iterable[Estimate | float]) -> Estimate:
        """The median of the defined values; NaN if none is. It is doubtful if half of them are."""
        known = _defined(values)
        if len(known) == 1:
            return known[0]
        doubtful = sum(one.doubtful for one in known)
        draws = _stacked(known)
        return cls(
            median_defined(one.value for one in known)[0],
            None if draws is None else median_of_draws(draws),
            0 < len(known) <= 2 * doubtful,
        )

    @classmethod
    def mean(cls, values: Iterable[Estimate | float]) -> Estimate:
        """The mean of the defined values; NaN if none is. It is doubtful if any of them is."""
        known = _defined(values)
        if len(known) == 1:
            return known[0]
        draws = _stacked(known)
        return cls(
            mean_defined(one.value for one in known),
            None if draws is None else mean_of_draws(draws),
            any(one.doubtful for one in known),
        )


def _defined(values: Iterable[Estimate | float]) -> list[Estimate]:
    every = (one if isinstance(one, Estimate) else Estimate(one) for one in values)
    return [one for one in every if not math.isnan(one.value)]


def _stacked(values: Sequence[Estimate]) -> Array | None:
    """(draws, values): a draw without a gap is undefined. None if any value has no draws."""
    import numpy as np

    draws = [one.draws for one in values if one.draws is not None]
    if not draws or len(draws) < len(values):
        return None
    stacked = np.stack(draws)
    return np.where(np.isfinite(stacked), stacked, np.nan).T


def _in_order(ids: Sequence[object]) -> tuple[list[int], int]:
    """(numbers of the examples in the order of their ids, the seed of their draws)."""
    named = [str(one) for one in ids]
    order = sorted(range(len(named)), key=named.__getitem__)
    return order, zlib.crc32("\n".join(named[number] for number in order).encode())


@lru_cache(maxsize=8)  # test sets in use together
def _weights(seed: int, examples: int) -> Array:
    """(EXAMPLE_DRAWS, examples): how often each example is in each draw, as a share."""
    import numpy as np

    rng = np.random.default_rng([SEED, seed])
    drawn = rng.multinomial(examples, np.full(examples, 1 / examples), size=EXAMPLE_DRAWS)
    return drawn.astype(np.float32) / np.float32(examples)


# -- rows of tables ----------------------------------------------------------------------------------------


def number(value: Estimate | float) -> float:
    """The value of a column, with draws or without."""
    return value.value if isinstance(value, Estimate) else value


def written(row: dict[str, Any]) -> dict[str, Any]:
    """A row as its CSV has it: estimates as numbers, and at its end two columns of bounds for each that has draws."""
    plain = {name: number(value) if isinstance(value, Estimate) else value for name, value in row.items()}
    for name, value in row.items():
        plain |= bounds_of(name, value)
    return plain


def bounds_of(name: str, value: object) -> dict[str, float]:
    """The two columns of a value by its name, ``accuracy_examples_low`` and so on; none where it has no draws."""
    if not isinstance(value, Estimate) or value.draws is None:
        return {}
    return dict(zip((name + LOW, name + HIGH), value.bounds, strict=True))


# -- standard errors ---------------------------------------------------------------------------------------


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


def error_of_mean(of_examples: Array | Sequence[float], between_seeds: Array | float, seeds: Array | int) -> Array:
    """Standard errors of means over seeds: of test examples or between seeds, whichever is larger or known."""
    import numpy as np

    found: Array = np.fmax(of_examples, between_seeds) / np.sqrt(seeds)
    return found


def pooled_deviation(groups: Iterable[Sequence[float] | Array]) -> float:
    """Standard deviation between seeds, pooled over groups; NaN if no group has two finite values."""
    import numpy as np

    variances = [float(np.var(one, ddof=1)) for one in groups if len(one) > 1 and np.isfinite(one).all()]
    return math.sqrt(float(np.mean(variances))) if variances else math.nan
