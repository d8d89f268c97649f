"""Comparison of all methods, including those of the paper's Appendix B: accuracy and PGR of one or a few pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "All methods of the experiment: median over tasks of the students' test accuracy (a) and of the performance gap "
    "recovered (b). One mark per method and pair, with the lowest and highest seed; small ticks are single tasks."
)
ROW = 0.27  # inches per method with one pair


def needs(plan: Plan) -> list[Run]:
    """Students of the compared pairs with all compared methods, and ground truth at their rungs."""
    return pairs.runs(plan.nlp, *_what(plan))


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR, then the medians over tasks, which are drawn, and their intervals."""
    methods, tasks, only = _what(plan)
    rows = pairs.compare(plan.nlp, methods, results, tasks, only)
    middle = aggregate.medians(rows, (*aggregate.COMPARED, "weak"))
    return [*rows, *middle, *aggregate.interval_rows(rows)]


def _what(plan: Plan) -> tuple[list[str], list[str], list[pairs.Pair]]:
    """(methods, tasks, pairs) of the comparison."""
    only = [(plan.nlp.rung(weak), plan.nlp.rung(strong)) for weak, strong in plan.nlp.config.compared_pairs()]
    return plan.nlp.compared_methods(), plan.nlp.config.compared_tasks(), only


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels: a line per method, in the order of the config, with a mark for each pair."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, marks, recovered, style

    table = recovered.read(table, about)
    methods = style.methods_of(table)
    one_task = aggregate.without_aggregates(table)["task"].nunique() == 1
    students = table.dropna(subset=["supervisor"])
    couples = list(dict.fromkeys(zip(students["supervisor"], students["student"], strict=True)))
    row = ROW * max(1, 0.6 * len(couples))
    figure, axes = style.panels(1, 2, share="none", width=4.4, height=row * len(methods) + 1.0, legend=1.5)
    colours = _colours(couples, table)
    found = bounds.basis(table, about.get("spread", "seeds"))
    for panel, (value, words) in zip(axes.flat, (marks.OF_ONE_TASK if one_task else marks.PANELS).items(), strict=True):
        for place, couple in enumerate(couples):
            rows = students[(students["supervisor"] == couple[0]) & (students["student"] == couple[1])]
            offset = (place - (len(couples) - 1) / 2) * 0.6 / len(couples)
            _marks(panel, rows, methods, value, offset, colours[couple], found)
        if len(couples) == 1:
            _bounds(panel, table, value)
        _axis(panel, methods, words, names=value == "accuracy")
    style.label_panels(axes.flat)
    entries = [
        Line2D([], [], color=colour, marker="o", markersize=5, linewidth=1.2, label=f"{weak} to {strong}")
        for (weak, strong), colour in colours.items()
    ]
    if not one_task:
        entries.append(Line2D([], [], color=marks.SHADE, marker="|", markersize=6, linewidth=0, label="single tasks"))
    if pairs.NAIVE in methods:
        entries.append(Line2D([], [], color=marks.SHADE, linewidth=0.9, linestyle=":", label="naive"))
    if len(couples) == 1:
        entries.append(Line2D([], [], color=style.GREY, linewidth=1, linestyle="--", label="supervisor"))
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, linewidth=1, label="ceiling"))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    footer.add(figure, about, table, footer.spread(about, table).replace("band", "whiskers"))
    return figure


def _colours(couples: Sequence[tuple[str, str]], table: pd.DataFrame) -> dict[tuple[str, str], Any]:
    """By supervisor if each has one student, else one hue per pair."""
    from w2s.figures import style

    by_supervisor = style.supervisor_colours(table)
    if len(by_supervisor) == len(couples):
        return {couple: by_supervisor[couple[0]] for couple in couples}
    return {couple: style.hue(number, len(couples)) for number, couple in enumerate(couples)}


def _marks(
    panel: Axes, rows: pd.DataFrame, methods: Sequence[str], value: str, offset: float, colour: Any, found: str | None
) -> None:
    """The marks of one pair, one line per method."""
    from w2s.figures import marks

    for place, method in enumerate(methods):
        mean = marks.draw(panel, rows[rows["method"] == method], value, place + offset, colour, found)
        if method == pairs.NAIVE and mean is not None:
            panel.axvline(mean, color=marks.SHADE, linewidth=0.9, linestyle=":", zorder=1)


def _bounds(panel: Axes, table: pd.DataFrame, value: str) -> None:
    """The supervisor and the ceiling, the expected range of students."""
    from w2s.figures import style

    low, high = 0.0, 100.0
    if value == "accuracy":
        middle = table[table["task"] == aggregate.MEDIAN]
        low = float(middle["weak"].mean()) * 100
        high = float(middle.loc[middle["method"] == pairs.TRUTH, "accuracy"].mean()) * 100
    panel.axvline(low, color=style.GREY, linewidth=1, linestyle="--", zorder=1)
    panel.axvline(high, color=style.TRUTH_COLOUR, linewidth=1, zorder=1)


def _axis(panel: Axes, methods: Sequence[str], words: str, *, names: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    panel.set_ylim(len(methods) - 0.4, -0.6)
    panel.set_yticks(range(len(methods)), methods if names else [""] * len(methods))
    panel.set_xlabel(words)
    panel.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    panel.grid(axis="y", color="#f0f0f0")
