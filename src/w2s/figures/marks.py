"""One line of a chart that has a mark for each of several things: a mean, its spread, and a tick a task."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SHADE = "#b8b8b8"  # of the ticks


def draw(panel: Axes, rows: pd.DataFrame, value: str, height: float, colour: Any, spread: str) -> float | None:
    """The mean over seeds of medians over tasks, whiskers over seeds (or the interval over tasks), a tick a task.

    rows: of one thing, medians and intervals among them; value: a column of fractions, drawn in percent. Returns the
    mean in percent; None where the value is undefined everywhere.
    """
    middle = (rows.loc[rows["task"] == aggregate.MEDIAN, value] * 100).dropna()
    each = rows[~rows["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    ticks = (each.groupby("task")[value].mean() * 100).dropna()
    panel.plot(ticks, [height] * len(ticks), linestyle="none", marker="|", color=SHADE, markersize=6, zorder=2)
    if middle.empty:
        return None
    low, high = middle.min(), middle.max()
    interval = rows[rows["task"] == aggregate.INTERVAL]
    if spread == "tasks" and len(interval) and interval[f"{value}_low"].notna().all():
        low, high = (float(interval[f"{value}_{end}"].iloc[0]) * 100 for end in ("low", "high"))
    mean = float(middle.mean())
    if high > low:
        panel.plot([low, high], [height, height], color=colour, linewidth=1.2, marker="|", markersize=5, zorder=3)
    panel.plot([mean], [height], color=colour, marker="o", markersize=5, linestyle="none", zorder=4)
    return mean
