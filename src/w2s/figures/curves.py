"""Curves over the students' compute, one a supervisor and method, and the legend that says which is which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from w2s.analysis.aggregate import INTERVAL
from w2s.analysis.pairs import TRUTH
from w2s.figures import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = 0.15  # opacity of the spread over seeds or tasks


def by_supervisor(
    panel: Axes, table: pd.DataFrame, value: str, *, spread: str = "seeds", styles: style.Styles = style.METHOD_STYLES
) -> None:
    """Draw the curves of one panel, and the ceiling in black.

    table: rows of one task or of medians, and the ``INTERVAL`` rows if there are any. spread: what the bands show,
    ``seeds`` (lowest to highest) or ``tasks`` (the intervals, where the table has them).
    """
    colours, methods = style.supervisor_colours(table), style.methods_of(table)
    intervals = table[table["task"] == INTERVAL]
    shown = table[table["task"] != INTERVAL]
    bands = intervals if spread == "tasks" and not intervals.empty else None

    def of(rows: pd.DataFrame | None, method: str, supervisor: str | None = None) -> pd.DataFrame | None:
        if rows is None:
            return None
        chosen = rows["method"] == method
        return rows[chosen & (rows["supervisor"] == supervisor)] if supervisor else rows[chosen]

    _curve(panel, of(shown, TRUTH), value, of(bands, TRUTH), color=style.TRUTH_COLOUR, zorder=4, **styles[TRUTH])
    for supervisor, colour in colours.items():
        for method in methods:
            line = style.method_style(method, methods, styles)
            rows, band = of(shown, method, supervisor), of(bands, method, supervisor)
            _curve(panel, rows, value, band, color=colour, zorder=3, **line)


def _curve(panel: Axes, rows: pd.DataFrame | None, value: str, band: pd.DataFrame | None, **line: Any) -> None:
    """The mean over seeds, and the band."""
    rows = rows.dropna(subset=[value]) if rows is not None and value in rows else None
    if rows is None or rows.empty:
        return
    cells = (rows[value] * 100).groupby(rows["student_compute"])
    mean = cells.mean()
    panel.plot(mean.index, mean, **line)
    if band is not None:
        known = band.dropna(subset=[f"{value}_low"]).sort_values("student_compute")
        x, low, high = known["student_compute"], known[f"{value}_low"] * 100, known[f"{value}_high"] * 100
    elif rows["seed"].nunique() > 1:
        x, low, high = mean.index, cells.min(), cells.max()
    else:
        return
    panel.fill_between(x, low, high, color=line["color"], alpha=BAND, linewidth=0, zorder=2)


def legend(
    figure: Figure, table: pd.DataFrame, *, styles: style.Styles = style.METHOD_STYLES, more: Sequence[Line2D] = ()
) -> None:
    """Methods by line, then supervisors by hue, beside the panels."""
    methods = style.methods_of(table)
    entries = []
    if (table["method"] == TRUTH).any():
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, label="ground truth (ceiling)", **styles[TRUTH]))
    for method in methods:
        line = style.method_style(method, methods, styles)
        entries.append(Line2D([], [], color="#777777", label=style.METHOD_WORDS.get(method, method), **line))
    entries += [
        Line2D([], [], color=colour, linewidth=4, label=f"supervisor {name}")
        for name, colour in style.supervisor_colours(table).items()
    ]
    figure.legend(handles=[*entries, *more], loc="outside right center", frameon=False)
