"""What makes a figure comparable with the paper's: real data only, and a second axis in its own unit of compute."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.axes._secondary_axes import SecondaryAxis
from matplotlib.figure import Figure

from tests.figures.conftest import Shape, numbers, sections
from tests.figures.seen import draw, footer, rendered
from w2s.figures import overlay, style

OF_COMPUTE = ["fig3", "fig4", "fig5", "fig6", "fig7", "fig8", "fig9", "fig10", "fig12", "fig15", "fig16", "fig17"]
OF_COMPUTE += ["fig18", "fig21", "fig22", "fig23"]
OVERLAID = ["fig2", "fig3", "fig5", "fig7", "fig8", "fig11", "fig13", "fig19", "fig20", "fig21", "fig22", "fig24"]
OVERLAID += ["fig25", "fig26", "fig27"]


def above(panel: Axes) -> list[SecondaryAxis]:
    """The panel's second x axis."""
    return [axis for axis in panel.child_axes if isinstance(axis, SecondaryAxis)]


@pytest.mark.parametrize("name", OF_COMPUTE)
def test_compute_is_also_a_fraction_of_gpt_4s_where_the_data_are_real(name: str, shape: Shape) -> None:
    plan = shape(seeds=1, gpt4_compute=1e13, **sections(name))
    table = numbers(name, plan)
    figure = draw(name, plan, table, real=True)
    (first, *_) = [axis for panel in figure.axes for axis in above(panel)]
    assert first.get_xlabel() == style.FRACTION
    (panel,) = [panel for panel in figure.axes if first in panel.child_axes]
    rendered(figure)
    assert np.array(first.get_xlim()) * 1e13 == pytest.approx(panel.get_xlim())
    assert not any(above(panel) for panel in draw(name, plan, table, real=False).axes)


def test_one_row_of_a_grid_has_the_second_axis(shape: Shape) -> None:
    figure = draw("fig12", shape(tasks=6, seeds=1), real=True)
    assert [len(above(panel)) for panel in figure.axes if panel.axison] == [1, 1, 1, 1, 0, 0]
    assert [len(above(panel)) for panel in draw("fig3", shape(chess=True), real=True).axes] == [1, 1, 0, 0]


@pytest.mark.parametrize("name", OVERLAID)
def test_the_papers_results_are_not_drawn_beside_synthetic_data(name: str, shape: Shape) -> None:
    more = sections(name)
    plan = shape(seeds=1, overlay_paper=True, gpt4_compute=1e13, **more)
    table = numbers(name, plan)
    beside, without = (draw(name, plan, table, real=real) for real in (True, False))

    def marks(figure: Figure) -> int:
        return sum(len(panel.lines) + len(panel.patches) for panel in figure.axes)

    assert marks(without) < marks(beside)
    assert marks(without) == marks(draw(name, shape(seeds=1, **more), table))
    assert overlay.NOT_DRAWN in footer(without)
    assert overlay.NOT_DRAWN not in footer(beside)


def test_settings_with_real_data_have_the_papers_results_beside_one_without(shape: Shape) -> None:
    plan = shape(chess=True, overlay_paper=True)
    found = draw("fig2", plan, chess=plan.experiment.model_dump(mode="json")["chess"])
    outlines = [sum(not bar.get_fill() for bar in panel.patches) for panel in found.axes]
    assert outlines == [4, 4]
    nlp, chess = draw("fig2", plan, real=False, data={"source": "hub"}).axes
    assert sum(not bar.get_fill() for bar in nlp.patches) == 4
    assert not any(not bar.get_fill() for bar in chess.patches)


# -- Table 3 -------------------------------------------------------------------------------------------------


def test_table_3_on_digits_has_no_numbers_of_the_paper(shape: Shape) -> None:
    plan = shape()
    table = numbers("table3", plan)
    assert table["paper_accuracy"].isna().all()
    said = [text.get_text() for text in draw("table3", plan, table).axes[0].texts]
    assert "accuracy (%)" in said
    assert not {"paper", "paper PGR"} & set(said)
    assert "paper" not in footer(draw("table3", plan, table))
    beside = table.assign(paper_accuracy=0.566, paper_model="AlexNet")
    said = [text.get_text() for text in draw("table3", plan, beside).axes[0].texts]
    assert {"paper", "paper PGR", "56.6"} <= set(said)


def test_table_3_has_intervals_over_test_images_with_one_seed(shape: Shape) -> None:
    plan = shape(seeds=1)
    figure = draw("table3", plan)
    assert "in parentheses: 95% bootstrap interval over test examples" in footer(figure)
    cells = [text.get_text() for text in figure.axes[0].texts if " to " in text.get_text()]
    supervisor, *_ = cells
    value, low, high = (float(part.strip("()")) for part in supervisor.replace(" to ", " ").split())
    assert value == 60
    assert 48 < low < 55
    assert 65 < high < 72
    assert "lowest to highest seed" in footer(draw("table3", shape(seeds=2)))


def test_figure_2_has_whiskers_over_test_examples_with_one_seed(shape: Shape) -> None:
    figure = draw("fig2", shape(seeds=1))
    assert "whiskers: 95% bootstrap interval over test examples" in footer(figure)
    assert len(figure.axes[0].containers) == 4 + 4  # bars and their whiskers, the supervisor's too


def test_figure_13_says_that_its_curves_start_before_training() -> None:
    from w2s.figures import fig13

    assert "Curves start before training" in fig13.CAPTION
