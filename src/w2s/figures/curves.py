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
ENTRY = 0.18  # inches, height of one line of a legend
FEW = 6  # curves: where there are more, bands are paler


def by_supervisor(
    panel: Axes,
    table: pd.DataFrame,
    value: str,
    *,
    spread: str = "seeds",
    styles: style.Styles = style.METHOD_STYLES,
    scale: float = 1,
) -> None:
    """Draw the curves of one panel, and the ceiling in black.

    table: rows of one task or of medians, and the ``INTERVAL`` rows if there are any. spread: what the bands show,
    ``seeds`` (lowest to highest) or ``tasks`` (the intervals, where the table has them). scale: of lines and markers.
    """
    colours, methods = style.supervisor_colours(table), style.methods_of(table)
    intervals = table[table["task"] == INTERVAL]
    shown = table[table["task"] != INTERVAL]
    bands = intervals if spread == "tasks" and not intervals.empty else None
    opacity = BAND * min(1, FEW / max(1, len(colours) * len(methods)))

    def of(rows: pd.DataFrame | None, method: str, supervisor: str | None = None) -> pd.DataFrame | None:
        if rows is None:
            return None
        chosen = rows["method"] == method
        return rows[chosen & (rows["supervisor"] == supervisor)] if supervisor else rows[chosen]

    def draw(method: str, supervisor: str | None, colour: Any) -> None:
        line = dict(style.method_style(method, methods, styles))
        line |= {name: line[name] * scale for name in ("linewidth", "markersize")}
        line |= {"color": colour, "zorder": 3 if supervisor else 4}
        _curve(panel, of(shown, method, supervisor), value, of(bands, method, supervisor), opacity, line)

    draw(TRUTH, None, style.TRUTH_COLOUR)
    for supervisor, colour in colours.items():
        for method in methods:
            draw(method, supervisor, colour)


def _curve(
    panel: Axes,
    rows: pd.DataFrame | None,
    value: str,
    band: pd.DataFrame | None,
    opacity: float,
    line: dict[str, Any],
) -> None:
    """The mean over seeds, and the band."""
    rows = rows.dropna(subset=[value]) if rows is not None and value in rows else None
    if rows is None or rows.empty:
        return
    cells = (rows[value] * 100).groupby(rows["student_compute"])
    mean = cells.mean()
    panel.plot(mean.index, mean, **line)
    if band is not None:
        known = band.dropna(subset=[f"{value}_low"]).set_index("student_compute").sort_index()
        low, high = known[f"{value}_low"] * 100, known[f"{value}_high"] * 100
    elif rows["seed"].nunique() > 1:
        low, high = cells.min(), cells.max()
    else:
        return
    panel.fill_between(low.index, low, high, color=line["color"], alpha=opacity, linewidth=0, zorder=2)


def legend(
    figure: Figure, table: pd.DataFrame, *, styles: style.Styles = style.METHOD_STYLES, more: Sequence[Line2D] = ()
) -> None:
    """Methods by line, then supervisors by hue, beside the panels; the figure grows if it is too low for them."""
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
    entries += more
    needed = (len(entries) + 1) * ENTRY
    figure.set_figheight(max(figure.get_figheight(), needed))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
