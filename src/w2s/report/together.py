"""Curves of two experiments in the same panels: accuracy above PGR, one column per supervisor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from w2s.analysis.bootstrap import MEDIAN_TASKS
from w2s.analysis.pairs import TRUTH
from w2s.figures import hover, style
from w2s.report.differences import Cell, Matched, Side, is_ceiling, paired

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

COLOURS = ("#1f5fa8", "#d9730d")  # of the experiments; distinct for colour-blind readers too
GREY = "#777777"
CEILING = {"linewidth": 0.9, "marker": "o", "markersize": 3, "markerfacecolor": "white"}
VALUES = {"accuracy": "accuracy (%)", "pgr": "performance gap recovered (%)"}

Styles = Mapping[str, Mapping[str, Any]]  # method -> its line and marker


def draw(sides: tuple[Side, Side], names: tuple[str, str], matched: Matched) -> Figure | None:
    """One setting; medians over the tasks of both experiments, or means if there are fewer than three.

    A student is drawn if both experiments have it with the same supervisor. None if there is nothing to draw.
    """
    tasks, pairs = paired(*sides, matched)
    supervisors = [
        name for name in sides[0].rungs if any(_is_student(cell) and cell.supervisor == name for cell, _ in pairs)
    ]
    if not supervisors or not tasks:
        return None
    methods = list(dict.fromkeys(cell.method for cell, _ in pairs if _is_student(cell)))
    styles: Styles = {TRUTH: CEILING} | {name: style.method_style(name, methods) for name in methods}
    figure, axes = style.panels(2, len(supervisors), width=3.1, height=2.7, legend=2.0)
    for supervisor, (top, bottom) in zip(supervisors, axes.T, strict=True):
        top.set_title(f"supervisor {both(supervisor, matched.rungs[supervisor])}")
        for panel, value in ((top, "accuracy"), (bottom, "pgr")):
            for number, (side, colour) in enumerate(zip(sides, COLOURS, strict=True)):
                for method, look in styles.items():
                    cells = [pair[number] for pair in pairs if _is_on_curve(pair[0], method, supervisor)]
                    points = _points(side, cells, tasks, value)
                    if points:
                        x, y, students = zip(*points, strict=True)
                        drawn = panel.plot(x, y, **{"color": colour, **look})
                        who = [
                            f"{names[number]}, {student}, {style.METHOD_WORDS.get(method, method)}"
                            for student in students
                        ]
                        hover.say(drawn, hover.numbers(who, value, y))
            style.percent_axis(panel, VALUES[value] if supervisor == supervisors[0] else "", with_zero=value == "pgr")
            style.compute_axis(panel, label=panel is bottom)
    figure.legend(handles=_entries(names, styles, matched), loc="outside right center", frameon=False)
    return figure


def _is_student(cell: Cell) -> bool:
    """Whether it is a student of a single supervisor."""
    return not is_ceiling(cell) and bool(cell.supervisor) and not cell.chain


def _is_on_curve(cell: Cell, method: str, supervisor: str) -> bool:
    """Whether a cell belongs to a method's curve in a supervisor's panels. All panels have the ceilings."""
    return cell.method == method and (is_ceiling(cell) or (_is_student(cell) and cell.supervisor == supervisor))


def _points(side: Side, cells: Sequence[Cell], tasks: Sequence[str], value: str) -> list[tuple[float, float, str]]:
    """(compute, percent, student) of cells, by compute; without cells that too few tasks have a number for."""
    points = []
    for cell in cells:
        numbers = [side.pgr(task, cell) if value == "pgr" else side.means(task, cell)[0] for task in tasks]
        known = [number for number in numbers if np.isfinite(number)]
        if len(known) >= (MEDIAN_TASKS if len(tasks) >= MEDIAN_TASKS else 1):
            middle = np.median(known) if len(tasks) >= MEDIAN_TASKS else np.mean(known)
            points.append((side.compute[cell.student], 100 * float(middle), cell.student))
    return sorted(points)


def _entries(names: tuple[str, str], styles: Styles, matched: Matched) -> list[Line2D]:
    """The legend: experiments by colour, methods by line and marker, the ceiling last."""
    from matplotlib.lines import Line2D

    entries = [
        Line2D([], [], color=colour, linewidth=4, label=name) for name, colour in zip(names, COLOURS, strict=True)
    ]
    for method in [*(name for name in styles if name != TRUTH), TRUTH]:
        words = (style.METHOD_WORDS.get(name, name) for name in (method, matched.methods.get(method, method)))
        entries.append(Line2D([], [], color=GREY, label=both(*words), **styles[method]))
    return entries


def both(first: str, second: str) -> str:
    """A name in both experiments: once if it is the same."""
    return first if first == second else f"{first} | {second}"
