"""Curves over the students' compute, one per supervisor and method, and their legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D

from w2s.analysis.aggregate import INTERVAL
from w2s.analysis.pairs import NAIVE
from w2s.chess.analysis import BOOTSTRAP, STEP
from w2s.figures import bounds, hover, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = 0.15  # opacity of the spread over seeds or tasks
ENTRY = 0.18  # inches per line of a legend
FEW = 6  # with more curves, bands are paler


def by_supervisor(
    panel: Axes,
    table: pd.DataFrame,
    value: str,
    *,
    spread: str = "seeds",
    styles: style.Styles = style.METHOD_STYLES,
    scale: float = 1,
    colours: Mapping[str, Any] | None = None,
) -> None:
    """Draw the curves of one panel, one per supervisor and method (and chain); ceiling and zero-shot are black.

    table: rows of one task or of medians, and the ``INTERVAL`` rows if there are any. spread: what the bands show (see
    ``bounds``): ``seeds``, ``tasks`` or ``examples``. scale: for lines and markers. colours: of supervisors, needed if
    not all of them are in the table.
    """
    colours, methods = colours or style.supervisor_colours(table), style.methods_of(table)
    found = bounds.basis(table, spread)
    opacity = BAND * min(1, FEW / max(1, len(colours) * len(methods)))

    def of(method: str, supervisor: str | None = None) -> pd.DataFrame:
        chosen = table["method"] == method
        return table[chosen & (table["supervisor"] == supervisor)] if supervisor else table[chosen]

    def draw(method: str, supervisor: str | None, colour: Any) -> None:
        line = dict(style.method_style(method, methods, styles))
        line |= {name: line[name] * scale for name in ("linewidth", "markersize")}
        line |= {"color": colour, "zorder": 3 if supervisor else 4}
        for rows in _lines(of(method, supervisor)):
            _curve(panel, rows, value, found, opacity, line)

    for method in style.UNSUPERVISED:
        draw(method, None, style.TRUTH_COLOUR)
    for supervisor, colour in colours.items():
        for method in methods:
            draw(method, supervisor, colour)


def _lines(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows of each line; see ``with_chains``."""
    if "line" not in rows:
        return [rows]
    return [some for _, some in rows.groupby("line", sort=False, dropna=False)]


def with_chains(table: pd.DataFrame) -> pd.DataFrame:
    """The rows with chains as lines (column ``line``), each from the naive same-size student to its last step.

    Several chains may start from the same supervisor and share their first steps.
    """
    steps = table[table["method"] == BOOTSTRAP]
    others = table[table["method"] != BOOTSTRAP]
    names = style.in_order(steps, "chain") if len(steps) else []
    lines = [others.assign(line=None)]
    for name in names:
        if any(other.startswith(name + STEP) for other in names):
            continue  # part of a longer chain
        begun = [one for one in names if one == name or name.startswith(one + STEP)]
        head = name.split(STEP)[0]
        first = (others["method"] == NAIVE) & (others["supervisor"] == head) & (others["student"] == head)
        lines.append(others[first].assign(line=name, method=BOOTSTRAP))
        lines.append(steps[steps["chain"].isin(begun)].assign(line=name))
    return pd.concat([some for some in lines if len(some)])


def _curve(
    panel: Axes, rows: pd.DataFrame, value: str, found: str | None, opacity: float, line: dict[str, Any]
) -> None:
    """The mean over seeds, and the band for the basis found."""
    shown = rows[rows["task"] != INTERVAL]
    shown = shown.dropna(subset=[value]) if value in shown else shown.iloc[:0]
    if shown.empty:
        return
    mean = (shown[value] * 100).groupby(shown["student_compute"]).mean()
    drawn = panel.plot(mean.index, mean, **line)
    band = bounds.of(rows, value, found, by="student_compute")
    hover.say(drawn, hover.along(shown, value, mean, band, by="student_compute"))
    if band:
        low, high = band
        if len(low) == 1:  # a band needs two x values
            panel.vlines(low.index, low, high, color=line["color"], alpha=2 * opacity, linewidth=4, zorder=2)
        panel.fill_between(low.index, low, high, color=line["color"], alpha=opacity, linewidth=0, zorder=2)


def cut(panel: Axes, low: float, high: float) -> str:
    """End a panel's axis at these values if marks lie beyond; which do, in words for the footer."""
    values = np.concatenate([np.empty(0), *(np.asarray(line.get_ydata(), dtype=float) for line in panel.lines)])
    beyond = sorted(values[(values < low) | (values > high)])
    if not beyond:
        return ""
    bottom, top = panel.get_ylim()
    panel.set_ylim(max(bottom, low), min(top, high))
    return f"beyond the axis: {', '.join(f'{value:.0f}' for value in beyond)}%"


def legend(
    figure: Figure, table: pd.DataFrame, *, styles: style.Styles = style.METHOD_STYLES, more: Sequence[Line2D] = ()
) -> None:
    """Methods by line, then supervisors by hue, next to the panels; the figure grows if needed."""
    methods = style.methods_of(table)
    entries = [
        Line2D([], [], color=style.TRUTH_COLOUR, label=style.METHOD_WORDS[method], **styles[method])
        for method in style.UNSUPERVISED
        if (table["method"] == method).any()
    ]
    for method in methods:
        line = style.method_style(method, methods, styles)
        entries.append(Line2D([], [], color="#777777", label=style.METHOD_WORDS.get(method, method), **line))
    settings = style.in_order(table, "setting")
    for setting in settings:
        words = f"{style.SETTING_WORDS.get(setting, setting)} supervisor" if len(settings) > 1 else "supervisor"
        entries += [
            Line2D([], [], color=colour, linewidth=4, label=f"{words} {name}")
            for name, colour in style.supervisor_colours(table[table["setting"] == setting]).items()
        ]
    entries += more
    needed = (len(entries) + 1) * ENTRY
    figure.set_figheight(max(figure.get_figheight(), needed))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
