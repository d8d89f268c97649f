"""Figures 6 and 12: one accuracy panel per task (paper, Section 4.3 and Appendix A)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from w2s.figures.style import Styles

COLUMNS = 4
LEGEND = 1.8  # inches
WIDTH, HEIGHT = 2.5, 2.3  # of a panel
LARGE = 4.4, 3.4  # of one or two panels


def needs(plan: Plan, tasks: list[str]) -> list[Run]:
    """Ground truth at every rung; every pair with every method of the experiment."""
    return pairs.runs(plan.nlp, plan.nlp.config.methods, tasks)


def tabulate(plan: Plan, results: Results, tasks: list[str]) -> list[Row]:
    """Each run's accuracy (and PGR, which is not drawn)."""
    return pairs.compare(plan.nlp, plan.nlp.config.methods, results, tasks)


def draw(
    table: pd.DataFrame, about: dict[str, Any], styles: Styles | None = None, counted: pd.DataFrame | None = None
) -> Figure:
    """One panel per task, each with its own y axis, four in a row, in the order of the table.

    counted: the rows that the footer describes; all by default.
    """
    from w2s.figures import curves, footer, style

    styles = styles or style.METHOD_STYLES

    tasks = style.in_order(table, "task")
    columns = min(COLUMNS, len(tasks))
    large = columns <= 2
    width, height = LARGE if large else (WIDTH, HEIGHT)
    figure, axes = style.panels(math.ceil(len(tasks) / columns), columns, width=width, height=height, legend=LEGEND)
    scale = 1.0 if large else 0.7
    for panel, task in zip(axes.flat, tasks, strict=False):
        spread = about.get("spread", "seeds")
        curves.by_supervisor(panel, table[table["task"] == task], "accuracy", spread=spread, styles=styles, scale=scale)
        style.percent_axis(panel)
        panel.set_title(task)
    for panel in axes.flat[: len(tasks)]:
        style.compute_axis(panel, label=False, ticks=5)
    for panel in axes[0]:
        style.gpt4_axis(panel, about, pairs.NLP, ticks=5)
    style.hide_inner_ticks(axes, len(tasks))
    curves.legend(figure, table, styles=styles)
    described = footer.without_pgr(table if counted is None else counted)
    footer.add(figure, about, described, footer.spread(about, table))
    middle = columns * width / (columns * width + LEGEND) / 2  # of the panels
    figure.text(middle, footer.reserve(figure, 14), style.COMPUTE, ha="center", va="bottom", fontsize=9)
    figure.supylabel("test accuracy (%)", fontsize=9)
    return figure
