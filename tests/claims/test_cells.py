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


def one_task(rows: list[dict[str, Any]], examples: int | None = None) -> Cells:
    return Cells(rows, sizes={"": examples} if examples else {}, one_task=True)


def pgr(cells: Cells) -> Any:
    return cells.value("pgr", method="naive", supervisor="w1", student="w2")


# -- PGR and when it is undefined ----------------------------------------------------------------------------


def test_pgr_is_taken_of_means_over_seeds() -> None:
    rows = [student(0.7, seed=0), student(0.9, weak=0.7, ceiling=1.0, seed=1)]
    assert pgr(Cells(rows, exact=True))[0] == pytest.approx((0.8 - 0.65) / (0.95 - 0.65))


@pytest.mark.parametrize("how", [{"exact": True}, {"one_task": True}, {}])
def test_pgr_is_undefined_where_the_ceiling_is_no_better_than_the_supervisor_and_nowhere_else(how: Any) -> None:
    assert pgr(Cells([student(0.65, weak=0.6, ceiling=0.601)], **how))[0] == pytest.approx(50)
    for ceiling in (0.6, 0.59):
        assert np.isnan(pgr(Cells([student(0.65, weak=0.6, ceiling=ceiling)], **how))[0])


def test_a_pgr_within_noise_is_defined_and_decides_nothing() -> None:
    """100 examples: the gap's error is 6.8 points, so 10 points are within noise; with 10,000 they are not."""
    rows = [student(0.65, weak=0.6, ceiling=0.7, seed=seed) for seed in (0, 1)]
    noisy, clear = one_task(rows, 100), one_task(rows, 10_000)
    assert pgr(noisy)[0] == pgr(clear)[0] == pytest.approx(0.5)
    assert "the ceiling may be no better" in noisy.interval(pgr(noisy))[3]
    assert width(clear, pgr(clear)) < 0.5
    assert one_task(rows[:1], 100).counts() == (0, 1, 1)
    assert one_task(rows[:1], 10_000).counts() == (0, 0, 1)


def test_undefined_tasks_are_left_out_of_the_median_and_counted_as_those_within_noise_are() -> None:
    rows = [student(0.6 + 0.3 * share, task=f"t{number}") for number, share in enumerate((0.2, 0.4, 0.9))]
    rows += [student(0.9, weak=0.6, ceiling=0.6, task="flat"), student(0.605, weak=0.6, ceiling=0.61, task="noise")]
    cells = Cells(rows, sizes={"": 1000})
    assert pgr(cells)[0] == pytest.approx(0.45)
    assert cells.counts() == (1, 1, 5)
    assert cells.basis.endswith("; 1 of 5 PGRs undefined; 1 of 5 PGRs within noise")


def test_fewer_than_six_tasks_with_a_number_leave_it_without_an_interval() -> None:
    rows = [student(0.7 + 0.01 * number, task=f"t{number}") for number in range(6)]
    assert pgr(Cells(rows))[0] == Cells(rows).interval(pgr(Cells(rows)))[0] == pytest.approx(0.125 / 0.3)
    flat = Cells([*rows[:5], student(0.9, weak=0.6, ceiling=0.6, task="t5")])
    value, low, high, why = flat.interval(pgr(flat))
    assert value == pytest.approx(0.4)
    assert math.isnan(low)
    assert math.isnan(high)
    assert why == "an interval over tasks needs 6, and 5 of 6 have a number"
    assert decide(above(0), value, low, high, why)[0] == OPEN


# -- noise ---------------------------------------------------------------------------------------------------


def test_an_interval_over_tasks_is_that_of_the_rule_on_each_task_alone() -> None:
    rows = []
    for number in range(8):
        base = 0.6 + 0.02 * number
        rows += [
            student(base, task=f"t{number}"),
            student(base + 0.01 * number, method="confidence", task=f"t{number}"),
        ]
    cells = Cells(rows)
    gain = m.method_difference(cells, "accuracy", "confidence", "naive")
    alone = [
        m.method_difference(Cells(rows[place : place + 2], exact=True), "accuracy", "confidence", "naive")[0]
        for place in range(0, 16, 2)
    ]
    assert gain[1:] == pytest.approx(alone)
    value, low, high, why = cells.interval(gain)
    assert value == pytest.approx(0.035)
    assert (low, high, why) == (min(alone), max(alone), "")


@pytest.mark.parametrize(
    ("seeds", "examples", "why"),
    [(1, 100, "one seed"), (2, None, "the number of test examples"), (2, 10_000, "")],
)
def test_on_one_task_seeds_and_test_examples_have_to_be_known(seeds: int, examples: int | None, why: str) -> None:
    cells = one_task([student(0.75 + 0.01 * seed, seed=seed) for seed in range(seeds)], examples)
    *_, low, _, reason = cells.interval(pgr(cells))
    assert math.isnan(low) == bool(why)
    assert reason.startswith(why)
    assert bool(reason) == bool(why)


def test_an_accuracys_interval_on_one_task_is_that_of_seeds_and_of_a_share_of_its_test_examples() -> None:
    same = [student(0.75, seed=seed) for seed in (0, 1)]
    cells = one_task(same, 400)
    assert width(cells, cells.value("accuracy", method="naive")) == pytest.approx(
        2 * 1.96 * binomial_error(0.75, 400), rel=0.1
    )
    cells = one_task([student(0.75 + off, seed=seed) for seed, off in enumerate((-0.01, 0.01))], 10**8)
    expected = 2 * 12.706 * 0.02 / math.sqrt(2) / math.sqrt(2)  # Student's t with one degree of freedom
    assert width(cells, cells.value("accuracy", method="naive")) == pytest.approx(expected, rel=0.01)


