"""Curves of two experiments in the same panels: accuracy above PGR, a column a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from w2s.analysis.intervals import FEWEST
from w2s.figures import style
from w2s.report.differences import Cell, Matched, Side, is_ceiling, paired

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = ("#1f5fa8", "#d9730d")  # told apart by people who see no red or green too
WORDS = {"accuracy": "accuracy (%)", "pgr": "performance gap recovered (%)"}


def draw(sides: tuple[Side, Side], names: tuple[str, str], matched: Matched) -> Figure | None:
    """One setting; medians over the tasks that both have, or means where these are fewer than three.

    Students of a supervisor are drawn where both experiments have it. None if there is nothing to draw.
    """
    from matplotlib.lines import Line2D

    tasks, pairs = paired(*sides, matched)
    students = [pair for pair in pairs if not is_ceiling(pair[0]) and pair[0][1] and not pair[0][3]]
    supervisors = [name for name in sides[0].rungs if any(pair[0][1] == name for pair in students)]
    if not supervisors or not tasks:
        return None
    figure, axes = style.panels(2, len(supervisors), width=3.1, height=2.7, legend=2.0)
    methods = list(dict.fromkeys(_series(pair[0]) for pair in students))
    looks = {name: dict(style.method_style(name, methods)) for name in methods}
    for column, supervisor in enumerate(supervisors):
        other = matched.rungs[supervisor]
        title = supervisor if supervisor == other else f"{supervisor} | {other}"
        axes[0][column].set_title(f"supervisor {title}")
        for row, value in enumerate(WORDS):
            panel = axes[row][column]
            for number, (side, colour) in enumerate(zip(sides, COLOURS, strict=True)):
                if value == "accuracy":
                    truth = [pair[number] for pair in pairs if is_ceiling(pair[0]) and _series(pair[0]) == "truth"]
                    _line(panel, side, truth, tasks, value, {"color": colour, "linewidth": 0.9, "marker": "o",
                                                             "markersize": 3, "markerfacecolor": "white"})  # fmt: skip
                for method in methods:
                    cells = [
                        pair[number] for pair in students if pair[0][1] == supervisor and _series(pair[0]) == method
                    ]
                    _line(panel, side, cells, tasks, value, {"color": colour, **looks[method]})
            style.percent_axis(panel, WORDS[value] if column == 0 else "", with_zero=value == "pgr")
    for panel in axes.flat:
        style.compute_axis(panel, label=panel in axes[1])
    entries = [
        Line2D([], [], color=colour, linewidth=4, label=name) for name, colour in zip(names, COLOURS, strict=True)
    ]
    entries += [Line2D([], [], color="#777777", label=_words(name, matched), **looks[name]) for name in methods]
    entries.append(Line2D([], [], color="#777777", linewidth=0.9, marker="o", markersize=3, markerfacecolor="white",
                          label="ground truth (ceiling)"))  # fmt: skip
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    return figure


def _series(cell: Cell) -> str:
    """What one line is of."""
    return cell[0]


def _words(method: str, matched: Matched) -> str:
    other = matched.methods[method]
    ours, theirs = (style.METHOD_WORDS.get(name, name) for name in (method, other))
    return ours if ours == theirs else f"{ours} | {theirs}"


def _line(panel: Axes, side: Side, cells: list[Cell], tasks: list[str], value: str, look: dict[str, Any]) -> None:
    points = []
    for cell in cells:
        each = [side.pgr(task, cell) if value == "pgr" else side.means(task, cell)[0] for task in tasks]
        known = [one for one in each if np.isfinite(one)]
        if known and (len(tasks) < FEWEST or len(known) >= FEWEST):
            middle = np.median(known) if len(tasks) >= FEWEST else np.mean(known)
            points.append((side.compute[cell[2]], 100 * float(middle)))
    if points:
        xs, ys = zip(*sorted(points), strict=True)
        panel.plot(xs, ys, **look)
