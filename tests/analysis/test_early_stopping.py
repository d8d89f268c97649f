"""Stopping rules and their summary, on histories short enough to read."""

from __future__ import annotations

import math
from math import nan, sqrt
from typing import Any

import pytest

from w2s.analysis.bootstrap import written
from w2s.analysis.early_stopping import (
    GROUND_TRUTH,
    LAST,
    WEAK_LABELS,
    compare,
    judged,
    medians,
    standard_error,
    stop,
)
from w2s.experiments.plan import Plan
from w2s.figures.stopping import progress
from w2s.graph.artifact import Run

HISTORY = [
    {"step": 1.0, "validation_labels": 0.7, "test_truth": 0.60},
    {"step": 2.0, "validation_labels": 0.9, "test_truth": 0.80},
    {"step": 3.0, "validation_labels": 0.9, "test_truth": 0.75},
    {"step": 4.0, "validation_labels": 0.8, "test_truth": 0.70},
]


@pytest.mark.parametrize(("rule", "step"), [(LAST, 4), (WEAK_LABELS, 3), (GROUND_TRUTH, 2)])
def test_where_each_rule_stops(rule: str, step: int) -> None:
    assert stop(HISTORY, rule)["step"] == step


def test_of_equally_good_evaluations_the_last_as_training_does() -> None:
    equal = [{"step": float(step), "validation_labels": 0.5, "test_truth": 0.5} for step in range(3)]
    assert stop(equal, WEAK_LABELS)["step"] == stop(equal, GROUND_TRUTH)["step"] == 2


def test_without_validation_weak_labels_are_those_of_the_test_set() -> None:
    history = [{"test_labels": labels, "test_truth": 1 - labels} for labels in (0.6, 0.9, 0.8)]
    assert stop(history, WEAK_LABELS)["test_labels"] == 0.9
    assert stop(history, GROUND_TRUTH)["test_truth"] == 0.4


def test_standard_error_of_the_mean() -> None:
    assert standard_error([1.0, 2.0, 3.0, 6.0]) == pytest.approx(sqrt((4 + 1 + 0 + 9) / 3) / 2)
    assert standard_error([1.0, nan, 3.0]) == pytest.approx(1)
    assert math.isnan(standard_error([1.0, nan]))


def row(task: str, student: str, seed: int, pgr: float, rule: str = LAST) -> dict[str, Any]:
    names = {"task": task, "supervisor": "w8", "student": student, "seed": seed, "stopping": rule}
    return names | {"pgr": pgr, "pgr_inverted_kept": pgr, "undefined": int(math.isnan(pgr))}


def test_a_cell_is_a_mean_over_seeds_and_the_bar_a_median_over_cells() -> None:
    rows = [
        *(row("a", "w16", seed, pgr) for seed, pgr in enumerate((0.1, 0.3))),  # 0.2
        *(row("a", "w32", seed, pgr) for seed, pgr in enumerate((0.4, nan))),  # 0.4
        *(row("b", "w16", seed, pgr) for seed, pgr in enumerate((0.9, 0.9))),  # 0.9
        *(row("b", "w32", seed, pgr) for seed, pgr in enumerate((nan, nan))),  # undefined
        *(row("c", "w16", seed, pgr) for seed, pgr in enumerate((0.5, 0.7))),  # 0.6
    ]
    last, weak, truth = medians(rows)
    assert (last["stopping"], weak["stopping"], truth["stopping"]) == (LAST, WEAK_LABELS, GROUND_TRUTH)
    assert last["pgr"] == pytest.approx(0.5)  # of 0.2, 0.4, 0.6, 0.9
    assert last["pgr_sem"] == pytest.approx(sqrt((0.325**2 + 0.125**2 + 0.075**2 + 0.375**2) / 3) / 2)
    assert (last["cells"], last["tasks"], last["undefined"]) == (4, 3, 3)
    assert math.isnan(last["pgr_low"])  # three tasks are too few for an interval
    assert math.isnan(weak["pgr"])


class Stories:
    """Results in which every student has the same history, and a truth run's accuracy is its rung's place."""

    def __init__(self, plan: Plan) -> None:
        self.places = [rung.name for rung in plan.nlp.config.ladder]

    def predictions(self, run: Run) -> dict[str, list[Any]]:
        assert run.labels == "truth"
        right = 6 + 2 * self.places.index(run.rung)
        return {"part": ["test"] * 10, "truth": [1] * 10, "probability": [0.9] * right + [0.1] * (10 - right)}

    def history(self, run: Run) -> list[dict[str, float]]:
        assert run.labels != "truth"
        return HISTORY

    def record(self, artifact: object) -> dict[str, Any]:
        raise AssertionError("not read")

    def examples(self, data: object) -> dict[str, list[Any]]:
        raise AssertionError("not read")


class Curves(Stories):
    """The same stories with epochs, and with or without what students answer before training."""

    def __init__(self, plan: Plan, measured: dict[str, float]) -> None:
        super().__init__(plan)
        self.measured = measured

    def history(self, run: Run) -> list[dict[str, float]]:
        return [row | {"epoch": row["step"] / 2} for row in HISTORY]

    def record(self, artifact: object) -> dict[str, Any]:
        return {"measured": self.measured}


def test_curves_begin_before_training_where_records_say_what_is_answered_then(tiny: Plan) -> None:
    of, training = tiny.nlp, tiny.nlp.config.training
    without, with_starts = (
        progress(of, "naive", Curves(tiny, measured), ["sciq"], training)
        for measured in ({}, {"test_accuracy_before": 0.55})
    )
    starts = [row for row in with_starts if row["evaluation"] == 0]
    assert [row for row in with_starts if row["evaluation"] != 0] == without
    assert len(starts) == len({(row["supervisor"], row["student"]) for row in without})
    assert all(row["accuracy"] == 0.55 and row["epoch"] == 0 for row in starts)


def test_pgr_of_each_rule_from_histories_and_truth_runs(tiny: Plan) -> None:
    """Supervisor 60%, ceiling 80%; the student 70, 75 and 80%."""
    of = tiny.nlp
    rows = [written(one) for one in compare(of, "naive", Stories(tiny), ["sciq", "sst2"], judged(of))]
    found = {(one["task"], one["stopping"]): one for one in rows}
    assert len(found) == 2 * 3
    for task in ("sciq", "sst2"):
        assert found[task, LAST]["pgr"] == pytest.approx(0.5)
        assert found[task, WEAK_LABELS]["pgr"] == pytest.approx(0.75)
        assert found[task, GROUND_TRUTH]["pgr"] == pytest.approx(1)
        assert found[task, LAST]["weak"] == pytest.approx(0.6)
        assert found[task, LAST]["ceiling"] == pytest.approx(0.8)
