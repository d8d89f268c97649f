"""The paper's chess figures follow from each other, by our PGR; its text says what they show."""

from __future__ import annotations

from collections import defaultdict

import pytest

from w2s import paper
from w2s.analysis.pgr import pgr

Curve = dict[float, float]  # log10 of the student's compute -> value
TOLERANCE = 0.15  # points: the accuracies are exact to 0.05


def curves(quantity: str, method: str) -> dict[float, Curve]:
    """Supervisor -> its curve."""
    found: dict[float, Curve] = defaultdict(dict)
    for row in _rows(quantity, method):
        found[float(row["supervisor"])][float(row["student"])] = float(row["value"])
    return found


def alone(method: str) -> Curve:
    """The accuracies of a method without supervisor."""
    return {float(row["student"]): float(row["value"]) for row in _rows("accuracy", method)}


def _rows(quantity: str, method: str) -> list[dict[str, str]]:
    return [row for row in paper.read("chess") if (row["quantity"], row["method"]) == (quantity, method)]


TRUTH = alone("truth")
SIZES = sorted(TRUTH)
PLOTTED = [
    (method, supervisor, student, value)
    for method in ("naive", "bootstrap")
    for supervisor, curve in curves("pgr", method).items()
    for student, value in curve.items()
]


def test_every_point_that_was_read_out_is_compared() -> None:
    assert len([one for one in PLOTTED if one[0] == "naive"]) == 27  # of 28: Figure 3e lacks -1.64 to GPT-4
    assert len([one for one in PLOTTED if one[0] == "bootstrap"]) == 14  # of 15: Figure 4b lacks -2.39 to GPT-4


@pytest.mark.parametrize(("method", "supervisor", "student", "plotted"), PLOTTED)
def test_pgr_of_single_accuracies_recomputes_the_papers_curves(
    method: str, supervisor: float, student: float, plotted: float
) -> None:
    reached = curves("accuracy", method)[supervisor][student]
    found = 100 * pgr(TRUTH[supervisor], reached, TRUTH[student])
    gap = TRUTH[student] - TRUTH[supervisor]
    assert found == pytest.approx(plotted, abs=max(TOLERANCE, 100 * 0.05 / gap))


def test_chains_skip_one_size_at_their_first_step_and_none_later() -> None:
    for supervisor, curve in curves("accuracy", "bootstrap").items():
        first = SIZES.index(supervisor)
        assert sorted(curve) == [SIZES[first], *SIZES[first + 2 : first + 5]]


def test_bootstrapping_improves_pgr_and_its_accuracy_keeps_rising() -> None:
    """Section 4.3.1; the first chain does not improve at every step, the last step of each does."""
    naive, chains = curves("accuracy", "naive"), curves("accuracy", "bootstrap")
    for supervisor, curve in chains.items():
        values = [curve[student] for student in sorted(curve)]
        assert values == sorted(values)
        assert values[0] == naive[supervisor][supervisor]
        last = max(curve)
        assert curve[last] > naive[supervisor][last]


def test_students_can_be_worse_than_their_supervisor_and_small_gaps_are_recovered_best() -> None:
    """Section 4.2: PGR near 0 for the smallest supervisor, above 40% where the gap is small."""
    naive = curves("pgr", "naive")
    assert max(naive[-7.06].values()) < 10
    for supervisor in SIZES[2:-2]:
        assert naive[supervisor][SIZES[SIZES.index(supervisor) + 1]] >= 40
        assert naive[supervisor][0.0] == min(naive[supervisor].values())


def test_figure_2_shows_gpt_2_level_to_gpt_4_and_a_chain_that_ends_before() -> None:
    bars = {bar: height for bar, (height, _) in paper.bars(2, "chess").items()}
    assert bars["weak"] == pytest.approx(TRUTH[-5.25], abs=TOLERANCE)
    assert bars["ceiling"] == pytest.approx(TRUTH[0.0], abs=TOLERANCE)
    assert bars["naive"] == pytest.approx(curves("accuracy", "naive")[-5.25][0.0], abs=TOLERANCE)
    assert bars["best"] == pytest.approx(curves("accuracy", "bootstrap")[-5.25][-1.64], abs=TOLERANCE)


def test_the_model_trained_on_all_puzzles_is_the_ground_truth_run() -> None:
    for row in paper.read("chess_easy_to_hard"):
        if row["test"] == "all" and float(row["student"]) in TRUTH:
            assert float(row["all"]) == pytest.approx(TRUTH[float(row["student"])], abs=TOLERANCE)


def test_zero_shot_is_the_same_in_figures_15_and_19() -> None:
    shown = {float(row["student"]): float(row["value"]) for row in _easy_to_hard("all", "zero-shot")}
    for student, value in alone("zero-shot").items():
        assert value == pytest.approx(shown[student], abs=0.5)


def test_easy_puzzles_elicit_more_than_a_prompt_but_not_on_hard_ones() -> None:
    """Appendix C.1."""
    gains: dict[str, list[float]] = {}
    for test in ("all", "hard"):
        easy, zero_shot = _easy_to_hard(test, "below-1300"), _easy_to_hard(test, "zero-shot")
        gains[test] = [float(one["value"]) - float(other["value"]) for one, other in zip(easy, zero_shot, strict=True)]
    assert min(gains["all"]) > 8
    larger = gains["hard"][3:]  # from -6 up; smaller ones do not know the format without training
    assert max(map(abs, larger)) < 1.5


def _easy_to_hard(test: str, method: str) -> list[dict[str, str]]:
    return [row for row in paper.read("chess_easy_to_hard") if (row["test"], row["method"]) == (test, method)]


def test_figure_20_has_nineteen_bins_of_every_model() -> None:
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in paper.read("chess_by_rating"):
        found[row["student"], row["method"]].append(float(row["rating"]))
    assert len(found) == 9 * 4
    assert all(ratings == [650.0 + 100 * number for number in range(19)] for ratings in found.values())
