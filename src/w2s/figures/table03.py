"""Table 3: linear probes on frozen vision networks, compared with the paper (paper, Appendix D.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from w2s.analysis.pgr import mean_defined
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.vision import analysis as vision

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Vision: top-1 accuracy of the weak supervisor and of linear probes on frozen self-supervised features, trained "
    "on ground truth (ceilings) or on the supervisor's probabilities (students), and PGR, under two learning rate "
    "schedules. Grey, on ImageNet: the paper's Table 3, and the results of its released code after the schedule was "
    "corrected."
)
LINE = 0.24  # inches
MODEL = 3.2  # inches, column of names
OURS = {"accuracy (%)": 1.6, "PGR (%)": 1.5}  # inches of each schedule's columns
PAPERS = {"paper": 0.6, "paper PGR": 0.85}  # the same of those on ImageNet alone
BETWEEN = 0.15  # inches between schedules
PAPER = ("paper_accuracy", "paper_pgr")
WORDS = {"oscillating": "the paper's schedule (oscillating)", "cosine": "corrected schedule (cosine)"}
NONE = "-"


def needs(plan: Plan) -> list[Run]:
    """A probe on ground truth and one on weak labels for every student, schedule and seed."""
    return vision.runs(plan.vision)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per model, schedule and seed, with the paper's numbers."""
    return vision.compare(plan.vision, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """A typeset table, one line per model: accuracy and PGR for each schedule, and the paper's in grey if there are."""
    from w2s.figures import bounds, footer, recovered, studies, style

    table = recovered.read(table, about)
    schedules, lines = style.in_order(table, "schedule"), _lines(table)
    beside = bool(table["paper_accuracy"].notna().any())
    columns = OURS | (PAPERS if beside else {})
    spread = about.get("spread", "seeds")
    of_schedule = sum(columns.values())
    width = MODEL + len(schedules) * (of_schedule + BETWEEN)
    figure = style.new_figure(width + 0.3, LINE * (len(lines) + 4.5))
    panel = figure.add_subplot()
    panel.set_axis_off()
    panel.set(xlim=(0, width), ylim=(len(lines) - 0.4, -2.7))
    for place, schedule in enumerate(schedules):
        ends = _ends(place, columns)
        middle = ends[-1] - of_schedule / 2
        panel.text(middle, -2.0, WORDS.get(schedule, schedule), ha="center", va="center", fontsize=9, weight="bold")
        panel.plot([ends[-1] - of_schedule + 0.2, ends[-1]], [-1.5, -1.5], color="#222222", linewidth=0.5)
        for column, (name, end) in enumerate(zip(columns, ends, strict=True)):
            _write(panel, end, -1.0, name, column, size=8)
    for number, (role, supervisor, student) in enumerate(lines):
        rows = table[table["role"] == role]
        rows = rows[rows["student"] == student] if student else rows
        panel.text(0, number, _words(role, supervisor, student, rows), ha="left", va="center", fontsize=9)
        for place, schedule in enumerate(schedules):
            of_cell = rows[rows["schedule"] == schedule]
            cells = _cells(of_cell, bounds.basis(table, spread, "accuracy"))[: len(columns)]
            for column, (cell, end) in enumerate(zip(cells, _ends(place, columns), strict=True)):
                _write(panel, end, number, cell, column, size=9)
        if number and role != lines[number - 1][0]:
            panel.axhline(number - 0.5, color="#bbbbbb", linewidth=0.5)
    for line, thickness in ((-2.6, 1.2), (-0.5, 0.6), (len(lines) - 0.5, 1.2)):
        panel.axhline(line, color="#222222", linewidth=thickness)
    notes = [studies.spread(about, table, "accuracy", "in parentheses")]
    notes += ["grey: the paper's numbers, with its model in brackets"] if beside else []
    footer.add(figure, about, _probes(table), *notes)
    return figure


def _probes(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that are runs, for the footer's count: ceilings have a schedule too."""
    probes = table[table["role"] != vision.SUPERVISOR].drop(columns=["weak", "ceiling"])
    return probes.assign(student=probes["student"].str.cat(probes["schedule"], sep=", "))


def _ends(place: int, columns: Mapping[str, float]) -> list[float]:
    """Right ends of a schedule's columns, in inches."""
    start = MODEL + place * (sum(columns.values()) + BETWEEN) + BETWEEN
    return [start + end for end in accumulate(columns.values())]


def _write(panel: Axes, end: float, line: float, text: str, column: int, *, size: float) -> None:
    from w2s.figures import style

    colour = style.GREY if column >= len(OURS) else "#222222"
    panel.text(end, line, text, ha="right", va="center", fontsize=size, color=colour)


def _lines(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """(role, supervisor, student) of the table's lines, "" if a role has none."""
    found = table.fillna({"supervisor": "", "student": ""})
    return list(dict.fromkeys(zip(found["role"], found["supervisor"], found["student"], strict=True)))


def _words(role: str, supervisor: str, student: str, rows: pd.DataFrame) -> str:
    """The model's name, and the paper's model in its place."""
    name = {
        vision.SUPERVISOR: f"{supervisor} (weak supervisor)",
        vision.CEILING: f"{student} (ceiling)",
        vision.STUDENT: f"{supervisor} → {student}",
    }[role]
    named = rows["paper_model"].dropna().tolist()
    return f"{name}   [{named[0]}]" if named else name


def _cells(rows: pd.DataFrame, found: str | None) -> list[str]:
    """Accuracy and PGR, ours with bounds and the paper's; a dash if there is none. found: the basis of bounds."""
    if rows.empty:
        return [NONE] * len(OURS | PAPERS)
    undefined = rows["role"].iloc[0] == vision.STUDENT
    return [
        _ranged(rows, "accuracy", found),
        _ranged(rows, "pgr", found) or ("undefined" if undefined else NONE),
        *(f"{100 * rows[name].iloc[0]:.1f}" if rows[name].notna().any() else NONE for name in PAPER),
    ]


def _ranged(rows: pd.DataFrame, column: str, found: str | None) -> str:
    """Mean in percent, and its bounds if there are any; "" if no value is defined."""
    from w2s.figures import bounds

    if rows[column].isna().all():
        return ""
    mean = f"{100 * mean_defined(rows[column]):.1f}"
    if ends := bounds.of(rows, column, found, by="role"):
        low, high = (float(end.iloc[0]) for end in ends)
        return mean if math.isnan(low) else f"{mean} ({low:.1f} to {high:.1f})"
    return mean
