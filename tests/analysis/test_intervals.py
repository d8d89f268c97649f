"""The bootstrap over tasks, against what can be worked out by hand."""

from __future__ import annotations

import math
from math import comb, nan

import pytest

from w2s.analysis.intervals import of_median, over_tasks


def test_tasks_that_agree_leave_no_doubt() -> None:
    assert of_median([[0.5]] * 7) == (0.5, 0.5)


def test_three_tasks_span_the_whole_interval() -> None:
    """Two of three draws hit the lowest with probability 7/27, more than 2.5%; so too the highest."""
    assert of_median([[1.0], [2.0], [3.0]]) == (1.0, 3.0)


def test_nine_tasks_follow_the_binomial() -> None:
    """The median of 9 draws is at most the k-th value if 5 of them are: Binomial(9, k/9) >= 5."""

    def at_most(k: int) -> float:
        return sum(comb(9, hits) * (k / 9) ** hits * (1 - k / 9) ** (9 - hits) for hits in range(5, 10))

    low = next(k for k in range(1, 10) if at_most(k) >= 0.025)
    high = next(k for k in range(1, 10) if at_most(k) >= 0.975)
    assert of_median([[float(value)] for value in (5, 3, 1, 9, 7, 2, 8, 4, 6)]) == (low, high) == (2, 8)


def test_the_same_numbers_give_the_same_interval() -> None:
    values = [[0.1], [0.7], [0.3], [0.9], [0.2]]
    assert of_median(values) == of_median(values)


@pytest.mark.parametrize("groups", [[], [[0.5], [0.6]], [[0.5], [nan], [0.6], [nan, nan], []]])
def test_fewer_than_three_defined_tasks_have_no_interval(groups: list[list[float]]) -> None:
    assert all(math.isnan(bound) for bound in of_median(groups))


def test_undefined_values_are_left_out() -> None:
    assert of_median([[1.0], [nan], [2.0], [nan, 3.0]]) == of_median([[1.0], [2.0], [3.0]])


def test_a_tasks_values_are_drawn_together() -> None:
    """With all of a task's pairs equal, more pairs do not make the median surer."""
    assert of_median([[1.0] * 50, [2.0] * 50, [3.0] * 50]) == (1.0, 3.0)


def test_seeds_are_averaged_within_their_task() -> None:
    seeds = [("a", 0.0), ("a", 2.0), ("b", 1.5), ("b", 2.5), ("c", 3.0), ("c", nan)]
    assert over_tasks(seeds) == of_median([[1.0], [2.0], [3.0]])
