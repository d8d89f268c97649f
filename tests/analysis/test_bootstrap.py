"""Bootstraps over test examples and over tasks: they cover, are paired, and follow into PGRs, medians and means."""

from __future__ import annotations

import math
from math import comb, isnan, nan

import numpy as np
import pytest

from w2s.analysis import bootstrap
from w2s.analysis.bootstrap import HIGH, LOW, Estimate, binomial_error, interval_of_median, interval_over_tasks, written
from w2s.analysis.pgr import CLEAR, pgr

EXAMPLES, WORLDS = 160, 300
WEAK, STUDENT, CEILING = 0.6, 0.75, 0.85


def ids(world: int) -> list[str]:
    return [f"{world}-{number}" for number in range(EXAMPLES)]


def answered(rng: np.random.Generator, *, shared: float = 0.7) -> list[list[bool]]:
    """Three runs on the same examples, right with their probabilities; how hard an example is they mostly share."""
    hardness = rng.standard_normal(EXAMPLES)
    found = []
    for chance in (WEAK, STUDENT, CEILING):
        own = math.sqrt(shared) * hardness + math.sqrt(1 - shared) * rng.standard_normal(EXAMPLES)
        found.append(list(own < np.quantile(np.random.default_rng(0).standard_normal(200_000), chance)))
    return found


def measured(hits: list[list[bool]], names: list[str]) -> tuple[Estimate, Estimate, Estimate]:
    weak, student, ceiling = (Estimate.share(names, one) for one in hits)
    return weak, student, ceiling


def draws(one: Estimate) -> np.ndarray:
    assert one.draws is not None
    return one.draws


def width(one: Estimate) -> float:
    low, high = one.bounds
    return high - low


def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    truth = (STUDENT - WEAK) / (CEILING - WEAK)
    covered = {"accuracy": 0, "pgr": 0}
    for world in range(WORLDS):
        weak, student, ceiling = measured(answered(rng), ids(world))
        low, high = student.bounds
        covered["accuracy"] += low <= STUDENT <= high
        found = Estimate.pgr(weak, student, ceiling)
        low, high = found.bounds
        covered["pgr"] += low <= truth <= high
    assert all(0.90 <= count / WORLDS <= 0.99 for count in covered.values()), covered


def test_pairing_narrows_what_runs_share() -> None:
    """The same answers taken as if they were of other examples, which draws then treat as independent."""
    hits = answered(np.random.default_rng(2), shared=0.95)
    together = measured(hits, ids(0))
    apart = [Estimate.share(ids(number), one) for number, one in enumerate(hits)]

    assert width(Estimate.pgr(*together)) < 0.8 * width(Estimate.pgr(*apart))
    assert together[2].difference(together[0]).error < 0.8 * apart[2].difference(apart[0]).error
    independent = math.hypot(*(binomial_error(one.value, EXAMPLES) for one in (apart[0], apart[2])))
    assert apart[2].difference(apart[0]).error == pytest.approx(independent, rel=0.1)


def test_a_student_that_errs_as_its_ceiling_does_recovers_all_for_sure() -> None:
    weak, _, ceiling = answered(np.random.default_rng(3))
    found = Estimate.pgr(*measured([weak, ceiling, ceiling], ids(0)))
    assert found.bounds == (1, 1)


def test_draws_follow_ids_in_any_order_and_are_the_same_every_time() -> None:
    hits = answered(np.random.default_rng(4))[0]
    one = Estimate.share(ids(0), hits)
    other = Estimate.share(ids(0)[::-1], hits[::-1])
    assert one.value == other.value == sum(hits) / EXAMPLES
    assert (draws(one) == draws(other)).all()
    assert draws(one).mean() == pytest.approx(one.value, abs=0.01)
    assert (draws(one) != draws(Estimate.share(ids(1), hits))).any()
    bootstrap._weights.cache_clear()
    assert (draws(one) == draws(Estimate.share(ids(0), hits))).all()


