"""Accuracy and PGR on the task's own test set against other test sets, which the runs were not trained for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs, shift
from w2s.analysis.results import Results, Row
from w2s.errors import LackingError
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.models.shift import ShiftPlan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Runs on one task, scored on its own test set (open circles) and on another one (filled), one row of panels per "
    "other test set, of NLP tasks or preferences: accuracy of supervisor, students and ceiling (left), and the "
    "performance gap recovered there (right). PGR on the other test set is between supervisor and ceiling as measured "
    "there."
)
SETTINGS = ("nlp", "reward")  # that have such runs
PANELS = {"accuracy": "test accuracy (%)", "pgr": "performance gap recovered (%)"}
LINE, FRAME = 0.26, 0.95  # inches: of a line of marks; of a panel's title and axis
APART = {shift.IN: -0.12, shift.OUT: 0.12}  # of a line's two marks, in lines


def needs(plan: Plan) -> list[Run]:
    """Supervisors, ceilings and students of ``nlp.shift`` and ``reward.shift``, which are trained for this figure."""
    return [run for study in _studies(plan) for run in shift.runs(study)]


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR, in distribution and out of it; test sets are told apart by ``tested``."""
    return [row for study in _studies(plan) for row in shift.rows(study, results)]


def _studies(plan: Plan) -> list[ShiftPlan]:
    """Of the settings that have one, with other test sets and pairs; LackingError, saying what is missing, if none."""
    found, lacking = [], []
    for name in SETTINGS:
        try:
            study: ShiftPlan = getattr(plan, name).shift
            if study.tests and study.pairs:
                found.append(study)
        except LackingError as error:
            lacking.append(str(error))
    if not found:
        raise LackingError("; ".join(lacking))
    return found


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """A row of two panels per other test set."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, recovered, style

    table = recovered.read(table, about)
    columns = ["setting", "task", "tested"]
    kinds = {tuple(map(str, kind)): list(_lines(rows)) for kind, rows in table.groupby(columns, sort=False)}
    height = max(map(len, kinds.values())) * LINE + FRAME
    figure, axes = style.panels(len(kinds), 2, share="col", width=4.3, height=height, legend=1.6)
    found = bounds.basis(table, about.get("spread", "seeds"))
    for row, ((setting, task, tested), of_test) in zip(axes, kinds.items(), strict=True):
        for panel, value in zip(row, PANELS, strict=True):
            for place, (name, rows, accuracy, colour) in enumerate(of_test):
                _marks(panel, rows, name, accuracy if value == "accuracy" else value, place, colour, found)
            panel.set_ylim(len(of_test) - 0.5, -0.5)
            names = [name if value == "accuracy" else "" for name, *_ in of_test]
            panel.set_yticks(range(len(of_test)), names)
            panel.grid(axis="y", color="#f0f0f0")
        of_setting = "" if setting == pairs.NLP else f"{setting}: "
        row[0].set_title(f"{of_setting}{task}, scored on {tested} too")
    for panel, words in zip(axes[-1], PANELS.values(), strict=True):
        panel.set_xlabel(words)
    style.label_panels(axes.flat)
    entries = [
        Line2D([], [], color=style.GREY, marker="o", linewidth=1.2, markersize=5, markerfacecolor=face, label=words)
        for face, words in (("white", "own test set"), (style.GREY, "other test set"))
    ]
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    footer.add(figure, about, table, footer.spread(about, table).replace("band", "whiskers"))
    return figure


def _lines(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame, str, Any]]:
    """(name, rows, the column of its accuracy, colour) of supervisor, students and ceiling of every pair."""
    from w2s.figures import studies, style

    students = table.dropna(subset=["supervisor"])
    colours = studies.method_colours(table)
    for supervisor, of_supervisor in students.groupby("supervisor", sort=False):
        first = of_supervisor[of_supervisor["method"] == of_supervisor["method"].iloc[0]]
        own = first[first["student"] == first["student"].iloc[0]]
        yield f"supervisor {supervisor}", own.assign(pgr=math.nan), "weak", style.GREY
        for student, rows in of_supervisor.groupby("student", sort=False):
            for method, of_method in rows.groupby("method", sort=False):
                yield (
                    f"{student}, {style.METHOD_WORDS.get(str(method), method)}",
                    of_method,
                    "accuracy",
                    colours[str(method)],
                )
    for student, rows in table[table["method"] == pairs.TRUTH].groupby("student", sort=False):
        yield f"ceiling {student}", rows.assign(pgr=math.nan), "accuracy", style.TRUTH_COLOUR


def _marks(panel: Axes, rows: pd.DataFrame, name: str, value: str, place: int, colour: Any, found: str | None) -> None:
    """The means over seeds in distribution and out of it, with their whiskers."""
    from w2s.figures import bounds, hover

    means = rows.groupby("distribution")[value].mean().dropna() * 100
    ends = bounds.of(rows, value, found, by="distribution")
    for distribution, mean in means.items():
        height = place + APART[str(distribution)]
        low, high = (float(end.get(distribution, math.nan)) for end in ends) if ends else (math.nan, math.nan)
        face = colour if distribution == shift.OUT else "white"
        panel.plot([low, high], [height] * 2, color=colour, linewidth=1.1, zorder=3)
        drawn = panel.plot(
            [mean], [height], color=colour, marker="o", markersize=5, linestyle="none", markerfacecolor=face, zorder=4
        )
        where = rows["tested"].iloc[0] if distribution == shift.OUT else rows["task"].iloc[0]
        hover.say(drawn, hover.numbers([f"{name} on {where}"], value, [mean], ([low], [high])))
