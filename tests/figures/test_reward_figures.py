"""What the reward figures and the reward parts of Figures 2 and 3 show; how many runs they need at the paper's grid."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest
from matplotlib.axes import Axes

from tests.figures.conftest import REWARD, Shape, numbers
from tests.figures.fake import Fake, halfway
from tests.figures.seen import draw, footer, lines, xs, ys
from w2s import figures
from w2s.analysis.aggregate import MEDIAN
from w2s.errors import LackingError, UserError
from w2s.experiments.plan import Plan
from w2s.figures import style


def heights(panel: Axes, *, outlined: bool = False) -> list[float]:
    found: list[Any] = [bar for bar in panel.patches if bar.get_fill() != outlined]
    return [round(bar.get_y() + bar.get_height(), 6) for bar in found]


def needed(plan: Plan, name: str) -> set[str]:
    return {run.key for run in figures.module(name).needs(plan)}


@pytest.mark.parametrize("name", REWARD)
def test_without_a_reward_section_the_experiment_lacks_what_the_figure_shows(name: str, shape: Shape) -> None:
    with pytest.raises(LackingError, match="no reward section"):
        figures.module(name).needs(shape())


@pytest.mark.parametrize("name", ["fig10", "fig17", "fig18"])
def test_without_generative_finetuning_figures_of_it_lack_it(name: str, shape: Shape) -> None:
    with pytest.raises(LackingError, match=f"{name} shows generative finetuning, but reward.generative is null"):
        figures.module(name).needs(_without(shape))


def _without(shape: Shape) -> Plan:
    plan = shape(reward=True)
    section = plan.experiment.reward
    assert section
    experiment = plan.experiment.model_copy(update={"reward": section.model_copy(update={"generative": None})})
    return Plan(experiment)


@pytest.mark.parametrize("name", ["fig2", "fig3", *REWARD])
def test_reward_figures_read_exactly_what_they_need(name: str, shape: Shape) -> None:
    plan = shape(rungs=5, without_truth=2, reward=True)
    results = Fake(halfway(plan))
    figures.numbers(name, plan, results)
    assert results.read == needed(plan, name)


def test_figures_share_their_runs(shape: Shape) -> None:
    """After Figures 3 and 7 (one set), Figure 16 needs none, 10 the generative ones, 17 none more, 18 its students."""
    plan = shape(rungs=4, seeds=1, reward=True)
    three, seven, ten = (needed(plan, name) for name in ("fig3", "fig7", "fig10"))
    pairs = 4 + 3 + 2
    assert len(seven) == 4 + pairs
    assert seven <= three
    assert needed(plan, "fig16") <= seven
    assert len(ten - seven) == 4 + pairs  # ceilings and students after generative finetuning
    assert needed(plan, "fig17") == ten
    assert len(needed(plan, "fig18") - ten) == pairs  # students of supervisors after it
    assert needed(shape(rungs=4, seeds=1, reward=True, settings=["reward"]), "fig2") <= seven | ten


def test_runs_at_the_papers_grid(shape: Shape) -> None:
    """Figure 10: supervisors -7.06, -5.25, -4.19 of nine sizes: 9 + 9 ceilings, (9 + 6 + 4) x 2 students."""
    ten = shape(rungs=10, seeds=1, reward=True)
    rungs = [rung.name for rung in ten.reward.config.ladder]
    taught = [rungs[place] for place in (0, 3, 5, 6, 7)]
    generative = {"supervisors": [rungs[place] for place in (0, 3, 5)], "rungs": rungs[:9]}
    plan = shape(
        rungs=10, seeds=1, reward=True, laid_over={"reward": {"supervisors": taught, "generative": generative}}
    )
    assert len(needed(plan, "fig7")) == 10 + 10 + 7 + 5 + 4 + 3
    assert len(needed(plan, "fig10")) == 2 * (9 + 9 + 6 + 4)
    assert len(needed(plan, "fig18") - needed(plan, "fig10")) == 9 + 6 + 4


# -- preference ---------------------------------------------------------------------------------------------


def test_dpo_and_naive_students_are_marked_between_supervisor_and_ceiling(shape: Shape) -> None:
    plan = shape(reward=True, laid_over={"reward": {"dpo": {"pairs": [["r16", "r40"]]}}})
    accuracy = halfway(plan)
    results = Fake(lambda run: accuracy(run) - 0.06 * (run.method == "dpo"))
    table = pd.DataFrame(figures.numbers("preference", plan, results))
    figure = draw("preference", plan, table)
    left, right = figure.axes
    assert [text.get_text() for text in left.get_yticklabels()] == ["naive", "dpo"]
    assert left.get_xlabel() == "test accuracy (%)"
    for panel, expected in ((left, [75, 69]), (right, [50, 30])):
        marks = [xs(line)[0] for line in panel.lines if line.get_marker() == "o"]
        assert marks == pytest.approx(expected)
    assert {60.0, 90.0} <= {round(xs(line)[0], 6) for line in left.lines if line.get_marker() == "None"}


def test_without_direct_preference_optimisation_its_figure_lacks_it(shape: Shape) -> None:
    with pytest.raises(LackingError, match=r"preference shows direct preference optimisation, but reward\.dpo is null"):
        figures.module("preference").needs(shape(reward=True, laid_over={"reward": {"dpo": None}}))


def test_direct_preference_optimisation_needs_a_student_more_per_pair(shape: Shape) -> None:
    plan = shape(reward=True, seeds=1, laid_over={"reward": {"dpo": {"pairs": [["r16", "r40"], ["r24", "r40"]]}}})
    assert len(needed(plan, "preference") - needed(plan, "fig7")) == 2


# -- Figures 2 and 3 -----------------------------------------------------------------------------------------


def test_figure_2s_reward_panel_has_generative_finetuning_and_its_ceiling(shape: Shape) -> None:
    figure = draw("fig2", shape(chess=True, reward=True))
    panel = figure.axes[2]
    assert heights(panel) == [60, 75, 81, 94]
    assert [text.get_text() for text in panel.texts][1:3] == ["75.0\nPGR 50%", "81.0\nPGR 62%"]  # 21 / 34
    assert panel.get_title() == "reward modelling: hh, r16 to r40"
    words = [label.get_text().replace("\n", " ") for label in panel.get_xticklabels()]
    assert words[2:] == ["student, generative finetuning", "strong ceiling, generative finetuning"]
    assert "PGR uses its own ceiling, 90.0%" in footer(figure)


def test_figure_2_by_measurement_tries_every_method_of_the_reward_setting_too(shape: Shape) -> None:
    plan = shape(reward=True, figure2_best="measured", laid_over={"reward": {"methods": ["naive", "confidence"]}})
    assert len(figures.module("fig2").needs(plan)) == 2 * (4 + 6)
    accuracy = halfway(plan)
    for gain, expected, ceiling in ((0.1, "confidence loss", 90), (0, "generative finetuning", 94)):
        results = Fake(lambda run, gain=gain: accuracy(run) + gain * (run.method == "confidence"))  # type: ignore[misc]
        panel = draw("fig2", plan, pd.DataFrame(figures.numbers("fig2", plan, results))).axes[1]
        label = panel.get_xticklabels()[2].get_text().replace("\n", " ")
        assert expected in label
        assert "(best measured)" in label
        assert heights(panel)[3] == ceiling


def test_figure_2_takes_the_largest_student_that_is_finetuned_generatively(shape: Shape) -> None:
    plan = shape(reward=True, laid_over={"reward": {"generative": {"rungs": ["r16", "r24", "r32"]}}})
    assert draw("fig2", plan).axes[1].get_title() == "reward modelling: hh, r16 to r32"


def test_figure_2s_overlay_outlines_the_papers_reward_bars(shape: Shape) -> None:
    panel = draw("fig2", shape(reward=True, overlay_paper=True)).axes[1]
    assert heights(panel, outlined=True) == [60.43, 61.01, 62.01, 64.98]


def test_figure_3_has_three_columns(shape: Shape) -> None:
    plan = shape(chess=True, reward=True)
    figure = draw("fig3", plan)
    assert [panel.get_title() for panel in figure.axes[:3]] == ["NLP", "chess", "reward modelling"]
    accuracy, recovered = figure.axes[2], figure.axes[5]
    table = numbers("fig3", plan)
    colour = style.supervisor_colours(table[table["setting"] == "reward"])["r16"]
    assert ys(lines(accuracy, colour, "o")[0]) == pytest.approx([60, 65, 70, 75])
    assert ys(lines(recovered, colour, "o")[0]) == pytest.approx([50, 50, 50])
    assert "median" not in accuracy.get_ylabel()


@pytest.mark.parametrize("name", ["fig2", "fig3"])
def test_settings_choose_the_panels_and_their_runs(name: str, shape: Shape) -> None:
    plan = shape(chess=True, reward=True, settings=["reward", "chess"])
    assert {run.stage.name for run in figures.module(name).needs(plan)} == {"generate", "reward_model"}
    assert list(dict.fromkeys(numbers(name, plan)["setting"])) == ["reward", "chess"]
    with pytest.raises(UserError, match="settings: 'chess' has no section in this config; add one, or leave chess out"):
        shape(reward=True, settings=["chess"])
    with pytest.raises(UserError, match="settings: 'sound' is not allowed; allowed: chess, nlp, reward, vision"):
        shape(settings=["sound"])


# -- Figure 7 ------------------------------------------------------------------------------------------------


def test_figure_7_shows_progress_best_and_last_and_bars(shape: Shape) -> None:
    plan = shape(reward=True)
    figure = draw("fig7", plan)
    progress, best, bars = [panel for panel in figure.axes if panel.get_title(loc="left")]
    assert len(progress.lines) == 9
    assert ys(progress.lines[0]) == pytest.approx([50, 70, 65, 60])  # r16's own student
    colour = style.supervisor_colours(numbers("fig7", plan))["r16"]
    assert ys(lines(best, colour, "*")[0]) == pytest.approx([70, 75, 80, 85])
    assert ys(lines(best, colour, "o")[0]) == pytest.approx([60, 65, 70, 75])
    assert ys(lines(best, style.TRUTH_COLOUR, "o")[0]) == pytest.approx([60, 70, 80, 90])
    # Gaps are 10, 10, 10, 20, 20, 30 points, of which a student has half, and the best evaluation 10 points more.
    assert heights(bars) == pytest.approx([50, 50 + 37.5, 50 + 75])
    assert "stopping on weak labels in (c) uses the test set" in footer(figure)


def test_figure_7_lays_the_papers_own_under_ours(shape: Shape) -> None:
    plan = shape(reward=True, overlay_paper=True, gpt4_compute=1e13)
    _, best, bars = [panel for panel in draw("fig7", plan).axes if panel.get_title(loc="left")]
    assert len([line for line in best.lines if line.get_alpha() == 0.35]) == 1 + 5 + 5
    assert heights(bars, outlined=True) == [13.21, 19.07]


# -- Figures 10, 17 and 18 -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "accuracies", "recovered"),
    [
        ("fig10", [66, 71, 76, 81], [11 / 14, 16 / 24, 21 / 34]),
        ("fig17", [76, 81, 86, 91], [21 / 14, 26 / 24, 31 / 34]),
        ("fig18", [70, 75, 80, 85], [11 / 10, 16 / 20, 21 / 30]),
    ],
)
def test_generative_pgr_is_taken_as_the_papers(
    name: str, accuracies: list[float], recovered: list[float], shape: Shape
) -> None:
    plan = shape(reward=True)
    accuracy, gap = draw(name, plan).axes
    colour = style.supervisor_colours(numbers(name, plan))["r16"]
    assert ys(lines(accuracy, colour, "p")[0]) == pytest.approx(accuracies)
    assert ys(lines(gap, colour, "p")[0]) == pytest.approx([100 * value for value in recovered])
    assert ys(lines(accuracy, style.TRUTH_COLOUR, "p")[0]) == pytest.approx([64, 74, 84, 94])
    assert ys(lines(accuracy, style.TRUTH_COLOUR, "o")[0]) == pytest.approx([60, 70, 80, 90])
    plain = [100 * 15 / 10, 100 * 20 / 20, 100 * 25 / 30] if name == "fig17" else [50, 50, 50]
    assert ys(lines(gap, colour, "o")[0]) == pytest.approx(plain)
    (dotted,) = lines(accuracy, colour, "o")
    assert dotted.get_linestyle() == ":"


@pytest.mark.parametrize("name", ["fig10", "fig17", "fig18"])
def test_each_figure_has_the_papers_own_curves(name: str, shape: Shape) -> None:
    plan = shape(reward=True, overlay_paper=True, gpt4_compute=1e13)
    accuracy, gap = draw(name, plan).axes
    faint = [line for line in accuracy.lines if line.get_alpha() == 0.35]
    assert len(faint) == 2 * (1 + 3)
    highest = {"fig10": 54.57, "fig17": 54.66, "fig18": 74.58}[name]
    drawn = [value for line in gap.lines if line.get_alpha() == 0.35 for value in ys(line)]
    assert max(drawn) == highest


# -- Figure 16, several tasks --------------------------------------------------------------------------------


def test_figure_16_shows_agreement_in_figure_8s_panels(shape: Shape) -> None:
    plan = shape(reward=True)
    figure = draw("fig16", plan)
    assert [panel.get_title() for panel in figure.axes] == [
        "all test examples",
        "supervisor is right",
        "supervisor is wrong",
    ]
    assert figure.axes[0].get_ylabel() == "agreement (%)"
    colour = style.supervisor_colours(numbers("fig16", plan))["r16"]
    # The supervisor says 1 on the first half, the student on its first 60, 65, 70, 75.
    expected = ([90, 85, 80, 75], [100, 100, 100, 100], [80, 70, 60, 50])
    for panel, values in zip(figure.axes, expected, strict=True):
        assert ys(lines(panel, colour, "o")[0]) == pytest.approx(values)


@pytest.mark.parametrize("name", ["fig3", "fig10", "fig16"])
def test_several_tasks_are_shown_by_their_medians(name: str, shape: Shape) -> None:
    plan = shape(reward=True, settings=["reward"])
    table = numbers(name, plan)
    assert MEDIAN not in set(table["task"])
    several = {"source": "hub", "tasks": ["hh", "shp", "webgpt"], "pretraining": {"corpus": "tasks"}}
    plan = shape(reward=True, settings=["reward"], laid_over={"reward": several})
    table = numbers(name, plan)
    assert MEDIAN in set(table["task"])
    assert "median" in draw(name, plan, table).axes[0].get_ylabel()
    assert not math.isnan(table.loc[table["task"] == MEDIAN].iloc[0].get("accuracy", 0.0))
