"""A figure's table with its noise: what is undefined, what moves together, and how wide intervals are."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from w2s.analysis.bootstrap import binomial_error
from w2s.analysis.pgr import within_noise
from w2s.claims import measures as m
from w2s.claims.cells import Cells
from w2s.claims.claim import (
    FAILS,
    HOLDS,
    OPEN,
    Target,
    above,
    at_least,
    at_most,
    below,
    decide,
    near,
    shown,
    shown_target,
)
from w2s.errors import LackingError


def student(reached: float, *, weak: float = 0.6, ceiling: float = 0.9, **more: Any) -> dict[str, Any]:
    row = {"task": "one", "seed": 0, "method": "naive", "supervisor": "w1", "student": "w2"}
    compute = {"supervisor_compute": 1e10, "student_compute": 1e12}
    return row | compute | {"accuracy": reached, "weak": weak, "ceiling": ceiling} | more


def pgr(cells: Cells) -> Any:
    return cells.value("pgr", method="naive", supervisor="w1", student="w2")


# -- PGR and when it is undefined ----------------------------------------------------------------------------


def test_pgr_is_taken_of_means_over_seeds() -> None:
    rows = [student(0.7, seed=0), student(0.9, weak=0.7, ceiling=1.0, seed=1)]
    assert pgr(Cells(rows, exact=True))[0] == pytest.approx((0.8 - 0.65) / (0.95 - 0.65))


def test_errors_of_means_count_the_seeds_of_each_task() -> None:
    """A task with one seed is known half as well as one with four, whatever the other has."""
    several = [student(0.7, seed=seed, task="several") for seed in range(4)]
    cells = Cells([*several, student(0.7, task="single")], sizes={"several": 100, "single": 100})
    (cell,) = cells.matching(method="naive")
    errors = dict(zip(cells.tasks, cells._error("accuracy", cell), strict=True))
    assert errors["single"] == pytest.approx(2 * errors["several"])
    assert "1 to 4 seeds" in cells.basis


@pytest.mark.parametrize("how", [{"exact": True}, {"sizes": {"one": 100}}, {"sizes": {"one": 10**6}}, {}])
def test_pgr_is_undefined_where_the_ceiling_is_no_better_than_the_supervisor_and_nowhere_else(how: Any) -> None:
    assert pgr(Cells([student(0.65, weak=0.6, ceiling=0.601)], **how))[0] == pytest.approx(50)
    for ceiling in (0.6, 0.59):
        assert np.isnan(pgr(Cells([student(0.65, weak=0.6, ceiling=ceiling)], **how))).all()


def test_a_pgr_within_noise_is_defined_and_unsure() -> None:
    """100 examples: the gap's error is 6.8 points, so 10 points are within noise; with 10,000 they are not."""
    row = student(0.65, weak=0.6, ceiling=0.7)
    noisy, clear = Cells([row], sizes={"one": 100}), Cells([row], sizes={"one": 10_000})
    assert pgr(noisy)[0] == pgr(clear)[0] == pytest.approx(0.5)
    assert width(noisy, pgr(noisy)) > 10 * width(clear, pgr(clear))
    assert (noisy.counts(), clear.counts()) == ((0, 1, 1), (0, 0, 1))
    without_gap = noisy.value("ceiling", student="w2") <= noisy.value("weak", student="w2")
    assert without_gap.any()
    assert (np.isnan(pgr(noisy)) == without_gap).all()


def test_undefined_tasks_are_left_out_of_the_median_and_counted_as_those_within_noise_are() -> None:
    rows = [student(0.6 + 0.3 * share, task=f"t{number}") for number, share in enumerate((0.2, 0.4, 0.9))]
    rows += [student(0.9, weak=0.6, ceiling=0.6, task="flat"), student(0.605, weak=0.6, ceiling=0.61, task="noise")]
    cells = Cells(rows, sizes={"": 1000})
    assert pgr(cells)[0] == pytest.approx(0.45)
    assert cells.counts() == (1, 1, 5)
    assert cells.basis.endswith("; 1 of 5 PGRs undefined; 1 of 5 PGRs within noise")


