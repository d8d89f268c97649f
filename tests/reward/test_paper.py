"""The paper's reward-modelling figures follow from each other, by our PGR; its text says what they show."""

from __future__ import annotations

from collections import defaultdict
from statistics import median

import pytest

from w2s import paper
from w2s.analysis.pgr import pgr

Curve = dict[float, float]  # log10 of the student's compute -> value
ERROR = 0.05  # points, of an accuracy; the gaps here are of one point and more


def curves(file: str, figure: int, quantity: str, method: str) -> dict[float | None, Curve]:
    """Supervisor (None: ground truth) -> its curve."""
    found: dict[float | None, Curve] = defaultdict(dict)
    for row in paper.read(file):
        if (row["figure"], row["quantity"], row["method"]) == (str(figure), quantity, method):
            supervisor = float(row["supervisor"]) if row["supervisor"] else None
            found[supervisor][float(row["student"])] = float(row["value"])
    return found


def generative(figure: int, quantity: str, method: str) -> dict[float | None, Curve]:
    return curves("reward_generative", figure, quantity, method)


def agrees(plotted: float, weak: float, reached: float, ceiling: float) -> bool:
    """Whether a PGR is the accuracies', as exactly as these were read out."""
    recomputed = 100 * pgr(weak, reached, ceiling)
    exact = 100 * ERROR * (1 + abs(reached - weak) / (ceiling - weak)) / (ceiling - weak)
    return abs(recomputed - plotted) <= max(0.2, exact)


def test_figure_3_is_the_pgr_of_its_single_accuracies() -> None:
    (truth,) = curves("reward", 3, "accuracy", "truth").values()
    reached, plotted = (curves("reward", 3, quantity, "naive") for quantity in ("accuracy", "pgr"))
    compared = [
        agrees(value, truth[weak], reached[weak][strong], truth[strong])
        for weak, curve in plotted.items()
        if weak is not None
        for strong, value in curve.items()
    ]
    assert compared == [True] * 22


def pgrs(figure: int, methods: tuple[str, str, str]) -> list[bool]:
    """Whether each PGR of students agrees with ground truth of supervisors and of ceilings. methods: in this order."""
    students, supervisors, ceilings = methods
    (weak,) = generative(figure, "accuracy", supervisors).values()
    (ceiling,) = generative(figure, "accuracy", ceilings).values()
    reached = generative(figure, "accuracy", students)
    return [
        agrees(value, weak[supervisor], reached[supervisor][student], ceiling[student])
        for supervisor, curve in generative(figure, "pgr", students).items()
        if supervisor is not None
        for student, value in curve.items()
    ]


@pytest.mark.parametrize("figure", [10, 17, 18])
def test_without_generative_finetuning_pgr_is_figure_3s(figure: int) -> None:
    assert pgrs(figure, ("naive", "truth", "truth")) == [True] * 16


@pytest.mark.parametrize(("figure", "supervisor"), [(10, "truth"), (17, "truth"), (18, "generative-truth")])
def test_generative_pgr_takes_the_generative_ceiling_and_the_supervisor_as_it_was(figure: int, supervisor: str) -> None:
    assert pgrs(figure, ("generative", supervisor, "generative-truth")) == [True] * 16


@pytest.mark.parametrize(("figure", "supervisor"), [(10, "generative-truth"), (17, "generative-truth"), (18, "truth")])
def test_the_other_supervisor_would_miss_the_papers_pgr(figure: int, supervisor: str) -> None:
    assert sum(pgrs(figure, ("generative", supervisor, "generative-truth"))) < 4


@pytest.mark.parametrize("figure", [10, 17])
def test_the_plain_ceiling_would_miss_it_too(figure: int) -> None:
    assert sum(pgrs(figure, ("generative", "truth", "truth"))) < 8


def test_generative_finetuning_adds_ten_to_twenty_points_in_most_pairs() -> None:
    """Section 5.2.2; early stopping on top reaches 28 to 55%."""
    plain, started = (generative(10, "pgr", method) for method in ("naive", "generative"))
    gains = [started[weak][strong] - value for weak, curve in plain.items() for strong, value in curve.items()]
    assert 10 <= median(gains) <= 20
    stopped = [value for curve in generative(17, "pgr", "generative").values() for value in curve.values()]
    assert (round(min(stopped)), round(max(stopped))) == (28, 55)


def test_figure_17_stops_students_and_not_ground_truth() -> None:
    for method in ("truth", "generative-truth"):
        (stopped,), (last,) = (generative(figure, "accuracy", method).values() for figure in (17, 10))
        assert stopped == pytest.approx(last, abs=ERROR)
    best = curves("reward_stopping", 7, "accuracy", "best in training")
    for weak, curve in generative(17, "accuracy", "naive").items():
        for strong, value in curve.items():
            if strong in best[weak]:
                assert value == pytest.approx(best[weak][strong], abs=ERROR)


def test_the_best_evaluation_of_figure_7_is_never_below_the_last() -> None:
    best, last = (curves("reward_stopping", 7, "accuracy", method) for method in ("best in training", "last step"))
    assert best.keys() == last.keys()
    for weak, curve in best.items():
        assert all(value >= last[weak][strong] - ERROR for strong, value in curve.items())


def test_figure_2_shows_generative_finetuning_beside_naive() -> None:
    bars = {bar: height for bar, (height, _) in paper.bars(2, "reward").items()}
    plain, started = (generative(10, "accuracy", method)[-7.06] for method in ("naive", "generative"))
    assert bars["weak"] == pytest.approx(generative(10, "accuracy", "truth")[None][-7.06], abs=ERROR)
    assert bars["naive"] in [pytest.approx(value, abs=ERROR) for value in plain.values()]
    assert bars["best"] in [pytest.approx(value, abs=ERROR) for value in started.values()]


def test_agreement_is_above_the_supervisors_own_accuracy() -> None:
    """Section 5.1.3."""
    (truth,) = curves("reward", 3, "accuracy", "truth").values()
    for weak, curve in curves("reward", 16, "agreement", "naive").items():
        assert weak is not None
        assert min(curve.values()) > truth[weak]
