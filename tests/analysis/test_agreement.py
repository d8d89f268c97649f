"""Agreement with the supervisor, on numbers small enough to count by hand, and as a matter of arithmetic."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s import paper
from w2s.analysis.agreement import agreement, on_test
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.pgr import accuracy

TRUTH = [1, 1, 1, 0, 0, 0, 1, 0]
SUPERVISOR = [0.9, 0.6, 0.2, 0.1, 0.8, 0.3, 0.4, 0.2]  # right on 1, 2, 4, 6, 8; wrong on 3, 5, 7
STUDENT = [0.8, 0.3, 0.1, 0.2, 0.3, 0.7, 0.2, 0.4]  # agrees on 1, 3, 4, 7, 8


def test_agreement_counted_by_hand() -> None:
    found = agreement(TRUTH, SUPERVISOR, STUDENT)
    assert found.all.value == pytest.approx(5 / 8)
    assert found.right.value == pytest.approx(3 / 5)
    assert found.wrong.value == pytest.approx(2 / 3)


def test_a_supervisor_without_mistakes_leaves_agreement_on_mistakes_undefined() -> None:
    found = agreement([1, 0], [0.9, 0.1], [0.9, 0.9])
    assert (found.all.value, found.right.value) == (0.5, 0.5)
    assert math.isnan(found.wrong.value)
    assert math.isnan(agreement([1, 0], [0.1, 0.9], [0.9, 0.9]).right.value)


def test_only_the_last_step_on_the_test_part_counts() -> None:
    found = on_test(
        {
            "part": ["test", "validation", "test", "strong"],
            "truth": [1, 1, 0, 0],
            "label": [0.9, 0.9, 0.9, 0.9],
            "probability": [0.1, 0.1, 0.1, 0.1],
            "probability_last": [0.9, 0.1, 0.1, 0.1],
        }
    )
    assert [one.value for one in found] == [0.5, 1.0, 0.0]


examples = st.lists(st.tuples(st.booleans(), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30)


@given(examples)
def test_agreements_decide_the_students_accuracy(rows: list[tuple[bool, float, float]]) -> None:
    """Of two classes, a student is right where it repeats what is right and where it does not repeat what is wrong."""
    truth, supervisor, student = ([float(row[column]) for row in rows] for column in range(3))
    found = agreement(truth, supervisor, student)
    weak = accuracy(truth, supervisor)
    right = 0 if math.isnan(found.right.value) else weak * found.right.value
    not_wrong = 0 if math.isnan(found.wrong.value) else (1 - weak) * (1 - found.wrong.value)
    assert accuracy(truth, student) == pytest.approx(right + not_wrong)
    assert found.all.value == pytest.approx(right + (1 - weak) - not_wrong)


@given(examples)
def test_full_agreement_is_the_supervisors_accuracy(rows: list[tuple[bool, float, float]]) -> None:
    """As the paper says: then PGR is 0."""
    truth, supervisor = [float(row[0]) for row in rows], [row[1] for row in rows]
    hardened = [0.99 if probability > 0.5 else 0.01 for probability in supervisor]
    assert agreement(truth, supervisor, hardened).all.value == 1
    assert accuracy(truth, hardened) == accuracy(truth, supervisor)


def draws(one: Estimate) -> np.ndarray:
    assert one.draws is not None
    return one.draws


@given(examples)
def test_an_interval_contains_its_agreement(rows: list[tuple[bool, float, float]]) -> None:
    truth, supervisor, student = ([float(row[column]) for row in rows] for column in range(3))
    for one in agreement(truth, supervisor, student):
        low, high = one.bounds
        assert math.isnan(one.value) == math.isnan(low) == math.isnan(high)
        assert math.isnan(one.value) or low - 1e-6 <= one.value <= high + 1e-6


@pytest.mark.parametrize("seed", range(10))
def test_draws_of_agreements_are_draws_of_the_same_examples(seed: int) -> None:
    """Right and wrong together are all, in every draw in which the supervisor is now right, now wrong."""
    truth, supervisor, student = np.random.default_rng(seed).integers(0, 2, (3, 40)).astype(float).tolist()
    everything, right, wrong = agreement(truth, supervisor, student)
    assert all(0 < one.value < 1 for one in (everything, right, wrong))
    weak = Estimate.share(
        range(len(truth)), [(one > 0.5) == (other > 0.5) for one, other in zip(truth, supervisor, strict=True)]
    )
    together = draws(weak) * draws(right) + (1 - draws(weak)) * draws(wrong)
    known = ~np.isnan(together)
    assert together[known] == pytest.approx(draws(everything)[known], abs=1e-5)


def test_identical_predictions_have_the_same_interval_whatever_the_order_of_examples() -> None:
    names = [f"e{number}" for number in range(len(TRUTH))]
    turned = agreement(TRUTH[::-1], SUPERVISOR[::-1], STUDENT[::-1], names[::-1])
    for one, other in zip(agreement(TRUTH, SUPERVISOR, STUDENT, names), turned, strict=True):
        assert one.value == other.value
        assert one.bounds == other.bounds


def test_fewer_examples_are_less_sure() -> None:
    right, wrong = 80, 20
    supervisor = [0.9] * right + [0.1] * wrong
    student = [one if number % 2 else 1 - one for number, one in enumerate(supervisor)]
    widths = [high - low for low, high in (one.bounds for one in agreement([1] * 100, supervisor, student))]
    assert widths[0] < widths[1] < widths[2]
    assert widths[2] / widths[1] == pytest.approx(math.sqrt(right / wrong), rel=0.2)


def numbers(file: str, quantity: str, method: str) -> dict[tuple[float | None, float], float]:
    return {
        (float(row["supervisor"]) if row["supervisor"] else None, float(row["student"])): float(row["value"])
        for row in paper.read(file)
        if row["quantity"] == quantity and row["method"] == method
    }


def test_figure_8_of_the_paper_fits_its_figures_5_and_12() -> None:
    """The same arithmetic on the paper's aggregates gives its students' accuracies, to a few points.

    Only a few: medians do not add up, and Figure 8 is without early stopping while Figure 5 is with it (whence only
    naive students, which that changes less). Right and wrong swapped would miss by tens.
    """
    truths: dict[float, list[float]] = {}
    for row in paper.read("fig12"):
        if row["method"] == "truth":
            truths.setdefault(float(row["student"]), []).append(float(row["accuracy"]))
    right, wrong = (numbers("nlp_agreement", f"agreement_{part}", "naive") for part in ("right", "wrong"))
    reached = numbers("nlp_medians", "accuracy", "naive")
    compared = 0
    for pair in right.keys() & reached.keys():
        accuracies = sorted(truths[float(pair[0] or 0)])
        weak = accuracies[len(accuracies) // 2] / 100
        implied = weak * right[pair] + (1 - weak) * (100 - wrong[pair])
        assert implied == pytest.approx(reached[pair], abs=3.5), pair
        compared += 1
    assert compared == 22
