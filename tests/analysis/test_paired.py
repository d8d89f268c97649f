"""The bootstrap over test examples covers, is paired, follows into PGRs and medians, and stops at gaps within noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from w2s.analysis import paired
from w2s.analysis.intervals import CLEAR, binomial_error
from w2s.analysis.paired import HIGH, LOW, Measured
from w2s.analysis.pgr import pgr

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


def measured(hits: list[list[bool]], names: list[str]) -> tuple[Measured, Measured, Measured]:
    weak, student, ceiling = (paired.share(names, one) for one in hits)
    return weak, student, ceiling


def recovered(weak: Measured, student: Measured, ceiling: Measured) -> float:
    return paired.recovered(pgr(weak, student, ceiling), weak, student, ceiling)


@pytest.mark.slow
def test_intervals_cover_the_truth_as_often_as_they_say() -> None:
    rng = np.random.default_rng(1)
    truth = (STUDENT - WEAK) / (CEILING - WEAK)
    covered = {"accuracy": 0, "pgr": 0}
    for world in range(WORLDS):
        weak, student, ceiling = measured(answered(rng), ids(world))
        low, high = student.bounds()
        covered["accuracy"] += low <= STUDENT <= high
        found = recovered(weak, student, ceiling)
        assert isinstance(found, Measured)
        low, high = found.bounds()
        covered["pgr"] += low <= truth <= high
    assert all(0.90 <= count / WORLDS <= 0.99 for count in covered.values()), covered


def test_pairing_narrows_what_runs_share() -> None:
    """The same answers taken as if they were of other examples, which draws then treat as independent."""
    hits = answered(np.random.default_rng(2), shared=0.95)
    together = measured(hits, ids(0))
    apart = [paired.share(ids(number), one) for number, one in enumerate(hits)]

    def width(one: float) -> float:
        assert isinstance(one, Measured)
        low, high = one.bounds()
        return high - low

    assert width(recovered(*together)) < 0.8 * width(recovered(*apart))
    assert paired.gap_error(together[0], together[2]) < 0.8 * paired.gap_error(apart[0], apart[2])
    independent = math.hypot(*(binomial_error(one, EXAMPLES) for one in (apart[0], apart[2])))
    assert paired.gap_error(apart[0], apart[2]) == pytest.approx(independent, rel=0.1)


def test_a_student_that_errs_as_its_ceiling_does_recovers_all_for_sure() -> None:
    weak, _, ceiling = answered(np.random.default_rng(3))
    found = recovered(*measured([weak, ceiling, ceiling], ids(0)))
    assert isinstance(found, Measured)
    assert found.bounds() == (1, 1)


def test_draws_follow_ids_in_any_order_and_are_the_same_every_time() -> None:
    hits = answered(np.random.default_rng(4))[0]
    one = paired.share(ids(0), hits)
    other = paired.share(ids(0)[::-1], hits[::-1])
    assert one == other == sum(hits) / EXAMPLES
    assert (one.draws == other.draws).all()
    assert one.draws.mean() == pytest.approx(one, abs=0.01)
    assert (one.draws != paired.share(ids(1), hits).draws).any()
    paired._weights.cache_clear()
    assert (one.draws == paired.share(ids(0), hits).draws).all()


def test_a_gap_within_noise_leaves_a_pgr_without_bounds() -> None:
    names = ids(0)
    weak = paired.share(names, [number < 90 for number in range(EXAMPLES)])
    student = paired.share(names, [number < 92 for number in range(EXAMPLES)])
    clear = paired.share(names, [number < 130 for number in range(EXAMPLES)])
    noise = paired.share(names, [3 <= number < 95 for number in range(EXAMPLES)])
    assert noise - weak < CLEAR * paired.gap_error(weak, noise)
    for ceiling, known in ((clear, True), (noise, False)):
        found = recovered(weak, student, ceiling)
        assert isinstance(found, Measured)
        assert found == pytest.approx((student - weak) / (ceiling - weak))
        assert all(math.isnan(bound) != known for bound in found.bounds())


def test_an_undefined_pgr_has_no_bounds() -> None:
    weak, student, ceiling = measured(answered(np.random.default_rng(5)), ids(0))
    found = recovered(ceiling, student, weak)
    assert math.isnan(found)
    assert isinstance(found, Measured)
    assert all(math.isnan(bound) for bound in found.bounds())


def test_without_draws_of_all_its_parts_a_pgr_is_a_plain_number() -> None:
    weak, student, _ = measured(answered(np.random.default_rng(6)), ids(0))
    assert not isinstance(paired.recovered(0.5, weak, student, 0.9), Measured)
    assert math.isnan(paired.gap_error(weak, 0.9))


@pytest.mark.parametrize("right", [True, False])
def test_all_right_or_wrong_is_not_certainty(right: bool) -> None:
    low, high = paired.share(ids(0), [right] * EXAMPLES).bounds()
    assert 0 < high - low < 0.05
    assert (high == 1) == right
    assert (low == 0) != right


def test_nor_are_medians_and_means_of_tasks_that_are_all_right() -> None:
    tasks = [paired.share(ids(world), [True] * EXAMPLES) for world in range(3)]
    (low, high), (of_mean, top) = (found.bounds() for found in (tasks[0], paired.mean(tasks)))  # type: ignore[attr-defined]
    assert low < of_mean < top <= high == 1
    assert top - of_mean > 0.3 * (high - low)
    assert paired.median(tasks).bounds()[0] < 0.999  # type: ignore[attr-defined]
    assert paired.mean([tasks[0], math.nan]).bounds() == (low, high)  # type: ignore[attr-defined]


def test_medians_and_means_draw_what_their_parts_do() -> None:
    shares = [paired.share(ids(world), answered(np.random.default_rng(world))[1]) for world in range(3)]
    middle = paired.median([*shares, math.nan])
    assert isinstance(middle, Measured)
    assert middle == sorted(shares)[1]
    assert (middle.draws == np.median([one.draws for one in shares], axis=0)).all()
    same = paired.mean([shares[0], shares[0]])  # two seeds on the same examples are no surer than one
    assert isinstance(same, Measured)
    assert same.bounds() == shares[0].bounds()
    apart = paired.mean(shares)
    assert isinstance(apart, Measured)
    assert apart.draws.std() < 0.8 * shares[0].draws.std()
    assert not isinstance(paired.median([shares[0], 0.5]), Measured)
    assert math.isnan(paired.median([math.nan]))


def test_columns_of_bounds_stand_beside_what_is_measured() -> None:
    one = paired.share(ids(0), answered(np.random.default_rng(7))[0])
    row = paired.with_bounds({"task": "a", "accuracy": one, "weak": one, "pgr": 0.5})
    assert (row["accuracy" + LOW], row["accuracy" + HIGH]) == one.bounds()
    assert {name for name in row if name.endswith((LOW, HIGH))} == {"accuracy" + LOW, "accuracy" + HIGH}


def test_a_share_of_some_examples_is_of_these_in_every_draw_of_all() -> None:
    hits, among, _ = answered(np.random.default_rng(8))
    some, others = paired.share(ids(0), hits, among), paired.share(ids(0), hits, [not one for one in among])
    everything, part = paired.share(ids(0), hits), paired.share(ids(0), among)
    assert some == pytest.approx(np.mean([hit for hit, counts in zip(hits, among, strict=True) if counts]))
    together = part.draws * some.draws + (1 - part.draws) * others.draws
    assert together == pytest.approx(everything.draws, abs=1e-5)
    expected = binomial_error(some, sum(among))
    assert some.draws.std() == pytest.approx(expected, rel=0.1)


def test_a_share_of_no_example_is_undefined_and_so_are_its_bounds() -> None:
    for nothing in (paired.share([], []), paired.share(ids(0), [True] * EXAMPLES, [False] * EXAMPLES)):
        assert math.isnan(nothing)
        assert all(math.isnan(bound) for bound in nothing.bounds())
    some = paired.share(ids(0), answered(np.random.default_rng(9))[0])
    assert paired.median([some, paired.share([], [])]) == some


def test_a_count_is_as_sure_as_the_same_share() -> None:
    for seed in range(3):
        known = paired.share(ids(seed), answered(np.random.default_rng(seed))[1])
        counted = paired.of_count(float(known), EXAMPLES)
        assert counted == known
        assert counted.bounds() == pytest.approx(known.bounds(), abs=0.02)