def test_fewer_than_three_defined_tasks_leave_the_median_undefined() -> None:
    rows = [student(0.7, task="a"), student(0.8, task="b"), student(0.9, weak=0.6, ceiling=0.6, task="c")]
    cells = Cells(rows, sizes={"": 1000})
    assert cells.kind == "tasks"
    assert np.isnan(pgr(cells)).all()


# -- noise ---------------------------------------------------------------------------------------------------


def test_without_test_examples_seeds_or_tasks_there_is_no_interval() -> None:
    cells = Cells([student(0.75)])
    value, low, high = cells.interval(pgr(cells))
    assert value == pytest.approx(0.5)
    assert math.isnan(low)
    assert math.isnan(high)
    assert decide(above(0), value, low, high, cells.basis).verdict == OPEN


def test_a_value_whose_noise_is_not_known_has_no_interval_beside_others_that_have() -> None:
    rows = [student(0.75), student(0.75, task="two", method="confidence")]
    cells = Cells(rows, sizes={"one": 100})
    assert cells.kind == "runs"
    assert not math.isnan(cells.interval(cells.value("accuracy", method="naive"))[1])
    assert math.isnan(cells.interval(cells.value("accuracy", method="confidence"))[1])
    given = {"method": "naive", "student": "w2", "task": "one", "pgr": -0.2, "examples": 100}
    cells = Cells([given])
    value, low, _ = cells.interval(cells.value("pgr", method="naive"))
    assert value == -0.2
    assert math.isnan(low)


def test_an_accuracys_interval_is_that_of_a_share_of_its_test_examples() -> None:
    cells = Cells([student(0.75)], sizes={"one": 400})
    value, low, high = cells.interval(cells.value("accuracy", method="naive"))
    assert value == 0.75
    assert (high - low) / 2 == pytest.approx(1.96 * binomial_error(0.75, 400), rel=0.1)


def test_examples_in_the_table_come_before_sizes() -> None:
    assert Cells([student(0.75, examples=100)], sizes={"one": 400}).examples == 100


def test_two_seeds_are_enough_where_many_runs_tell_their_spread() -> None:
    rows = [
        student(0.7 + (0.02 if seed else -0.02), student=f"w{number}", student_compute=10.0**number, seed=seed)
        for number in range(11, 21)
        for seed in (0, 1)
    ]
    cells = Cells(rows)
    _, low, high = cells.interval(cells.value("accuracy", student="w11"))
    assert cells.kind == "runs"
    assert (high - low) / 2 == pytest.approx(1.96 * 0.02 * math.sqrt(2) / math.sqrt(2), rel=0.1)


def test_a_run_moves_alike_wherever_it_stands() -> None:
    """Two students of one supervisor: its noise cancels where their distances to it are compared."""
    rows = [student(0.75), student(0.75, student="w3", student_compute=1e13)]
    cells = Cells(rows, sizes={"one": 100})
    one, other = (cells.value("weak", student=name) for name in ("w2", "w3"))
    assert (one == other).all()
    ceiling = cells.value("ceiling", student="w2")
    assert len(set(ceiling - one)) > 100


def test_what_is_compared_is_drawn_together() -> None:
    """Tasks differ by far more than methods do; drawn together, the difference is sure."""
    rows = []
    for number in range(8):
        base = 0.5 + 0.05 * number
        rows += [student(base, task=f"t{number}"), student(base + 0.01, method="confidence", task=f"t{number}")]
    cells = Cells(rows)
    gain = m.method_difference(cells, "accuracy", "confidence", "naive")
    value, low, high = cells.interval(gain)
    assert value == pytest.approx(0.01)
    assert high - low < 1e-9
    _, low, high = cells.interval(cells.value("accuracy", method="naive"))
    assert high - low > 0.05


def test_the_same_table_gives_the_same_interval() -> None:
    rows = [student(0.6 + 0.05 * number, task=f"t{number}") for number in range(5)]
    assert Cells(rows).interval(pgr(Cells(rows))) == Cells(rows).interval(pgr(Cells(rows)))


