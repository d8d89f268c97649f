"""Performance gap recovered, and its aggregation from runs to cells."""

from __future__ import annotations

import math
from math import nan
from typing import Any

import numpy as np
import pytest

from tests.figures.fake import Fake, halfway
from w2s.analysis import aggregate, pairs
from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.analysis.bootstrap import written
from w2s.analysis.pgr import mean_defined, median_defined, pgr, pgr_of_draws
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan


@pytest.mark.parametrize(
    ("weak", "student", "ceiling", "expected"),
    [(0.6, 0.7, 0.8, 0.5), (0.6, 0.5, 0.8, -0.5), (0.6, 0.9, 0.8, 1.5)],
)
def test_pgr_is_not_clipped(weak: float, student: float, ceiling: float, expected: float) -> None:
    assert pgr(weak, student, ceiling) == pytest.approx(expected)


def test_pgr_is_undefined_where_the_ceiling_is_no_better_than_the_supervisor() -> None:
    assert math.isnan(pgr(0.7, 0.7, 0.7))
    assert math.isnan(pgr(0.8, 0.7, 0.7))
    assert pgr(0.8, 0.75, 0.7, keep_inverted=True) == pytest.approx(0.5)
    assert math.isnan(pgr(0.7, 0.8, 0.7, keep_inverted=True))
    assert math.isnan(pgr(0.7, 0.8, nan, keep_inverted=True))


def test_pgr_of_draws_is_the_pgr_of_each() -> None:
    accuracies = np.random.default_rng(0).integers(0, 5, (3, 200)) / 4
    weak, student, ceiling = accuracies
    assert pgr_of_draws(weak, student, ceiling) == pytest.approx([pgr(*one) for one in accuracies.T], nan_ok=True)
    beyond = pgr_of_draws(weak, student, ceiling, infinite=True)
    without_gap = ceiling <= weak
    gains = np.sign(student - weak)[without_gap]
    assert (np.isinf(beyond[without_gap]) == (gains != 0)).all()
    assert (np.sign(beyond[without_gap])[gains != 0] == gains[gains != 0]).all()


def test_medians_leave_out_and_count_what_is_undefined() -> None:
    assert median_defined([0.1, nan, 0.5, 0.3]) == (0.3, 1)
    middle, undefined = median_defined([nan, nan])
    assert math.isnan(middle)
    assert undefined == 2
    assert mean_defined([0.1, nan, 0.3]) == pytest.approx(0.2)
    assert math.isnan(mean_defined([nan]))


def row(task: str, seed: int, accuracy: float, pgr: float) -> dict[str, Any]:
    cell = {"method": "naive", "supervisor": "w8", "student": "w16", "student_compute": 2.0}
    values = {"accuracy": accuracy, "pgr": pgr, "undefined": int(math.isnan(pgr))}
    return {"setting": "nlp", "task": task, "seed": seed} | cell | values


def test_the_median_of_a_cell_is_over_tasks_for_every_seed_and_the_interval_over_both() -> None:
    rows = [row("a", 0, 0.6, 0.1), row("b", 0, 0.8, nan), row("c", 0, 0.9, 0.5), row("d", 0, 0.7, 0.4)]
    rows += [row("a", 1, 0.8, 0.3), row("b", 1, 0.8, nan), row("c", 1, 0.9, 0.7), row("d", 1, 0.7, 0.2)]
    rows += [one | {"task": one["task"] * 2} for one in rows]  # aa, bb, cc, dd
    first, second, interval = map(written, aggregate.with_aggregates(rows, ("accuracy", "pgr"))[len(rows) :])
    assert (first["task"], first["seed"], first["tasks"], first["undefined"]) == (MEDIAN, 0, 8, 2)
    assert first["accuracy"] == pytest.approx(0.75)
    assert first["pgr"] == pytest.approx(0.4)
    assert second["pgr"] == pytest.approx(0.3)
    assert interval["task"] == INTERVAL
    assert "seed" not in interval
    # Means over seeds: 0.2, undefined, 0.6, 0.3, each twice.
    assert 0.2 <= interval["pgr_low"] < 0.3 < interval["pgr_high"] <= 0.6
    assert 0.7 <= interval["accuracy_low"] < interval["accuracy_high"] <= 0.9


def test_no_interval_row_where_no_value_has_six_tasks() -> None:
    rows = [row("a", 0, 0.6, 0.1), row("b", 0, 0.8, 0.2)]
    assert [one["task"] for one in aggregate.with_aggregates(rows, ("accuracy", "pgr"))] == ["a", "b", MEDIAN]


def test_a_student_without_ceiling_has_an_accuracy_and_no_pgr(config: dict[str, Any]) -> None:
    config["nlp"]["ladder"][1]["truth"] = False
    plan = plan_of(config, "without truth")
    name = plan.nlp.config.ladder[1].name
    task = plan.nlp.config.all_tasks()[0]
    rows = [written(row) for row in pairs.compare(plan.nlp, ["naive"], Fake(halfway(plan)), [task])]
    assert name not in {one["student"] for one in rows if one["method"] == pairs.TRUTH}
    students = [one for one in rows if one["student"] == name]
    assert students
    for one in students:
        assert one["accuracy"] > 0.5
        assert math.isnan(one["pgr"])
        assert math.isnan(one["ceiling"])
        assert "undefined" not in one
    others = [one for one in rows if one["method"] != pairs.TRUTH and one not in students]
    assert all(("undefined" in one) == (one["supervisor"] != one["student"]) for one in others)


def test_one_pair_reads_its_own_ground_truth_only(smoke: Plan) -> None:
    pair = smoke.nlp.config.pairs()[2]
    task = smoke.nlp.config.all_tasks()[0]
    results = Fake(halfway(smoke))
    rows = pairs.compare(smoke.nlp, ["naive"], results, [task], only=[pair])
    assert results.read == {run.key for run in pairs.runs(smoke.nlp, ["naive"], [task], only=[pair])}
    assert len(results.read) == 3 * len(smoke.experiment.seeds)
    assert {one["student"] for one in rows} == {pair[1].name}
