"""How else a share of test examples, or a PGR, could have come out: a bootstrap over examples, paired between runs.

Runs on the same test set are compared on the same examples, so a draw of examples is the same for all of them, by the
examples' ids: what is hard for one run is mostly hard for another, and differences are surer than each of them. A
``Measured`` is a float that remembers its draws; the draws of a PGR or of a median follow from those of its parts, and
so are as many and in the same order.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from w2s.analysis.intervals import CONFIDENCE, SEED, binomial_error, is_noise
from w2s.analysis.pgr import mean_defined, median_defined

if TYPE_CHECKING:
    import numpy as np

DRAWS = 1000
LOW, HIGH = "_examples_low", "_examples_high"  # behind a column's name: 95% bounds over test examples


class Measured(float):
    """A value with what it would be on other draws of the test examples: (DRAWS,), infinite or NaN where undefined.

    doubtful: its bounds are not known.
    """

    draws: np.ndarray[Any, Any]
    doubtful: bool

    def __new__(cls, value: float, draws: np.ndarray[Any, Any], *, doubtful: bool = False) -> Measured:
        """A float like any other, with draws."""
        made = super().__new__(cls, value)
        made.draws, made.doubtful = draws, doubtful
        return made

    def bounds(self) -> tuple[float, float]:
        """(low, high): 95% percentile interval; NaN where the value is undefined or its bounds are not known."""
        import numpy as np

        if self.doubtful or math.isnan(self):
            return math.nan, math.nan
        known = np.sort(self.draws[~np.isnan(self.draws)])
        if len(known) < len(self.draws) / 2:
            return math.nan, math.nan
        tail = (1 - CONFIDENCE) / 2
        low, high = (known[round(end * (len(known) - 1))] for end in (tail, 1 - tail))
        return float(low), float(high)


@lru_cache(maxsize=8)  # test sets in use together
def _weights(seed: int, examples: int) -> np.ndarray[Any, Any]:
    """(DRAWS, examples): how often each example is in each draw, as a share."""
    import numpy as np

    rng = np.random.default_rng([SEED, seed])
    drawn = rng.multinomial(examples, np.full(examples, 1 / examples), size=DRAWS)
    return drawn.astype(np.float32) / np.float32(examples)


def share(ids: Sequence[object], hits: Sequence[bool], among: Sequence[bool] | None = None) -> Measured:
    """Share of the examples that are right; NaN if there are none. The same ids are drawn alike, in any order.

    ids, hits, among: (n,). among: which examples count, all by default; of each draw of all of them these count too.
    Where all or none are right, half of the draws are off by what an accuracy of so many examples is uncertain by.
    """
    import numpy as np

    counted = [True] * len(ids) if among is None else among
    examples = sum(map(bool, counted))
    if not examples:
        return Measured(math.nan, np.full(DRAWS, math.nan))
    named = [str(one) for one in ids]
    order = sorted(range(len(named)), key=named.__getitem__)
    seed = zlib.crc32("\n".join(named[number] for number in order).encode())
    right = np.array([hits[number] and counted[number] for number in order], dtype=np.float32)
    weights = _weights(seed, len(right))
    draws = weights @ right
    if examples < len(right):
        with np.errstate(invalid="ignore"):  # none of them may be in a draw
            draws = draws / (weights @ np.array([counted[number] for number in order], dtype=np.float32))
    value = float(right.sum()) / examples
    if value in (0, 1):  # no draw differs, yet all right is not certainty
        off = np.random.default_rng([SEED, seed, examples]).normal(0, binomial_error(value, examples), DRAWS)
        draws = (value + (1 - 2 * value) * off.clip(0, 1)).astype(np.float32)
    return Measured(value, draws)


def of_count(value: float, examples: int) -> Measured:
    """A share of so many examples of which it is not known which are right: it has bounds, but is not paired."""
    right = round(value * examples)
    found = share(range(examples), [number < right for number in range(examples)])
    return Measured(value, found.draws)


def gap_error(weak: float, ceiling: float) -> float:
    """Standard error of ceiling - weak on the same examples; NaN where draws of either are not known."""
    if not (isinstance(weak, Measured) and isinstance(ceiling, Measured)):
        return math.nan
    return float((ceiling.draws - weak.draws).std())


def recovered(value: float, weak: float, reached: float, ceiling: float) -> float:
    """A PGR with its draws. Where the gap is within noise its bounds are not known; a draw without gap is infinite.

    value: the PGR itself; returned as it is where the draws of its parts are not known.
    """
    import numpy as np

    parts = [one for one in (weak, reached, ceiling) if isinstance(one, Measured)]
    if len(parts) < 3:
        return value
    low, middle, high = (one.draws for one in parts)
    gap, gain = high - low, middle - low
    with np.errstate(divide="ignore", invalid="ignore"):
        draws = np.where(gap > 0, gain / gap, np.where(gain == 0, np.nan, np.copysign(np.inf, gain)))
    return Measured(value, draws, doubtful=is_noise(ceiling - weak, gap_error(weak, ceiling)))


def median(values: Iterable[float]) -> float:
    """The median of the defined values, with its draws if all of these have some. NaN if none is defined.

    Its bounds are not known where those of half of the values are not.
    """
    return _over(list(values), "median", lambda some: median_defined(some)[0], doubtful=1 / 2)


def mean(values: Iterable[float]) -> float:
    """Their mean, likewise: over seeds. Its bounds are not known where those of any value are not."""
    return _over(list(values), "mean", mean_defined, doubtful=0)


def _over(values: list[float], what: str, plain: Any, *, doubtful: float) -> float:
    """doubtful: the share of values without bounds from which on the result has none."""
    value: float = plain(values)
    known = [one for one in values if not math.isnan(one)]
    if len(known) == 1:
        return known[0]
    if not known or not all(isinstance(one, Measured) for one in known):
        return value
    import numpy as np

    drawn = np.array([one.draws for one in known])  # type: ignore[attr-defined]
    drawn = np.where(np.isfinite(drawn), drawn, np.nan)  # a draw without gap is undefined, and left out of medians
    whole = np.isfinite(drawn).all()
    function = getattr(np, what if whole else f"nan{what}")
    with np.errstate(invalid="ignore"):
        draws = function(drawn, axis=0) if whole else _quietly(function, drawn)
    unknown = sum(one.doubtful for one in known)  # type: ignore[attr-defined]
    return Measured(value, draws, doubtful=unknown > 0 and unknown >= doubtful * len(known))


def _quietly(function: Any, drawn: Any) -> Any:
    """Without a warning where a draw has no value at all."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(drawn, axis=0)


def with_bounds(row: dict[str, Any]) -> dict[str, Any]:
    """The row with two columns more for each value that has draws: ``accuracy_examples_low``, and so on.

    Other runs' accuracies that stand in it (``weak``, ``ceiling``) have theirs in rows of their own.
    """
    found: dict[str, Any] = {}
    for name, value in row.items():
        if name not in ("weak", "ceiling"):
            found |= bounds_of(name, value)
    return row | found


def bounds_of(name: str, value: object) -> dict[str, float]:
    """The two columns of a value by its name; none where it has no draws."""
    if not isinstance(value, Measured):
        return {}
    return dict(zip((name + LOW, name + HIGH), value.bounds(), strict=True))
