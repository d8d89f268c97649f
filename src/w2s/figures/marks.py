"""One line of a chart of marks: a mean, its spread, and one tick per task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate
from w2s.figures import bounds, hover

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

PANELS = {"accuracy": "test accuracy, median over tasks (%)", "pgr": "performance gap recovered, median (%)"}
OF_ONE_TASK = {"accuracy": "test accuracy (%)", "pgr": "performance gap recovered (%)"}
SHADE = "#b8b8b8"  # of the ticks


def draw(panel: Axes, rows: pd.DataFrame, value: str, height: float, colour: Any, found: str | None) -> float | None:
    """The mean over seeds of medians over tasks, whiskers for the basis found (``bounds.basis``), one tick per task.

    rows: of one line, including medians and intervals; value: a column of fractions, drawn in percent. Returns the mean
    in percent; None if the value is undefined everywhere.
    """
    middle = (rows.loc[rows["task"] == aggregate.MEDIAN, value] * 100).dropna()
    each = aggregate.without_aggregates(rows)
    ticks = (each.groupby("task")[value].mean() * 100).dropna()
    drawn = panel.plot(ticks, [height] * len(ticks), linestyle="none", marker="|", color=SHADE, markersize=6, zorder=2)
    names = [hover.who(each[each["task"] == task]) for task in ticks.index]
    hover.say(drawn, hover.numbers(names, value, ticks))
    if middle.empty:
        return None
    mean = float(middle.mean())
    of_medians = rows[rows["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    band = bounds.of(of_medians, value, found, by="method")
    low, high = (float(end.iloc[0]) for end in band) if band else (mean, mean)
    if high > low:
        panel.plot([low, high], [height, height], color=colour, linewidth=1.2, marker="|", markersize=5, zorder=3)
    drawn = panel.plot([mean], [height], color=colour, marker="o", markersize=5, linestyle="none", zorder=4)
    hover.say(drawn, hover.numbers([hover.who(of_medians)], value, [mean], band))
    return mean
