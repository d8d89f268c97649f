"""What Figures 21, 22, 25, 26 and 27 show, at the values behind them."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from tests.figures.conftest import Shape, numbers
from tests.figures.fake import FLIPPED, Fake, halfway
from tests.figures.seen import draw, footer, xs, ys
from w2s import figures, paper
from w2s.experiments.plan import Plan
from w2s.figures import studies
from w2s.figures.text import tables
from w2s.graph.artifact import Run
from w2s.nlp.difficulty.analysis import ACCURACIES, POOLED, RATINGS
from w2s.nlp.errors.config import KINDS


def entries(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].texts]


def heights(panel: Axes) -> list[float]:
    return [round(float(bar.get_height()), 6) for bar in panel.patches]  # type: ignore[attr-defined]


# -- Figure 21 -----------------------------------------------------------------------------------------------


def by_cutoff(plan: Plan) -> pd.DataFrame:
    """Numbers where a student gains a point with every rung up to its own, and loses one beyond."""
    names = plan.nlp.difficulty.cutoffs

    def accuracy(run: Run) -> float:
        own, cutoff = names.index(run.rung), names.index(run.method.removeprefix("up-to-"))
        return 0.6 + own / 10 - abs(own - cutoff) / 100

    return pd.DataFrame(figures.numbers("fig21", plan, Fake(accuracy)))


def test_figure_21_has_a_star_where_the_cutoff_is_the_student(shape: Shape) -> None:
    plan = shape(tasks=2, seeds=1)
    figure = draw("fig21", plan, by_cutoff(plan))
    assert [panel.get_title() for panel in figure.axes] == plan.nlp.difficulty.tasks
    panel = figure.axes[0]
    stars = [line for line in panel.lines if line.get_marker() == "*"]
    assert [round(ys(star)[0]) for star in stars] == [60, 70, 80]  # w24, w32, w40; w16 is left out
    assert len({to_hex(star.get_color()) for star in stars}) == 3
    computes = [plan.nlp.config.compute(plan.nlp.rung(name)) for name in ("w24", "w32", "w40")]
    assert [xs(star)[0] for star in stars] == pytest.approx(computes)
    assert entries(figure) == ["w24", "w32", "w40", "cutoff = student"]


def test_figure_21_breaks_its_axis_before_what_leaves_nothing_out(shape: Shape) -> None:
    plan = shape(tasks=1, seeds=1)
    (panel,) = draw("fig21", plan, by_cutoff(plan)).axes
    *powers, last = [label.get_text() for label in panel.get_xticklabels()]
    assert last == "any"
    assert len(powers) > 1
    assert all("10^" in label for label in powers)
    *rungs, beyond = [place for line in panel.lines if line.get_linestyle() == ":" for place in xs(line)][:2]
    assert max(rungs) == plan.nlp.config.compute(plan.nlp.rung("w40")) < beyond
    assert "cutoffs from left to right: w24, w32, w40, any" in footer(draw("fig21", plan, by_cutoff(plan)))
    curves = [line for line in panel.lines if line.get_marker() == "o"]
    assert {line.get_linestyle() for line in curves} == {"-", ":"}
    dotted = [line for line in curves if line.get_linestyle() == ":"]
    assert [[round(one) for one in ys(line)] for line in dotted] == [[58, 57], [69, 68], [80, 79]]
    assert all(xs(line)[1] > xs(line)[0] for line in dotted)


def test_figure_21_says_how_many_examples_are_trained_on(shape: Shape) -> None:
    plan = shape(tasks=1)
    table = by_cutoff(plan)
    assert set(table["trained_on"]) == {2}
    assert table.groupby("cutoff")["level"].first()["w24"] == 4
    assert "trained on 2 examples, the same number at every cutoff of a task" in footer(draw("fig21", plan, table))
    assert draw("fig21", plan, table).axes[0].collections  # two seeds: a band


def test_figure_21s_overlay_is_the_mean_over_the_papers_data_sets(shape: Shape) -> None:
    plan = shape(tasks=1, seeds=1, overlay_paper=True, gpt4_compute=1e16)
    figure = draw("fig21", plan, by_cutoff(plan))
    faint = [line for line in figure.axes[0].lines if line.get_alpha() is not None]
    assert len(faint) == 4
    rows = [row for row in paper.read("nlp_difficulty") if (row["student"], row["cutoff"]) == ("-5.25", "-8.8")]
    assert len(rows) == 7
    assert ys(faint[0])[0] == pytest.approx(sum(float(row["value"]) for row in rows) / 7)
    assert xs(faint[0])[0] == pytest.approx(10 ** (16 - 8.8))
    assert "means over seven data sets" in footer(figure)


# -- Figure 22 -----------------------------------------------------------------------------------------------


def test_figure_22_joins_ratings_and_difficulty_by_id(shape: Shape) -> None:
    plan = shape(tasks=2, seeds=1)
    table = numbers("fig22", plan)
    pooled = table[(table["panel"] == RATINGS) & (table["task"] == POOLED)]
    assert list(pooled["cutoff"]) == plan.nlp.difficulty.cutoffs
    assert list(pooled["examples"]) == [8, 8, 8, 2 * (52 - 12)]
    assert list(pooled["middle"]) == [1415, 1455, 1495, 1715]
    assert pooled["correlation"].iloc[0] > 0.5
    each = table[(table["panel"] == ACCURACIES)]
    assert set(each["share"]) == {30, 50, 100}


def test_figure_22_has_boxes_and_a_curve_a_share(shape: Shape) -> None:
    plan = shape(tasks=2, seeds=1)
    figure = draw("fig22", plan)
    left, right = figure.axes
    assert [label.get_text().split("\n")[0] for label in left.get_xticklabels()] == ["w24", "w32", "w40", "none"]
    assert [to_hex(line.get_color()) for line in right.lines] == ["#1f77b4", "#f57e20", "#231f20"]
    assert all(len(xs(line)) == 3 for line in right.lines)
    assert [round(value) for value in ys(right.lines[0])] == [70, 80, 90]
    assert entries(figure) == ["all", "easiest 50%", "easiest 30%"]
    assert "judge: confidence of w40, not finetuned" in footer(figure)
    assert "2 tasks" in footer(figure)  # the pooled rows are none


@pytest.mark.parametrize(("by", "said"), [("prompt", "judge: w16, prompted"), ("mine:easier", "judge: mine:easier")])
def test_figure_22_says_who_judged(shape: Shape, by: str, said: str, tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "mine.py").write_text("def easier(pairs):\n    return pairs\n")
    monkeypatch.chdir(tmp_path)
    plan = shape(tasks=1, nlp={"difficulty": {"judge": {"by": by, "rung": "w16"}}})
    assert said in footer(draw("fig22", plan))


def test_figure_22s_overlay_is_the_papers_three_curves(shape: Shape) -> None:
    plan = shape(tasks=1, seeds=1, overlay_paper=True, gpt4_compute=1e16)
    right = draw("fig22", plan).axes[1]
    faint = {to_hex(line.get_color()): ys(line) for line in right.lines if line.get_alpha() is not None}
    assert faint["#231f20"] == [65.18, 68.82, 74.73, 83.75, 87.33]
    assert faint["#1f77b4"][0] == 59.63
    assert faint["#f57e20"][-1] == 85.93


# -- Figures 25 and 26 ---------------------------------------------------------------------------------------


def test_figure_25_has_a_pair_of_unfilled_bars_a_kind(shape: Shape) -> None:
    plan = shape(tasks=2, seeds=1)
    figure = draw("fig25", plan)
    assert [panel.get_title() for panel in figure.axes] == plan.nlp.errors.tasks
    panel = figure.axes[0]
    expected = [10 * FLIPPED[kind] for kind in KINDS]  # percent of a gap of 20 points
    assert heights(panel) == [*expected, *expected]
    assert not any(bar.get_fill() for bar in panel.patches)
    assert [label.get_text().replace("\n", " ") for label in panel.get_xticklabels()] == list(
        studies.KIND_WORDS.values()
    )
    assert "supervisor w24, student w40" in footer(figure)


def test_figure_25s_overlay_is_the_mean_over_the_papers_data_sets(shape: Shape) -> None:
    panel = draw("fig25", shape(tasks=1, seeds=1, overlay_paper=True)).axes[0]
    dashed = [ys(line)[0] for line in panel.lines if line.get_linestyle() == "--"]
    assert len(dashed) == 12
    assert dashed[0] == pytest.approx((56.2 + 58.8 + 68.8) / 3, abs=0.2)


def test_figure_26_is_solid_where_the_label_is_right_and_dotted_where_it_is_wrong(shape: Shape) -> None:
    plan = shape(tasks=1, seeds=1)
    figure = draw("fig26", plan)
    assert len(figure.axes) == len(KINDS)
    for panel in figure.axes:
        assert sorted(str(line.get_linestyle()) for line in panel.lines) == ["-", "-", ":", ":"]
        for line in panel.lines:
            up = 1 if line.get_linestyle() == "-" else -1
            assert ys(line) == pytest.approx([50 + up * 10 * number for number in range(5)])
            assert xs(line) == [0, 0.5, 1, 1.5, 2]
    assert figure.axes[0].get_title() == "weak supervisor"


def test_figure_26s_overlay_has_every_kind(shape: Shape) -> None:
    figure = draw("fig26", shape(tasks=1, seeds=1, overlay_paper=True))
    for panel in figure.axes:
        faint = [line for line in panel.lines if line.get_alpha() is not None]
        assert [len(xs(line)) for line in faint] == [19] * 4


def test_the_papers_error_structure_is_whole() -> None:
    rows = paper.read("error_structure")
    assert sum(row["figure"] == "25" for row in rows) == 3 * 6 * 2
    told = {method: [float(row["pgr"]) for row in rows if (row["figure"], row["method"]) == ("27", method)]
            for method in ("naive", "confidence")}  # fmt: skip
    assert {method: round(sum(values) / len(values) / 100, 3) for method, values in told.items()} == {
        "naive": 0.002,  # the figures that the paper prints
        "confidence": 0.046,
    }
    assert len(paper.read("error_dynamics")) == 3 * 6 * 2 * 2 * 19
    assert len(paper.read("nlp_difficulty")) == 7 * 4 * 7
    assert set(studies.KIND_WORDS) == {row["kind"] for row in rows if row["kind"]} == set(KINDS)


# -- Figure 27 -----------------------------------------------------------------------------------------------


def test_figure_27_sets_what_is_told_beside_what_is_not(shape: Shape) -> None:
    plan = shape(tasks=3, seeds=1)
    accuracy = halfway(plan)
    results = Fake(lambda run: accuracy(run) - 0.08 * run.method.endswith("-told"))
    table = pd.DataFrame(figures.numbers("fig27", plan, results))
    figure = draw("fig27", plan, table)
    (panel,) = figure.axes
    assert heights(panel) == [10] * 6  # (80 - 8 - 70) of a gap of 20 points
    crosses = [ys(line)[0] for line in panel.lines if line.get_marker() == "x"]
    assert crosses == pytest.approx([50] * 6)
    assert "naive 10.0 ± 0.0, confidence 10.0 ± 0.0" in footer(figure)
    assert "label hint at the end of the text, 20 epochs" in footer(figure)
    assert set(table["agreement"]) <= {0.5}


def test_figure_27s_overlay_is_the_papers_two_means(shape: Shape) -> None:
    panel = draw("fig27", shape(tasks=2, seeds=1, overlay_paper=True)).axes[0]
    dashed = [round(ys(line)[0], 1) for line in panel.lines if line.get_linestyle() == "--"]
    assert dashed == [0.2, 4.6]


@pytest.mark.parametrize("name", ["fig21", "fig22", "fig25", "fig26", "fig27"])
def test_the_numbers_print_as_text(name: str, shape: Shape) -> None:
    said = "\n".join(tables(numbers(name, shape(tasks=2))))
    assert ("agreement_right" if name == "fig26" else "accuracy") in said
    if name in ("fig25", "fig26"):
        assert all(kind in said for kind in KINDS)
