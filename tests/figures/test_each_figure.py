"""What each figure shows: the paper's panels, lines and bars, at the values behind them."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from tests.figures.conftest import Shape, about, numbers
from tests.figures.fake import STUDENT, Fake, halfway
from tests.figures.seen import draw, xs, ys
from w2s import figures, paper
from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.analysis.pairs import TRUTH
from w2s.figures import style


def curves(panel: Axes) -> list[tuple[str, str]]:
    """(line style, marker) of the lines with markers."""
    return [(str(line.get_linestyle()), str(line.get_marker())) for line in panel.lines if line.get_marker() != "None"]


def heights(panel: Axes, *, outlined: bool = False) -> list[float]:
    """Upper ends of the bars."""
    bars = [bar for bar in panel.patches if isinstance(bar, Rectangle) and bar.get_fill() != outlined]
    return [round(bar.get_y() + bar.get_height(), 6) for bar in bars]


def titles(figure: Figure) -> list[str]:
    return [panel.get_title() for panel in figure.axes if panel.axison]


# -- Figure 2 ------------------------------------------------------------------------------------------------


def test_figure_2_has_the_four_bars_and_the_pgr(shape: Shape) -> None:
    plan = shape()
    (panel,) = draw("fig2", plan).axes
    assert heights(panel) == [60, 75, 75, 90]
    assert [to_rgba(bar.get_facecolor()) for bar in panel.patches] == [
        to_rgba(colour) for colour in ("#e6e7e8", "#62ac9c", "#7c277d", "#808285")
    ]
    assert [text.get_text() for text in panel.texts] == ["60.0", "75.0\nPGR 50%", "75.0\nPGR 50%", "90.0"]
    words = [label.get_text().replace("\n", " ") for label in panel.get_xticklabels()]
    assert words == ["weak supervisor", "student, naive", "student, confidence loss", "strong ceiling"]
    assert panel.get_title() == "NLP: boolq, w16 to w40"


def test_figure_2_takes_the_experiments_example(shape: Shape) -> None:
    plan = shape(nlp={"example": {"task": "sciq", "supervisor": "w24", "student": "w32"}})
    (panel,) = draw("fig2", plan).axes
    assert panel.get_title() == "NLP: sciq, w24 to w32"
    assert {run.task for run in figures.module("fig2").needs(plan)} == {"sciq"}


def test_figure_2s_default_student_is_the_largest_with_truth(shape: Shape) -> None:
    (panel,) = draw("fig2", shape(rungs=4, without_truth=3)).axes
    assert panel.get_title() == "NLP: boolq, w16 to w32"


def test_figure_2_without_the_confidence_loss_takes_the_best_measured_method(shape: Shape) -> None:
    mine = {
        name: {"objective": "confidence", "parameters": {"alpha_max": alpha}}
        for name, alpha in (("mine", 0.1), ("yours", 0.2))
    }
    plan = shape(methods=mine, nlp={"methods": ["naive", "mine", "yours"]})
    accuracy = halfway(plan)
    results = Fake(lambda run: accuracy(run) + 0.05 * (run.method == "yours"))
    table = pd.DataFrame(figures.numbers("fig2", plan, results))
    assert len(results.read) == 2 * (2 + 3)  # all methods are measured
    (panel,) = figures.module("fig2").draw(table, about(plan)).axes
    assert heights(panel) == [60, 75, 80, 90]
    assert panel.get_xticklabels()[2].get_text() == "student,\nyours\n(best measured)"


def test_figure_2_says_when_pgr_is_undefined_and_copes_without_ceiling(shape: Shape) -> None:
    plan = shape(rungs=4, without_truth=3, nlp={"example": {"student": "w40"}})
    (panel,) = draw("fig2", plan).axes
    assert len(panel.patches) == 3
    assert "PGR undefined" in panel.texts[1].get_text()


def test_figure_2_overlay_outlines_the_papers_bars(shape: Shape) -> None:
    (panel,) = draw("fig2", shape(overlay_paper=True)).axes
    assert heights(panel, outlined=True) == [61.95, 80.4, 87.53, 93.97]


# -- Figures 3 and 5 -----------------------------------------------------------------------------------------


def test_numbers_of_figure_5(shape: Shape) -> None:
    plan = shape()
    table = numbers("fig5", plan)
    middle = table[table["task"] == MEDIAN]
    truth = middle[middle["method"] == TRUTH].groupby("student")["accuracy"].first()
    assert truth.to_dict() == {"w16": 0.6, "w24": 0.7, "w32": 0.8, "w40": 0.9}
    naive = middle[(middle["method"] == "naive") & (middle["supervisor"] == "w16")].set_index(["seed", "student"])
    assert naive.loc[(0, "w40"), "pgr"] == pytest.approx(0.5)
    assert naive["pgr"].isna().loc[(0, "w16")]  # same size: accuracy only
    each = table[~table["task"].isin([MEDIAN, INTERVAL])]
    experiment = plan.experiment
    nlp = plan.nlp.config
    pairs = len(nlp.pairs()) * len(nlp.methods)
    assert len(each) == len(nlp.tasks) * len(experiment.seeds) * (len(nlp.ladder) + pairs)
    assert len(table[table["task"] == INTERVAL]) == len(nlp.ladder) + pairs


def test_figure_5_has_the_papers_panels(shape: Shape) -> None:
    left, right = draw("fig5", shape()).axes
    assert left.get_xscale() == right.get_xscale() == "log"
    assert sorted(curves(left)) == sorted([("-", "o")] + 3 * [(":", "o"), ("-", "^")])  # ceiling, supervisors x methods
    assert "accuracy" in left.get_ylabel()
    assert "performance gap recovered" in right.get_ylabel()


def test_a_method_of_the_users_own_gets_a_line_of_its_own(shape: Shape) -> None:
    mine = {"mine": {"objective": "confidence", "parameters": {"alpha_max": 0.2}}}
    left, _ = draw("fig5", shape(methods=mine, nlp={"methods": ["naive", "confidence", "mine"]})).axes
    assert curves(left).count(("-", "s")) == 3


def test_figure_3_is_naive_and_solid_with_same_size_pairs_in_the_accuracy_panel_only(shape: Shape) -> None:
    plan = shape()
    above, below = draw("fig3", plan).axes
    assert set(curves(above)) == set(curves(below)) == {("-", "o")}
    assert len(above.lines) == 1 + 3
    weakest, colour = plan.nlp.config.ladder[0], style.supervisor_colours(numbers("fig3", plan))["w16"]
    (accuracies,) = [line for line in above.lines if line.get_color() == colour]
    (pgrs,) = [line for line in below.lines if line.get_color() == colour]
    assert min(xs(accuracies)) == pytest.approx(plan.nlp.config.compute(weakest))
    assert len(xs(accuracies)) == 4
    assert ys(pgrs) == pytest.approx([50, 50, 50])


def test_figure_3_draws_another_setting_as_another_column(shape: Shape) -> None:
    plan = shape()
    table = numbers("fig3", plan)
    figure = figures.module("fig3").draw(pd.concat([table, table.assign(setting="chess")]), about(plan))
    assert titles(figure) == ["NLP", "chess", "", ""]
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["(a)", "(b)", "(c)", "(d)"]


# -- Figures 6 and 12 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fig6", "fig12"])
def test_one_accuracy_panel_a_task_and_one_legend(name: str, shape: Shape) -> None:
    plan = shape(tasks=6, nlp={"representative": ["sciq", "boolq"]})
    expected = ["sciq", "boolq"] if name == "fig6" else plan.nlp.config.all_tasks()
    figure = draw(name, plan)
    assert titles(figure) == expected
    assert len(figure.legends) == 1
    for panel in figure.axes[: len(expected)]:
        assert sorted(curves(panel)) == sorted([("-", "o")] + 3 * [(":", "o"), ("-", "^")])


def test_figures_12_shows_tasks_that_the_medians_leave_out(shape: Shape) -> None:
    plan = shape(nlp={"tasks": ["boolq", {"name": "sciq", "medians": False}]})
    assert titles(draw("fig12", plan)) == ["boolq", "sciq"]
    assert set(numbers("fig5", plan)["task"]) == {"boolq", MEDIAN, INTERVAL}


# -- Figure 8 ------------------------------------------------------------------------------------------------


def test_figure_8_shows_agreement_at_the_last_step_same_size_included(shape: Shape) -> None:
    plan = shape()
    figure = draw("fig8", plan)
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["(a)", "(b)", "(c)"]
    for panel, agreement in zip(figure.axes, (50, 100, 0), strict=True):  # see Fake: the last step is always right
        assert sorted(curves(panel)) == sorted(3 * [(":", "o"), ("-", "^")])
        assert {value for line in panel.lines if line.get_marker() != "None" for value in ys(line)} == {agreement}
    weakest = plan.nlp.config.compute(plan.nlp.config.ladder[0])
    assert weakest in xs(figure.axes[0].lines[0])


def test_figure_8_leaves_out_what_is_undefined(shape: Shape) -> None:
    plan = shape(seeds=1)
    table = numbers("fig8", plan)
    table["agreement_wrong"] = math.nan
    figure = figures.module("fig8").draw(table, about(plan))
    assert "nothing to draw" in figure.axes[2].texts[0].get_text()


# -- Figure 13 -----------------------------------------------------------------------------------------------


def test_figure_13_draws_every_pair_darker_for_a_larger_ratio_and_every_stopping_rule(shape: Shape) -> None:
    plan = shape(tasks=3, nlp={"representative": ["sciq", "boolq"]})
    figure = draw("fig13", plan)
    assert titles(figure)[:2] == ["sciq", "boolq"]
    lines = figure.axes[0].lines
    assert len(lines) == len(plan.nlp.config.pairs())
    shades = [sum(to_rgba(line.get_color())[:3]) for line in lines]
    assert shades == sorted(shades, reverse=True)  # the largest ratio is drawn last, on top
    # The first is the weakest rung's own student.
    assert ys(lines[0]) == pytest.approx([60 + 100 * off for off in STUDENT])
    assert xs(lines[0]) == [0.5, 1, 1.5, 2]
    (bars,) = [panel for panel in figure.axes if panel.get_title(loc="left") == "(b)"]
    # Accuracy is half way when training stops on weak labels, 5 points less at the end, 10 more at the best. The gaps
    # of the six pairs are 10, 10, 10, 20, 20, 30 points: the median of 5 / gap is (5/10 + 5/20) / 2 = 37.5%.
    assert heights(bars) == pytest.approx([50 - 37.5, 50, 50 + 75])


def test_figure_13s_error_bars_follow_the_experiments_spread(shape: Shape) -> None:
    for spread, words in (("seeds", "standard error of the mean"), ("tasks", "95% bootstrap interval")):
        figure = draw("fig13", shape(spread=spread))
        assert any(f"error bars: {words}" in text.get_text().replace("\n", " ") for text in figure.texts)


# -- the paper's own numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fig3", "fig5", "fig8"])
def test_the_papers_curves_lie_under_ours_where_compute_overlaps(name: str, shape: Shape) -> None:
    plain = draw(name, shape())
    plan = shape(overlay_paper=True, gpt4_compute=1e13)
    figure = draw(name, plan)
    extra = len(figure.axes[0].lines) - len(plain.axes[0].lines)
    supervisors, methods = (5, 2) if name == "fig8" else (6, 1 if name == "fig3" else 2)
    assert extra == supervisors * methods + (name != "fig8")
    faint = [line for line in figure.axes[0].lines if line.get_alpha() == 0.35]
    assert len(faint) == extra
    others = [line for line in figure.axes[0].lines if line.get_alpha() is None]
    assert max(line.get_zorder() for line in faint) < min(line.get_zorder() for line in others)
    largest = 1e13 if name != "fig8" else 1e13 * 10**-1.64  # Figure 8 is without GPT-4
    assert max(x for line in faint for x in xs(line)) == pytest.approx(largest)
    assert any("faint curves: the paper's results" in text.get_text().replace("\n", " ") for text in figure.texts)


@pytest.mark.parametrize(("compute", "said"), [(2.1e25, "start at 1.8e+18 FLOP, beyond"), (1e3, "end at 1e+03 FLOP")])
def test_without_overlap_the_footer_says_where_the_papers_curves_are(compute: float, said: str, shape: Shape) -> None:
    plan = shape(overlay_paper=True, gpt4_compute=compute)
    figure = draw("fig3", plan)
    assert len(figure.axes[0].lines) == len(draw("fig3", shape()).axes[0].lines)
    assert any(f"the paper's curves {said}" in text.get_text().replace("\n", " ") for text in figure.texts)


def test_the_papers_bars_are_all_there() -> None:
    assert list(paper.bars(2)) == ["weak", "naive", "best", "ceiling"]
    assert paper.bars(13) == {"last": (27.25, 8.4), "weak_labels": (33.22, 3.2), "truth": (45.08, 4.0)}
