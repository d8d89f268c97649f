"""What the figures of prompts and probes show, at the values behind them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from tests.figures.conftest import Shape, numbers
from tests.figures.fake import Fake, halfway
from tests.figures.seen import draw, footer, ys
from tests.figures.test_each_figure import curves, titles
from w2s import figures, paper
from w2s.errors import LackingError
from w2s.figures import style
from w2s.nlp.probing import analysis as probing
from w2s.nlp.prompting import analysis as prompting

# -- Figure 9 ------------------------------------------------------------------------------------------------


def test_figure_9_has_the_papers_curves(shape: Shape) -> None:
    left, middle, right = draw("fig9", shape()).axes
    dashed = str(figures.module("fig9").STYLES[prompting.FEW_SHOT]["linestyle"])
    assert dashed
    assert [marker for _, marker in curves(left)] == ["x", "x", "o"]  # zero-shot, 5-shot, finetuned on truth
    assert [marker for _, marker in curves(middle)] == ["x"] * (2 + 3)  # the same prompts, and three supervisors'
    assert sorted(marker for _, marker in curves(right)) == sorted("xo^" * 2)  # of two supervisors


def test_figure_9_shows_means_over_tasks_and_draws(shape: Shape) -> None:
    plan = shape()
    left, middle, _ = draw("fig9", plan).axes
    zero, few, truth = (ys(line) for line in left.lines[:3])
    assert truth == pytest.approx([60, 70, 80, 90])
    assert zero == pytest.approx([40, 50, 60, 70])
    less = 1.5  # of two draws one has three wrong answers more
    assert few == pytest.approx([60 - less, 70 - less, 80 - less, 90 - less])
    weakest = next(
        line for line in middle.lines if line.get_color() == style.supervisor_colours(numbers("fig9", plan))["w16"]
    )
    assert ys(weakest) == pytest.approx([60 - less, 65 - less, 70 - less, 75 - less])


def test_means_over_tasks_are_taken_for_each_draw_and_seed() -> None:
    row = {"method": "few-shot", "student": "b", "student_compute": 1.0, "seed": 0}
    rows = [row | {"task": task, "draw": draw, "accuracy": value} for task, draw, value in
            (("x", 0, 0.5), ("y", 0, 0.7), ("x", 1, 0.9), ("y", 1, 0.9))]  # fmt: skip
    found = prompting.means([*rows, row | {"method": "truth", "task": "x", "draw": float("nan"), "accuracy": 1.0}])
    assert [(one["method"], one["draw"], one["accuracy"]) for one in found] == [
        ("few-shot", 0, pytest.approx(0.6)),
        ("few-shot", 1, pytest.approx(0.9)),
        ("truth", 0, 1.0),
    ]


def test_figure_9_says_where_prompts_had_no_room_and_how_many_draws_there_were(shape: Shape) -> None:
    plan = shape()
    said = footer(draw("fig9", plan))
    assert "band: lowest to highest of 2 draws of examples and 2 seeds" in said
    assert "prompts that do not fit 5 examples use fewer: on average boolq 4.0" in said
    table = numbers("fig9", plan)
    table.loc[table["method"] == "few-shot", "shots"] = 5
    assert "without room" not in footer(draw("fig9", plan, table))


def test_prompts_without_examples_are_zero_shot_alone(shape: Shape) -> None:
    plan = shape(nlp={"prompting": {"shots": 0}})
    left, middle, right = draw("fig9", plan).axes
    assert [marker for _, marker in curves(left)] == ["x", "o"]
    assert [marker for _, marker in curves(middle)] == ["x"]
    assert sorted(marker for _, marker in curves(right)) == sorted("o^" * 2)


def test_figure_9_overlay_lays_the_papers_prompts_at_their_compute(shape: Shape) -> None:
    plan = shape(overlay_paper=True, gpt4_compute=1e13)
    left = draw("fig9", plan).axes[0]
    theirs = [line for line in left.lines if line.get_alpha()]
    assert [round(ys(line)[-1], 1) for line in theirs] == [71.6, 88.7, 91.1]
    assert max(float(x) for line in theirs for x in np.asarray(line.get_xdata())) == pytest.approx(1e13)


# -- Figures 11, 23 ------------------------------------------------------------------------------------------


def test_figure_11_has_the_papers_five_bars(shape: Shape) -> None:
    plan = shape()
    (panel,) = draw("fig11", plan).axes
    assert [label.get_text() for label in panel.get_yticklabels()] == list(probing.BARS)
    bars: list[Any] = list(panel.patches)
    assert [round(bar.get_x() + bar.get_width(), 6) for bar in bars] == [75, 90, 75, 90, 90]
    assert to_rgba(bars[2].get_facecolor()) == to_rgba("#62ac9c")
    assert panel.get_title() == "w16 to w40"
    assert "so there is no gap to close" in footer(draw("fig11", plan))


def test_figure_11_says_how_much_of_the_gap_is_closed(shape: Shape) -> None:
    plan = shape()
    table = numbers("fig11", plan)
    values = dict(zip(probing.BARS, (0.662, 0.72, 0.75, 0.779, 0.804), strict=True))
    table["accuracy"] = table["method"].map(values)
    of_gap = table["gap_error"].notna()
    assert of_gap.sum() == 1
    assert table.loc[of_gap, "method"].tolist() == ["ft(gt)"]
    table.loc[of_gap, "gap_error"] = 0.04
    assert "closes 70% of the gap" in footer(draw("fig11", plan, table))
    table["accuracy"] = table["method"].map(values | {"ft(weak)+lp(gt)": 0.7199})
    assert "closes 0% of the gap" in footer(draw("fig11", plan, table))  # not -0%
    table["accuracy"] = table["method"].map(values)
    table.loc[of_gap, "gap_error"] = 0.043
    assert "8.4 points, is within noise" in footer(draw("fig11", plan, table))
    assert probing.recovered(72, 78, 82) == pytest.approx(0.6)  # the paper's text


def test_figure_11_overlay_marks_the_papers_values(shape: Shape) -> None:
    (panel,) = draw("fig11", shape(overlay_paper=True)).axes
    (line,) = [line for line in panel.lines if line.get_marker() == "D"]
    assert np.asarray(line.get_xdata()).tolist() == [66.22, 71.97, 75.03, 77.92, 80.39]


def test_figure_11_needs_naive_finetuning(shape: Shape) -> None:
    with pytest.raises(LackingError, match="fig11 shows naive finetuning"):
        figures.module("fig11").needs(shape(nlp={"methods": ["confidence"]}))


def test_figure_23s_lines_begin_at_their_supervisors_own_accuracy(shape: Shape) -> None:
    plan = shape()
    figure = draw("fig23", plan)
    assert titles(figure) == plan.nlp.config.all_tasks()
    panel = figure.axes[0]
    assert [marker for _, marker in curves(panel)] == ["o"] * 4
    assert sorted(ys(line) for line in panel.lines if line.get_marker() != "None") == [
        pytest.approx([60, 65, 70, 75]),
        pytest.approx([60, 70, 80, 90]),  # truth
        pytest.approx([70, 75, 80]),
        pytest.approx([80, 85]),
    ]
    assert not any(run.labels.startswith(f"from-{run.rung}") for run in figures.module("fig23").needs(plan))


def test_figure_23s_bands_begin_at_their_supervisors_own_interval(shape: Shape) -> None:
    plan = shape(spread="examples")
    table, panel = numbers("fig23", plan), draw("fig23", plan).axes[0]
    weakest = table[(table["supervisor"] == "w16") & (table["task"] == table["task"].iloc[0])].iloc[0]
    begins = []
    for band in panel.collections:
        x, y = band.get_paths()[0].vertices.T  # type: ignore[union-attr]
        begins.append((float(y[x == x.min()].min()), float(y[x == x.min()].max())))
    expected = (100 * weakest["weak_examples_low"], 100 * weakest["weak_examples_high"])
    assert weakest["weak_examples_low"] < weakest["weak"] < weakest["weak_examples_high"]
    assert sum(begin == pytest.approx(expected) for begin in begins) == 2  # its own on truth, and its students'


# -- Figure 24 -----------------------------------------------------------------------------------------------


def test_figure_24s_lines_begin_on_their_labels_and_end_at_a_student_of_all_features(shape: Shape) -> None:
    figure = draw("fig24", shape())
    a, b, c, d, e, f = figure.axes
    black = [60, 62, 64, 66, 68]
    assert ys(a.lines[0]) == pytest.approx([*black, 70])
    assert ys(b.lines[0]) == pytest.approx([*black, 70])
    assert ys(c.lines[0]) == pytest.approx(black)
    assert ys(a.lines[1]) == pytest.approx([60, 61, 62, 63, 64, 65])
    assert ys(d.lines[1]) == pytest.approx([60, 90, 90, 90, 90, 90])
    middle = 72  # of five draws
    assert ys(b.lines[2]) == pytest.approx([62, middle])
    assert ys(f.lines[2]) == pytest.approx([62, 65])
    assert [label.get_text() for label in d.get_xticklabels()] == ["2", "4", "6", "8", "12", "all"]
    assert [label.get_text() for label in e.get_xticklabels()] == ["60%", "62%", "64%", "66%", "68%", "student"]
    assert [label.get_text() for label in f.get_xticklabels()] == ["10%", "7%", "5%", "1%", "0%", "student"]


def test_figure_24_reads_its_fits_and_how_many_examples_they_are_tested_on(shape: Shape) -> None:
    plan = shape()
    results = Fake(halfway(plan))
    figures.numbers("fig24", plan, results)
    assert results.read == {one.key for one in figures.module("fig24").needs(plan)}


def test_figure_24_overlay_lays_the_papers_lines_place_by_place(shape: Shape) -> None:
    figure = draw("fig24", shape(overlay_paper=True))
    theirs = [line for line in figure.axes[0].lines if line.get_alpha()]
    assert ys(theirs[0]) == pytest.approx([57.62, 70.0, 75.77, 80.27, 84.5, 88.67])
    assert ys(theirs[1]) == pytest.approx([57.62, 59.38, 60.15, 59.03, 59.5, 58.62])
    agreeing = [line for line in figure.axes[3].lines if line.get_alpha()]
    assert ys(agreeing[1])[:2] == pytest.approx([57.62, 92.88])


def test_figure_24_of_a_rung_with_too_few_features_is_lacking(shape: Shape) -> None:
    plan = shape(nlp={"probing": {"errors": {"rung": "w16", "features": [4, 16], "noised": 16}}})
    with pytest.raises(LackingError, match=r"fig24: nlp\.probing\.errors\.noised is 16, and w16 has 16 features"):
        figures.module("fig24").needs(plan)
    assert "errors" not in {run.stage.name for run in plan.everything()}  # the others are still there


def test_the_papers_own_mixed_errors_without_noise_are_its_simulable_ones() -> None:
    """A check of what was read out: 80.88 and 93.6 stand in both panels."""
    values = {tuple(row.values())[:4]: row["value"] for row in paper.read("simulable")}
    for quantity in ("accuracy", "agreement"):
        assert values["mixed", quantity, "0", "full"] == values["simulable", quantity, "300", "full"]


# -- Table 2 -------------------------------------------------------------------------------------------------


def test_table_2_has_the_papers_prompts_first_and_says_whose_the_others_are(shape: Shape) -> None:
    plan = shape(tasks=22, nlp={"prompting": {"texts": {"sst2": "Say 1 for praise, 0 for blame."}}})
    table = numbers("table2", plan)
    assert list(table["title"][:3]) == ["CosmosQA", "ETHICS [Deontology]", "ETHICS [Justice]"]
    assert table["whose"].value_counts().to_dict() == {"paper": 7, "ours": 14, "config": 1}
    said = " ".join(text.get_text() for text in draw("table2", plan).axes[0].texts)
    assert "There is a science knowledge question, followed by an answer. Respond with 1 if the answer is" in said
    assert "Say 1 for praise, 0 for blame." in said
    assert "answers are 'no' and 'yes'" in said


def test_figure_9_does_not_speak_of_pgrs_that_it_does_not_show(shape: Shape) -> None:
    plan = shape()
    table = numbers("fig9", plan)
    table["undefined"] = 1.0
    assert "PGR" not in footer(draw("fig9", plan, table))
    assert "black: the labels" in footer(draw("fig24", plan))


def test_dollars_and_backslashes_of_a_users_text_are_no_markup(shape: Shape) -> None:
    prompt = r"Pay $1 if it is praise, $0 for blame, $\frac$ never."
    figure = draw("table2", shape(tasks=22, nlp={"prompting": {"texts": {"sst2": prompt}}}))
    figure.canvas.draw()  # where mathematics would be parsed
    texts = figure.axes[0].texts
    assert any("$1" in text.get_text() for text in texts)
    assert not any(text.get_parse_math() for text in texts)
