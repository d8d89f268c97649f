"""What the chess figures and the chess parts of Figures 2 and 3 show; how many runs they need at the paper's grid."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgba

from tests.figures.conftest import CHESS, Shape, numbers
from tests.figures.fake import Fake, halfway
from tests.figures.seen import draw, footer, lines, xs, ys
from w2s import figures
from w2s.errors import LackingError
from w2s.experiments.plan import Plan
from w2s.figures import style


def grid(plan: Plan, name: str) -> int:
    return len(figures.module(name).needs(plan))


@pytest.mark.parametrize("name", CHESS)
def test_without_a_chess_section_the_experiment_lacks_what_the_figure_shows(name: str, shape: Shape) -> None:
    with pytest.raises(LackingError, match="no chess section"):
        figures.module(name).needs(shape())


def test_runs_at_the_papers_grid(shape: Shape) -> None:
    """8 ground truth, 35 naive, 9 longer chains (15 squares, 6 of them naive students), 8 prompted models."""
    plan = shape(rungs=8, seeds=1, chess=True)
    assert grid(plan, "fig4") == 8 + 35 + 9
    assert grid(plan, "fig15") == 8 + 35 + 9 + 8
    assert grid(plan, "fig14") == 1
    without = shape(rungs=8, seeds=1)
    assert grid(plan, "fig3") - grid(without, "fig3") == 8 + 35
    ten = shape(rungs=10, seeds=1, chess=True)  # Appendix C.1 has two smaller sizes more
    assert grid(ten, "fig19") == 10 * (1 + 6 + 1)
    assert grid(ten, "fig20") == 10 * (2 + 2 + 1)


@pytest.mark.parametrize("name", ["fig2", "fig3", *CHESS])
def test_chess_figures_read_exactly_what_they_need(name: str, shape: Shape) -> None:
    plan = shape(rungs=6, without_truth=2, chess=True)
    results = Fake(halfway(plan))
    figures.numbers(name, plan, results)
    assert results.read == {run.key for run in figures.module(name).needs(plan)}


# -- Figures 2 and 3 -----------------------------------------------------------------------------------------


def test_figure_2s_chess_panel_has_the_chain_that_ends_at_the_student(shape: Shape) -> None:
    figure = draw("fig2", shape(chess=True))
    _, panel = figure.axes
    assert [round(bar.get_height(), 6) for bar in panel.patches] == [60, 75, 80, 90]  # type: ignore[attr-defined]
    assert panel.get_title() == "chess: puzzles, c16 to c40"
    assert "bootstrapping" in panel.get_xticklabels()[2].get_text()
    assert panel.get_ylim()[0] == 0
    assert "the chain ends" not in footer(figure)


def test_figure_2_says_where_a_chain_ends_before_the_student(shape: Shape) -> None:
    """As in the paper, whose best bar is not of the model of the bars beside it."""
    plan = shape(rungs=8, chess=True)
    figure = draw("fig2", plan)
    assert "the chain ends at c48; its PGR uses the ceiling of that rung" in footer(figure)
    runs = len(figures.module("fig2").needs(plan))
    assert f"{runs} runs" in footer(figure)


def test_figure_2_has_no_best_bar_where_no_chain_is_longer_than_naive(shape: Shape) -> None:
    _, panel = draw("fig2", shape(rungs=2, chess=True)).axes
    assert len(panel.patches) == 3


def test_figure_2s_overlay_outlines_the_papers_chess_bars_too(shape: Shape) -> None:
    _, panel = draw("fig2", shape(chess=True, overlay_paper=True)).axes
    outlines = [bar.get_height() for bar in panel.patches if not bar.get_fill()]  # type: ignore[attr-defined]
    assert outlines == [28.84, 35.52, 45.51, 84.47]


def test_figure_3_has_a_column_of_single_values_for_chess(shape: Shape) -> None:
    plan = shape(chess=True)
    figure = draw("fig3", plan)
    assert [panel.get_title() for panel in figure.axes] == ["NLP", "chess", "", ""]
    accuracy, recovered = figure.axes[1], figure.axes[3]
    assert "median" not in accuracy.get_ylabel()
    table = numbers("fig3", plan)
    colour = style.supervisor_colours(table[table["setting"] == "chess"])["c16"]
    assert ys(lines(accuracy, colour, "o")[0]) == pytest.approx([60, 65, 70, 75])
    assert ys(lines(recovered, colour, "o")[0]) == pytest.approx([50, 50, 50])
    said = [text.get_text() for text in figure.legends[0].texts]
    assert "NLP supervisor w16" in said
    assert "chess supervisor c16" in said


def test_bands_are_named_by_setting_where_they_differ(shape: Shape) -> None:
    said = footer(draw("fig3", shape(tasks=6, chess=True, spread="tasks")))
    assert "band: 95% bootstrap interval over tasks (NLP), lowest to highest seed (chess)" in said


# -- Figures 4 and 15 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "number"), [("fig4", 0), ("fig15", 1)])
def test_chains_begin_at_the_naive_same_size_student(name: str, number: int, shape: Shape) -> None:
    plan = shape(chess=True)
    panel = draw(name, plan).axes[number]
    colour = style.supervisor_colours(numbers(name, plan))["c16"]
    (chain,) = lines(panel, colour, "s")
    assert ys(chain) == pytest.approx([60, 70, 80])


def test_figure_4_has_dotted_naive_students_and_pgr_from_the_first_rung(shape: Shape) -> None:
    plan = shape(chess=True)
    accuracy, recovered = draw("fig4", plan).axes
    colour = style.supervisor_colours(numbers("fig4", plan))["c16"]
    (naive,), (chain,) = lines(recovered, colour, "o"), lines(recovered, colour, "s")
    assert naive.get_linestyle() == ":"
    assert chain.get_linewidth() > naive.get_linewidth()
    assert ys(naive) == pytest.approx([50, 50, 50])
    assert ys(chain) == pytest.approx([50, 200 / 3])
    assert ys(lines(accuracy, style.TRUTH_COLOUR, "o")[0]) == pytest.approx([60, 70, 80, 90])


def test_two_chains_of_one_supervisor_are_two_lines(shape: Shape) -> None:
    plan = shape(chess=True)
    table = numbers("fig4", plan)
    other = table[table["chain"] == "c16 > c32 > c40"].assign(chain="c16 > c24 > c40", accuracy=0.7)
    panel = draw("fig4", plan, pd.concat([table, other])).axes[0]
    colour = style.supervisor_colours(table)["c16"]
    assert len(lines(panel, colour, "s")) == 2


def test_figure_4_says_where_bootstrapping_is_naive_finetuning(shape: Shape) -> None:
    assert "no chain is longer than two rungs" in footer(draw("fig4", shape(rungs=2, chess=True)))
    assert "no chain is longer" not in footer(draw("fig4", shape(chess=True)))


def test_figure_15_has_zero_shot_in_both_accuracy_panels_and_agreement_with_the_supervisor(shape: Shape) -> None:
    plan = shape(chess=True)
    figure = draw("fig15", plan)
    naive, chains, agreement = figure.axes
    for panel in (naive, chains):
        (prompted,) = lines(panel, style.TRUTH_COLOUR, "x")
        assert ys(prompted) == pytest.approx([40, 50, 60, 70])
    assert not lines(naive, style.supervisor_colours(numbers("fig15", plan))["c16"], "s")
    colour = style.supervisor_colours(numbers("fig15", plan))["c16"]
    assert ys(lines(agreement, colour, "o")[0]) == pytest.approx([100, 95, 90, 85])
    assert "zero-shot completions that are legal moves: 70 to 85%" in footer(figure)


@pytest.mark.parametrize("name", ["fig4", "fig15"])
def test_the_papers_chess_curves_lie_under_ours_where_compute_overlaps(name: str, shape: Shape) -> None:
    plan = shape(chess=True, overlay_paper=True, gpt4_compute=1e13)
    figure = draw(name, plan)
    faint = [line for line in figure.axes[0].lines if line.get_alpha() == 0.35]
    assert len(faint) == (1 + 7 + 6 if name == "fig4" else 1 + 7 + 1)
    assert "faint curves: the paper's results" in footer(figure)
    assert "the paper's curves start at 1.8e+18 FLOP" in footer(draw(name, shape(chess=True, overlay_paper=True)))


# -- Figure 14 -----------------------------------------------------------------------------------------------


def test_figure_14_takes_the_test_puzzles_nearest_to_the_papers(shape: Shape) -> None:
    table = numbers("fig14", shape(chess=True))
    assert list(table["puzzle"]) == ["d", "b"]
    assert list(table["rating"]) == [710, 2300]


def test_figure_14_draws_every_piece_and_prints_prompt_and_label(shape: Shape) -> None:
    figure = draw("fig14", shape(chess=True))
    easy, hard, below, _ = figure.axes
    pieces = [text for text in hard.texts if text.get_text() in "\u265a\u265b\u265c\u265d\u265e\u265f"]
    assert len(pieces) == 7
    rook = [text.get_position() for text in pieces if text.get_text() == "\u265c"]
    assert sorted(round(x) for x, _ in rook) == [0, 8]  # a1 and h1: 0.5 and 7.5
    assert all(y < 1 for _, y in rook)
    assert easy.get_title() == "easy: rated 710, White to move"
    assert hard.get_title() == "hard: rated 2300, Black to move"
    assert 'label:  " Qa7 a8"' in below.texts[0].get_text()


def test_figure_14_copes_without_ratings_and_with_long_prompts(shape: Shape) -> None:
    plan = shape(chess=True)
    table = numbers("fig14", plan).assign(rating=math.nan, prompt=" ".join(f"{n}. Nf3" for n in range(200)))
    figure = draw("fig14", plan, table)
    assert figure.axes[0].get_title() == "easy: not rated, White to move"
    prompt = figure.axes[2].texts[0].get_text()
    assert "199. Nf3" in prompt
    assert max(map(len, prompt.split("\n"))) <= 62


# -- Figures 19 and 20 ---------------------------------------------------------------------------------------


def test_figure_19_has_a_line_a_cutoff_the_diagonal_and_zero_shot(shape: Shape) -> None:
    plan = shape(chess=True)
    everything, hard = draw("fig19", plan).axes
    assert everything.get_xlim() == everything.get_ylim()
    by_colour = {to_hex(line.get_color()): line for line in everything.lines if line.get_marker() == "o"}
    assert list(by_colour) == ["#152952", "#34476f", "#686b71", "#958e75", "#c9b55a", "#ffe500"]
    lowest = by_colour["#152952"]
    assert list(np.asarray(lowest.get_xdata())) == pytest.approx([60, 70, 80, 90])
    assert ys(lowest) == pytest.approx([43, 53, 63, 73])
    assert ys(lines(everything, style.TRUTH_COLOUR, "x")[0]) == pytest.approx([40, 50, 60, 70])
    # Ratings 2010 and up are the last 30 of 100 puzzles: 90 right of all are 20 of these.
    (top,) = [line for line in hard.lines if to_hex(line.get_color()) == "#ffe500"]
    assert np.asarray(top.get_xdata())[-1] == pytest.approx(100 * 20 / 30)
    assert ys(top)[-1] == pytest.approx(100 * 8 / 30)


def test_figure_19_joins_its_points_from_left_to_right(shape: Shape) -> None:
    """On hard puzzles, a larger rung may be worse than a smaller one."""
    plan = shape(chess=True, seeds=1)
    table = numbers("fig19", plan)
    everything = table["method"] == "all"
    table.loc[everything, "accuracy_hard"] = table.loc[everything, "student"].map(
        {"c16": 0.3, "c24": 0.1, "c32": 0.5, "c40": 0.2}
    )
    _, hard = draw("fig19", plan, table).axes
    curves = [line for line in hard.lines if line.get_marker() in ("o", "x")]
    assert len(curves) == 7
    for line in curves:
        assert xs(line) == pytest.approx([10, 20, 30, 50])
    lowest = table[table["method"] == "below-800"].set_index("student")["accuracy_hard"] * 100
    (dark,) = [line for line in curves if to_hex(line.get_color()) == "#152952"]
    assert ys(dark) == pytest.approx(list(lowest[["c24", "c40", "c16", "c32"]]))


def test_figure_19_copes_without_hard_puzzles(shape: Shape) -> None:
    plan = shape(chess=True, seeds=1)
    table = numbers("fig19", plan).assign(accuracy_hard=math.nan, examples_hard=0)
    assert "nothing to draw" in draw("fig19", plan, table).axes[1].texts[0].get_text()


def test_figure_19s_overlay_has_the_cutoffs_that_the_paper_has(shape: Shape) -> None:
    panel = draw("fig19", shape(chess=True, overlay_paper=True)).axes[0]
    assert len([line for line in panel.lines if line.get_alpha() == 0.35]) == 7


@pytest.mark.parametrize("name", ["fig19", "fig20"])
def test_easy_to_hard_needs_subsets(name: str, shape: Shape) -> None:
    plan = shape(chess=True)
    section = plan.experiment.chess
    assert section is not None
    without = section.model_copy(update={"sizes": section.sizes.model_copy(update={"subset": None})})
    other = Plan(plan.experiment.model_copy(update={"chess": without}), plan.sources)
    with pytest.raises(LackingError, match="subset is null"):
        figures.module(name).needs(other)


def test_figure_20_has_a_panel_a_rung_in_each_block_and_the_papers_colours(shape: Shape) -> None:
    plan = shape(chess=True)
    figure = draw("fig20", plan)
    panels = [panel for panel in figure.axes if panel.axison]
    assert [panel.get_title() for panel in panels] == ["c16", "c24", "c32", "c40"] * 2
    assert [axes.texts[0].get_text() for axes in figure.axes if not axes.axison] == [
        "(a) easy: rated below 1200",
        "(b) easy: rated below 900",
    ]
    first = panels[0]
    colours = [to_hex(line.get_color()) for line in first.lines]
    assert colours == ["#92278f", "#3953a4", "#0c8140", "#231f20"]
    (every,) = lines(first, "#3953a4", "o")
    assert ys(every) == pytest.approx([100] * 12 + [0] * 7)  # 60 right ones, five puzzles a bin
    shaded = [patch.get_extents().transformed(first.transData.inverted()) for patch in first.patches]
    assert [(round(box.x0), round(box.x1)) for box in shaded] == [(600, 1200), (2000, 2500)]
    assert [to_rgba(patch.get_facecolor())[:3] for patch in first.patches] == [
        to_rgba("#0c8140")[:3],
        to_rgba("#92278f")[:3],
    ]


def test_figure_20_leaves_gaps_where_a_bin_is_empty(shape: Shape) -> None:
    plan = shape(chess=True, seeds=1)
    table = numbers("fig20", plan)
    table.loc[table["rating"] == 1250, ["accuracy", "examples"]] = [math.nan, 0]
    figure = draw("fig20", plan, table)
    (line,) = lines(next(panel for panel in figure.axes if panel.axison), "#3953a4", "o")
    at = {round(x - 50, -2) + 50: y for x, y in zip(xs(line), ys(line), strict=True)}
    assert math.isnan(at[1250])
    assert at[1150] == 100
    assert "bins of 100 with 0 to 5 puzzles" in footer(figure)


def test_figure_20_takes_other_cutoffs_where_the_papers_are_missing(shape: Shape) -> None:
    plan = shape(chess=True)
    section = plan.experiment.chess
    assert section is not None
    for easy, methods in (((700, 1000, 800), {"below-1000", "below-700"}), ((850,), {"below-850"})):
        other = Plan(
            plan.experiment.model_copy(update={"chess": section.model_copy(update={"easy": easy})}), plan.sources
        )
        needed = {run.method for run in figures.module("fig20").needs(other)}
        assert {method for method in needed if method.startswith("below")} == methods


def test_figure_20_sets_rungs_beside_the_papers_models_of_like_compute(shape: Shape) -> None:
    near = draw("fig20", shape(chess=True, overlay_paper=True, gpt4_compute=1e12))
    far = draw("fig20", shape(chess=True, overlay_paper=True))
    faint = [line for panel in near.axes for line in panel.lines if line.get_alpha() == 0.35]
    assert faint
    assert "for the model within half a decade of compute" in footer(near)
    assert not [line for panel in far.axes for line in panel.lines if line.get_alpha() == 0.35]
    assert "curves are omitted" in footer(far)