def test_medians_and_intervals_of_the_table_are_not_taken_for_tasks() -> None:
    rows = [student(0.7), student(0.1, task="median"), student(0.1, task="interval")]
    assert Cells(rows, exact=True).tasks == ["one"]


def test_all_right_on_few_examples_is_not_certain() -> None:
    assert binomial_error(1.0, 10) > 0.05
    assert within_noise(0.1, 0.05)
    assert not within_noise(0.11, 0.05)
    assert within_noise(math.nan, 0.05)


# -- over cells ----------------------------------------------------------------------------------------------


def test_a_slope_is_per_decade_with_a_level_for_each_line() -> None:
    rows = [
        student(0.5 + 0.1 * level + 0.03 * decade, supervisor=f"s{level}", supervisor_compute=10.0**level,
                student=f"w{decade}", student_compute=10.0 ** (10 + decade))
        for level in (1, 2)
        for decade in (0, 1, 4)
    ]  # fmt: skip
    cells = Cells(rows, exact=True)
    assert cells.slope("accuracy", "student", method="naive")[0] == pytest.approx(0.03)
    assert cells.slope("accuracy", "supervisor", method="naive")[0] == pytest.approx(0.1)


def test_same_size_pairs_have_no_pgr() -> None:
    rows = [student(0.7), student(0.7, student="w1", student_compute=1e10)]
    assert Cells(rows, exact=True).pairs(method="naive") == [("w1", "w2")]


def test_what_a_table_lacks_is_said() -> None:
    cells = Cells([student(0.7)], exact=True)
    with pytest.raises(LackingError, match="no pair with a PGR for method confidence"):
        m.farthest(cells, "confidence")
    with pytest.raises(LackingError, match="no column 'agreement'"):
        m.mean_difference(cells, "naive", "agreement", "accuracy")
    with pytest.raises(LackingError, match="takes number 2"):
        m.farthest(cells, "naive", supervisor=1)


def test_the_supervisors_accuracy_follows_from_three_agreements() -> None:
    """Right on 70%; agreed with there on 90%, elsewhere on 50%: 0.7 x 0.9 + 0.3 x 0.5 in all."""
    row = {name: value for name, value in student(0.7).items() if name not in ("weak", "ceiling", "accuracy")}
    row |= {"agreement": 0.78, "agreement_right": 0.9, "agreement_wrong": 0.5}
    assert Cells([row], exact=True).value("supervisor_accuracy", method="naive")[0] == pytest.approx(0.7)


def test_easy_training_is_compared_with_prompting_rating_by_rating() -> None:
    def model(method: str, rating: int, accuracy: float) -> dict[str, Any]:
        return {"task": "puzzles", "seed": 0, "method": method, "student": "c1", "student_compute": 1e10,
                "rating": rating, "accuracy": accuracy}  # fmt: skip

    rows = [model("below-900", 650, 0.5), model("zero-shot", 650, 0.3), model("below-900", 1450, 0.2)]
    rows += [model("zero-shot", 1450, 0.1), model("below-900", 2450, 0.0), model("zero-shot", 2450, 0.9)]
    assert m.easy_gain_rated(Cells(rows, exact=True), "zero-shot", 1500)[0] == pytest.approx(0.15)


def test_medians_over_pairs_and_tasks_together_weigh_every_cell_alike() -> None:
    pgrs = {"w2": (0.1, 0.2, 0.3), "w3": (0.4, 0.5, 0.9)}
    rows = [
        student(0.6 + 0.3 * one, task=f"t{number}", student=name, stopping="last")
        for name, some in pgrs.items()
        for number, one in enumerate(some)
    ]
    assert Cells(rows, exact=True).pooled("pgr", stopping="last")[0] == pytest.approx(0.35)