def test_a_seed_without_a_number_leaves_no_interval() -> None:
    cells = one_task([student(0.75, seed=0), student(0.75, seed=1, ceiling=0.6), student(0.75, seed=2)], 10_000)
    assert cells.interval(pgr(cells))[3] == "2 of 3 seeds (and draws) have a number"


def test_what_has_no_seed_or_draw_stands_for_all() -> None:
    rows = [student(0.7 + 0.01 * draw, seed=0, draw=draw) for draw in range(3)]
    rows += [student(0.6, method="labels", seed=0), student(0.5, method="zero-shot", seed=None)]
    cells = one_task(rows, 1000)
    gain = m.method_difference(cells, "accuracy", "naive", "labels")
    assert gain[1:4] == pytest.approx([0.1, 0.11, 0.12])
    assert (cells.rests().seeds, cells.rests().draws) == ("1", "3")


def test_verdicts_rest_on_the_cells_that_are_used() -> None:
    rows = [
        student(0.7, task=f"t{task}", seed=seed, examples=100 + task) for task in range(6) for seed in range(1 + task)
    ]
    rows += [student(0.8, student="w3", student_compute=1e15, task="t0")]
    cells = Cells(rows, unit=1e-15)
    cells.value("accuracy", student="w2")
    rests = cells.rests(cells.used)
    assert (rests.tasks, rests.seeds, rests.examples) == (6, "1 to 6", 100)
    assert rests.compute == pytest.approx((-5, -3))
    assert str(rests) == "6 tasks, 1 to 6 seeds, 100 test examples, models of 10^-5.0 to 10^-3.0 of GPT-4's compute"
    assert cells.rests().compute == pytest.approx((-5, 0))


def test_examples_in_the_table_come_before_sizes() -> None:
    assert Cells([student(0.75, examples=100)], sizes={"one": 400}).rests().examples == 100


def test_a_run_moves_alike_wherever_it_stands() -> None:
    """Two students of one supervisor: its noise cancels where their distances to it are compared."""
    cells = one_task([student(0.75), student(0.75, student="w3", student_compute=1e13)], 100)
    one, other = (cells.value("weak", student=name) for name in ("w2", "w3"))
    assert (one == other).all()
    ceiling = cells.value("ceiling", student="w2")
    assert len(set(ceiling - one)) > 100


def test_the_same_table_gives_the_same_interval() -> None:
    rows = [student(0.7 + 0.01 * seed, seed=seed) for seed in range(3)]
    assert one_task(rows, 500).interval(pgr(one_task(rows, 500))) == one_task(rows, 500).interval(
        pgr(one_task(rows, 500))
    )


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
    with pytest.raises(LackingError, match=r"a student of 10\^0, and none is within half a decade"):
        m.at_compute(Cells([student(0.7)], exact=True, unit=1e-15), "naive", -5, 0)


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
    found, reason = decide(target, *interval)
    assert found == verdict
    assert bool(reason) == (verdict == OPEN)


def test_numbers_are_shown_in_their_unit() -> None:
    assert shown(0.4567, "percent") == "45.7%"
    assert shown(-0.012, "points a decade") == "-1.2 points a decade"
    assert shown(math.nan, "percent") == ""
    assert shown_target(above(0.2), "percent") == "more than 20%"
    assert shown_target(at_most(0), "points") == "at most 0 points"
    assert shown_target(near(0.5, 0.1), "percent") == "40 to 60%"


# -- runs on the same test examples ------------------------------------------------------------------------------


def width(cells: Cells, values: Any) -> float:
    _, low, high, _ = cells.interval(values)
    return high - low


def test_runs_on_the_same_examples_move_together_as_far_as_paired_errors_of_gaps_say() -> None:
    both = [student(0.75, examples=1600, method=name, seed=seed) for name in ("naive", "confidence") for seed in (0, 1)]
    apart, together = one_task(both), one_task([row | {"gap_error": 0.006} for row in both])
    error = math.hypot(binomial_error(0.6, 1600), binomial_error(0.9, 1600))
    uncorrelated = one_task([row | {"gap_error": error} for row in both])

    def gain(cells: Cells) -> float:
        return width(cells, cells.value("accuracy", method="naive") - cells.value("accuracy", method="confidence"))

    assert gain(together) < 0.7 * gain(apart)
    assert width(together, pgr(together)) < 0.9 * width(apart, pgr(apart))
    assert gain(uncorrelated) == pytest.approx(gain(apart), rel=0.1)
    for cells in (together, uncorrelated):  # one accuracy is no surer for it
        accuracy = cells.value("accuracy", method="naive")
        assert width(cells, accuracy) == pytest.approx(2 * 1.96 * binomial_error(0.75, 1600), rel=0.1)


@pytest.mark.parametrize(("error", "noisy"), [(0.01, 0), (0.03, 1)])
def test_a_gap_is_within_noise_by_its_paired_error_where_there_is_one(error: float, noisy: int) -> None:
    row = student(0.62, weak=0.6, ceiling=0.65, examples=160, gap_error=error)
    assert Cells([row]).counts() == (0, noisy, 1)
    assert Cells([{**row, "gap_error": math.nan}]).counts() == (0, 1, 1)  # taken as independent it would be noise
