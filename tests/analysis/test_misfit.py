"""Gain and misfit of students, where theory decides them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.figures.conftest import Shape
from tests.figures.fake import Fake, halfway
from w2s import figures
from w2s.analysis import misfit


@pytest.mark.parametrize("seed", range(5))
def test_gain_is_misfit_for_the_projection_on_a_linear_class_that_holds_the_truth(seed: int) -> None:
    """Pythagoras: truth is in the span, and the student is the point of the span next to the weak predictions."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 50).astype(float)
    span = np.column_stack([truth, rng.normal(size=(50, 4))])
    weak = rng.uniform(0, 1, 50)
    student = span @ np.linalg.lstsq(span, weak, rcond=None)[0]
    found = misfit.gain_and_misfit(truth, weak, student)
    assert found["misfit_squared"] > 0.01
    assert found["gain_squared"] == pytest.approx(found["misfit_squared"])


@pytest.mark.parametrize("seed", range(5))
def test_gain_is_at_least_misfit_for_the_projection_on_a_convex_class_that_holds_the_truth(seed: int) -> None:
    """The class: predictions at least 0.8 sure of the truth on some examples, whatever they are on others."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, 2, 50).astype(float)
    weak = rng.uniform(0, 1, 50)
    known = np.arange(50) < 25
    sure = np.where(truth > 0.5, weak.clip(0.8, 1), weak.clip(0, 0.2))
    found = misfit.gain_and_misfit(truth, weak, np.where(known, sure, weak))
    assert found["gain_squared"] > found["misfit_squared"] > 0.01
    assert found["gain_rate"] == pytest.approx(found["misfit_rate"])  # all that it changes it puts right


def test_a_student_that_repeats_its_supervisor_has_neither() -> None:
    truth, weak = np.array([1.0, 0.0, 1.0]), np.array([0.8, 0.4, 0.3])
    assert set(misfit.gain_and_misfit(truth, weak, weak).values()) == {0.0}


def test_a_row_has_the_runs_own_numbers(shape: Shape) -> None:
    """Fake: all truths are 1; supervisor and student say 0.9 where they are right and 0.1 elsewhere."""
    plan = shape(seeds=1)
    results = Fake(halfway(plan))
    rows = figures.numbers("misfit", plan, results)
    assert results.read == {run.key for run in figures.module("misfit").needs(plan)}
    assert len(rows) == 4 * len(plan.nlp.config.pairs()) * 2
    row = next(one for one in rows if (one["supervisor"], one["student"]) == ("w16", "w40"))
    assert [row[name] for name in ("weak", "accuracy", "ceiling")] == pytest.approx([0.6, 0.75, 0.9])
    assert [row["gain_rate"], row["misfit_rate"]] == pytest.approx([0.15, 0.15])
    brier = [right * 0.01 + (1 - right) * 0.81 for right in (0.6, 0.75, 0.9)]
    assert [row[f"brier_{role}"] for role in ("weak", "student", "ceiling")] == pytest.approx(brier)
    assert row["gain_squared"] == pytest.approx(brier[0] - brier[1])
    assert row["misfit_squared"] == pytest.approx(0.15 * 0.64)
    assert math.isnan(row["auroc_student"])  # of one class
    assert math.isnan(row["pgr_auroc"])


def test_without_a_ceiling_there_is_no_pgr_and_all_else(shape: Shape) -> None:
    plan = shape(rungs=4, without_truth=3)
    rows = [row for row in figures.numbers("misfit", plan, Fake(halfway(plan))) if row["student"] == "w40"]
    assert rows
    for row in rows:
        assert all(math.isnan(row[name]) for name in ("ceiling", "brier_ceiling", "auroc_ceiling", "pgr_auroc"))
        assert row["misfit_rate"] > 0