def test_a_gap_within_noise_leaves_a_pgr_without_bounds() -> None:
    names = ids(0)
    weak = Estimate.share(names, [number < 90 for number in range(EXAMPLES)])
    student = Estimate.share(names, [number < 92 for number in range(EXAMPLES)])
    clear = Estimate.share(names, [number < 130 for number in range(EXAMPLES)])
    noise = Estimate.share(names, [3 <= number < 95 for number in range(EXAMPLES)])
    assert noise.difference(weak).value < CLEAR * noise.difference(weak).error
    for ceiling, known in ((clear, True), (noise, False)):
        found = Estimate.pgr(weak, student, ceiling)
        assert found.value == pytest.approx(pgr(weak.value, student.value, ceiling.value))
        assert all(math.isnan(bound) != known for bound in found.bounds)


def test_an_undefined_pgr_has_no_bounds() -> None:
    weak, student, ceiling = measured(answered(np.random.default_rng(5)), ids(0))
    found = Estimate.pgr(ceiling, student, weak)
    assert math.isnan(found.value)
    assert all(math.isnan(bound) for bound in found.bounds)


def test_without_draws_of_all_its_parts_a_pgr_has_none() -> None:
    weak, student, _ = measured(answered(np.random.default_rng(6)), ids(0))
    found = Estimate.pgr(weak, student, Estimate(0.9))
    assert found.value == pgr(weak.value, student.value, 0.9)
    assert found.draws is None
    assert math.isnan(Estimate(0.9).difference(weak).error)


def test_bounds_of_a_pgr_count_draws_without_a_gap_and_medians_leave_them_out() -> None:
    """3% of the draws have no gap, and the student gains in all of them: the upper bound is beyond any."""
    weak, student, ceiling = np.full(1000, 0.6), np.full(1000, 0.7), np.full(1000, 0.8)
    ceiling[:30] = 0.6
    found = Estimate.pgr(Estimate(0.6, weak), Estimate(0.7, student), Estimate(0.8, ceiling))
    assert found.bounds == pytest.approx((0.5, math.inf))
    middle = draws(Estimate.median([found, found]))
    assert np.isnan(middle[:30]).all()
    assert middle[30:] == pytest.approx(0.5)


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_wrong_is_not_certainty(right: bool) -> None:
    low, high = Estimate.share(ids(0), [right] * EXAMPLES).bounds
    assert 0 < high - low < 0.05
    assert (high == 1) == right
    assert (low == 0) != right


def test_nor_are_medians_and_means_of_tasks_that_are_all_right() -> None:
    tasks = [Estimate.share(ids(world), [True] * EXAMPLES) for world in range(3)]
    (low, high), (of_mean, top) = (found.bounds for found in (tasks[0], Estimate.mean(tasks)))
    assert low < of_mean < top <= high == 1
    assert top - of_mean > 0.3 * (high - low)
    assert Estimate.median(tasks).bounds[0] < 0.999
    assert Estimate.mean([tasks[0], math.nan]).bounds == (low, high)


def test_medians_and_means_draw_what_their_parts_do() -> None:
    shares = [Estimate.share(ids(world), answered(np.random.default_rng(world))[1]) for world in range(3)]
    middle = Estimate.median([*shares, math.nan])
    assert middle.value == sorted(one.value for one in shares)[1]
    assert (draws(middle) == np.median([draws(one) for one in shares], axis=0)).all()
    same = Estimate.mean([shares[0], shares[0]])  # two seeds on the same examples are no surer than one
    assert same.bounds == shares[0].bounds
    apart = Estimate.mean(shares)
    assert apart.error < 0.8 * shares[0].error
    assert Estimate.median([shares[0], 0.5]).draws is None
    assert math.isnan(Estimate.median([math.nan]).value)


def test_columns_of_bounds_stand_beside_what_is_measured() -> None:
    one = Estimate.share(ids(0), answered(np.random.default_rng(7))[0])
    row = written({"task": "a", "accuracy": one, "legal": Estimate(0.9), "pgr": 0.5})
    assert list(row) == ["task", "accuracy", "legal", "pgr", "accuracy" + LOW, "accuracy" + HIGH]
    assert list(row.values()) == ["a", one.value, 0.9, 0.5, *one.bounds]