# -- verdicts ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "interval", "verdict"),
    [
        (above(0), (0.1, 0.01, 0.2), HOLDS),
        (above(0), (0.1, -0.01, 0.2), OPEN),
        (above(0), (-0.1, -0.2, -0.01), FAILS),
        (above(0), (0.0, 0.0, 1e-15), FAILS),  # no difference at all
        (above(0), (0.1, 0.0, 0.2), OPEN),
        (at_least(0.5), (0.5, 0.5, 0.6), HOLDS),
        (at_most(0), (0.0, 0.0, 0.0), HOLDS),
        (below(0), (-0.1, -0.2, -0.01), HOLDS),
        (near(0.5, 0.1), (0.5, 0.42, 0.58), HOLDS),
        (near(0.5, 0.1), (0.5, 0.3, 0.7), OPEN),
        (near(0.5, 0.1), (0.9, 0.7, 1.1), FAILS),
        (Target(), (math.nan, math.nan, math.nan), OPEN),
        (Target(), (0.5, math.nan, math.nan), OPEN),
    ],
)
def test_a_claim_holds_if_its_whole_interval_does(
    target: Target, interval: tuple[float, float, float], verdict: str
) -> None:
    found = decide(target, *interval, "basis")
    assert found.verdict == verdict
    assert bool(found.reason) == (verdict == OPEN)


def test_numbers_are_shown_in_their_unit() -> None:
    assert shown(0.4567, "percent") == "45.7%"
    assert shown(-0.012, "points a decade") == "-1.2 points a decade"
    assert shown(math.nan, "percent") == ""
    assert shown_target(above(0.2), "percent") == "more than 20%"
    assert shown_target(at_most(0), "points") == "at most 0 points"
    assert shown_target(near(0.5, 0.1), "percent") == "40 to 60%"


# -- runs on the same test examples ------------------------------------------------------------------------------


def width(cells: Cells, values: Any) -> float:
    _, low, high = cells.interval(values)
    return high - low


def test_runs_on_the_same_examples_move_together_as_far_as_paired_errors_of_gaps_say() -> None:
    both = [student(0.75, examples=160, method=name) for name in ("naive", "confidence")]
    apart, together = Cells(both), Cells([row | {"gap_error": 0.02} for row in both])
    error = math.hypot(binomial_error(0.6, 160), binomial_error(0.9, 160))
    uncorrelated = Cells([row | {"gap_error": error} for row in both])
    assert apart.kind == together.kind == "runs"

    def gain(cells: Cells) -> float:
        return width(cells, cells.value("accuracy", method="naive") - cells.value("accuracy", method="confidence"))

    assert gain(together) < 0.7 * gain(apart)
    assert width(together, pgr(together)) < 0.9 * width(apart, pgr(apart))
    assert gain(uncorrelated) == pytest.approx(gain(apart), rel=0.1)
    for cells in (together, uncorrelated):  # one accuracy is no surer for it
        accuracy = cells.value("accuracy", method="naive")
        assert width(cells, accuracy) == pytest.approx(2 * 1.96 * binomial_error(0.75, 160), rel=0.1)


def test_what_seeds_add_is_independent_between_runs() -> None:
    rows = [
        student(0.75 + (0.1 if seed else -0.1), examples=10**6, method=name, seed=seed, gap_error=1e-5)
        for name in ("naive", "confidence")
        for seed in (0, 1)
    ]
    cells = Cells(rows)
    gain = cells.value("accuracy", method="naive") - cells.value("accuracy", method="confidence")
    assert width(cells, gain) == pytest.approx(
        math.sqrt(2) * width(cells, cells.value("accuracy", method="naive")), rel=0.1
    )


@pytest.mark.parametrize(("error", "noisy"), [(0.01, 0), (0.03, 1)])
def test_a_gap_is_within_noise_by_its_paired_error_where_there_is_one(error: float, noisy: int) -> None:
    row = student(0.62, weak=0.6, ceiling=0.65, examples=160, gap_error=error)
    assert Cells([row]).counts() == (0, noisy, 1)
    assert Cells([{**row, "gap_error": math.nan}]).counts() == (0, 1, 1)  # taken as independent it would be noise
