"""The numbers behind a figure as text tables: what ``w2s table`` prints."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from w2s.analysis.aggregate import INTERVAL, MEDIAN

VALUES = ("accuracy", "pgr", "agreement", "agreement_right", "agreement_wrong")
PARTS = ("weak", "strong", "validation", "test")
GUARDS = ("bag_of_words_accuracy", "length_only_accuracy")
PLACE = ["method", "supervisor"]  # what a line of a table is about; its columns are students


def tables(rows: pd.DataFrame) -> Iterator[str]:
    """A headline and a table for every value: medians over tasks, or each task where the figure has no medians."""
    if "candidates" in rows:
        shown = rows.set_index("task")[["licence", "candidates", "equalised", "balanced", *PARTS]]
        yield f"examples at each step, and in each part\n{shown.to_string()}"
        guards = (rows.set_index("task")[["positive_share", *GUARDS]] * 100).round(1)
        yield f"class 1 (%), and what words or lengths alone tell on the test set (%)\n{guards.to_string(na_rep='')}"
        return
    if "stopping" in rows:
        yield from _stopping(rows[rows["task"] == MEDIAN])
        return
    order = [str(name) for name in rows.sort_values("student_compute")["student"].dropna().unique()]
    middle = rows[rows["task"] == MEDIAN]
    shown, place, what = (middle, PLACE, "median over tasks, ") if len(middle) else (rows, ["task", *PLACE], "")
    for value in VALUES:
        if value in shown:
            yield f"{value} (%), {what}mean over seeds; columns are students\n{_grid(shown, place, value, order)}"
    intervals = rows[rows["task"] == INTERVAL]
    if "pgr_low" in intervals and intervals["pgr_low"].notna().any():
        known = intervals.dropna(subset=["pgr_low"])
        low, high = ((known[name] * 100).map("{:.1f}".format) for name in ("pgr_low", "pgr_high"))
        text = _spread(known.assign(interval=low + " to " + high), PLACE, "interval", order)
        yield f"pgr (%), 95% bootstrap interval over tasks\n{text}"


def _grid(rows: pd.DataFrame, place: list[str], value: str, order: list[str]) -> str:
    filled = rows.fillna({"supervisor": "-"})
    cells = filled.groupby([*place, "student"], sort=False)[value].mean().reset_index()
    return _spread(cells.assign(**{value: (cells[value] * 100).round(1)}).dropna(subset=[value]), place, value, order)


def _spread(cells: pd.DataFrame, place: list[str], value: str, order: list[str]) -> str:
    """One line a place, one column a student."""
    filled = cells.fillna({"supervisor": "-"})
    grid = filled.pivot_table(index=place, columns="student", values=value, sort=False, aggfunc="first")
    return grid[[name for name in order if name in grid]].to_string(na_rep="")


def _stopping(rows: pd.DataFrame) -> Iterator[str]:
    columns = ["pgr", "pgr_sem", "pgr_low", "pgr_high"]
    percent = (rows.set_index("stopping")[columns] * 100).round(1)
    yield f"pgr (%), median over pairs and tasks, by when training stops\n{percent.to_string(na_rep='')}"