def test_a_share_of_some_examples_is_of_these_in_every_draw_of_all() -> None:
    hits, among, _ = answered(np.random.default_rng(8))
    some, others = Estimate.share(ids(0), hits, among), Estimate.share(ids(0), hits, [not one for one in among])
    everything, part = Estimate.share(ids(0), hits), Estimate.share(ids(0), among)
    assert some.value == pytest.approx(np.mean([hit for hit, counts in zip(hits, among, strict=True) if counts]))
    together = draws(part) * draws(some) + (1 - draws(part)) * draws(others)
    assert together == pytest.approx(draws(everything), abs=1e-5)
    assert some.error == pytest.approx(binomial_error(some.value, sum(among)), rel=0.1)


def test_a_share_of_no_example_is_undefined_and_so_are_its_bounds() -> None:
    for nothing in (Estimate.share([], []), Estimate.share(ids(0), [True] * EXAMPLES, [False] * EXAMPLES)):
        assert math.isnan(nothing.value)
        assert all(math.isnan(bound) for bound in nothing.bounds)
    some = Estimate.share(ids(0), answered(np.random.default_rng(9))[0])
    assert Estimate.median([some, Estimate.share([], [])]) is some


def test_a_count_is_as_sure_as_the_same_share() -> None:
    for seed in range(3):
        known = Estimate.share(ids(seed), answered(np.random.default_rng(seed))[1])
        counted = Estimate.of_count(known.value, EXAMPLES)
        assert counted.value == known.value
        assert counted.bounds == pytest.approx(known.bounds, abs=0.02)


# -- over tasks --------------------------------------------------------------------------------------------


def test_tasks_that_agree_leave_no_doubt() -> None:
    assert interval_of_median([[0.5]] * 7) == (0.5, 0.5)


def test_five_tasks_have_no_interval_and_six_have_one() -> None:
    """With three, a 95% interval misses the median of all tasks in 24% of cases: 1 in 4 draws has all on one side."""
    assert all(map(isnan, interval_of_median([[float(task)] for task in range(5)])))
    low, high = interval_of_median([[float(task)] for task in range(6)])
    assert 0 <= low <= 1
    assert low + high == pytest.approx(5)


def test_nine_tasks_follow_the_binomial() -> None:
    """The median of 9 draws is at most the k-th value if 5 of them are: Binomial(9, k/9) >= 5."""

    def at_most(k: int) -> float:
        return sum(comb(9, hits) * (k / 9) ** hits * (1 - k / 9) ** (9 - hits) for hits in range(5, 10))

    low = next(k for k in range(1, 10) if at_most(k) >= 0.025)
    high = next(k for k in range(1, 10) if at_most(k) >= 0.975)
    assert interval_of_median([[float(value)] for value in (5, 3, 1, 9, 7, 2, 8, 4, 6)]) == (low, high) == (2, 8)


def test_the_same_numbers_give_the_same_interval() -> None:
    values = [[0.1], [0.7], [0.3], [0.9], [0.2]]
    assert interval_of_median(values) == interval_of_median(values)


@pytest.mark.parametrize("groups", [[], [[0.5], [0.6]], [[0.5], [nan], [0.6], [nan, nan], []]])
def test_fewer_than_three_defined_tasks_have_no_interval(groups: list[list[float]]) -> None:
    assert all(math.isnan(bound) for bound in interval_of_median(groups))


def test_undefined_values_are_left_out() -> None:
    assert interval_of_median([[1.0], [nan], [2.0], [nan, 3.0]]) == interval_of_median([[1.0], [2.0], [3.0]])


def test_a_tasks_values_are_drawn_together() -> None:
    """With all of a task's pairs equal, more pairs do not make the median surer."""
    tasks = [float(task) for task in range(6)]
    assert interval_of_median([[value] * 50 for value in tasks]) == interval_of_median([[value] for value in tasks])


def test_seeds_are_averaged_within_their_task() -> None:
    seeds = [("a", 0.0), ("a", 2.0), ("b", 1.5), ("b", 2.5), ("c", 3.0), ("c", nan)]
    seeds += [("d", 4.0), ("e", 5.0), ("f", 6.0)]
    assert interval_over_tasks(seeds) == interval_of_median([[float(task)] for task in range(1, 7)])
