"""The numbers behind a figure as text tables: what ``w2s table`` prints."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from w2s.analysis.aggregate import INTERVAL, MEDIAN

VALUES = (
    *("accuracy", "accuracy_hard", "pgr", "agreement", "agreement_right", "agreement_wrong", "legal"),
    *("pgr_auroc", "auroc", "brier", "ece", "overlap"),
    *("gain_squared", "misfit_squared", "gain_rate", "misfit_rate"),
)
PARTS = ("weak", "strong", "validation", "test")
GUARDS = ("bag_of_words_accuracy", "length_only_accuracy")
PLACE = ["method", "supervisor"]  # rows of a table; its columns are students
# Additional row labels, if a figure has them.
BESIDE = ("chain", "rating", "kind", "told", "who", "assistant", "tested", "distribution")
ROLES = ("supervisor", "student")  # actors of Figure 1
UNNAMED = {"supervisor": "-", "chain": "-", "assistant": "-"}


def tables(rows: pd.DataFrame) -> Iterator[str]:
    """A heading and a table for every value: medians over tasks, or single tasks if the figure has no medians."""
    if "candidates" in rows:
        shown = rows.set_index("task")[["licence", "candidates", "equalised", "balanced", *PARTS]]
        shown = shown.fillna({"licence": ""})  # a task of the user's own has none
        yield f"examples at each step, and in each part\n{shown.to_string()}"
        guards = (rows.set_index("task")[["positive_share", *GUARDS]] * 100).round(1)
        yield f"class 1 (%), and test accuracy from words or lengths alone (%)\n{guards.to_string(na_rep='')}"
        return
    if "capability" in rows:
        for _, actors in rows.groupby("panel", sort=False):
            supervisor, student = (
                " ".join(actors.loc[actors["role"] == role, "actor"].iloc[0].split()) for role in ROLES
            )
            yield f"{actors['title'].iloc[0]}: {supervisor} supervises {student}"
        return
    if "difficulty" in rows:
        for row in rows.to_dict("records"):
            rating = "not rated" if pd.isna(row["rating"]) else f"rated {row['rating']:.0f}"
            said = (f"{row['difficulty']} puzzle {row['puzzle']}, {rating}", row["fen"], row["prompt"])
            yield "\n".join([*said, f'label "{row["answer"]}"'])
        return
    if "role" in rows:
        yield from _probed(rows)
        return
    if "whose" in rows:
        for row in rows.to_dict("records"):
            yield f"{row['title']} ({row['task']}), {row['whose']}\n{row['prompt']}"
        return
    if "rung" in rows:
        yield from _simulated(rows)
        return
    if "stopping" in rows:
        yield from _stopping(rows[rows["task"] == MEDIAN])
        return
    settings = list(dict.fromkeys(rows["setting"]))
    for setting in settings:
        yield from _compared(rows[rows["setting"] == setting], f"{setting}: " if len(settings) > 1 else "")


def _probed(rows: pd.DataFrame) -> Iterator[str]:
    """Table 3: one row per model, one column per schedule, the paper's numbers below ours."""
    rows = rows.assign(student=rows["student"].fillna(rows["supervisor"]))
    for value in ("accuracy", "paper_accuracy", "pgr", "paper_pgr"):
        known = rows.dropna(subset=[value])
        if known.empty:
            continue
        cells = known.groupby(["role", "student", "schedule"], sort=False)[value].mean().reset_index()
        percent = cells.assign(**{value: (cells[value] * 100).round(1)})
        grid = percent.pivot_table(index=["role", "student"], columns="schedule", values=value, sort=False)
        yield f"{value.replace('_', ' of ')} (%), mean over seeds; columns are schedules\n{grid.to_string(na_rep='')}"


def _compared(rows: pd.DataFrame, which: str) -> Iterator[str]:
    """The tables of one setting. which: prefix of headings. Of training curves only the end is shown."""
    if "evaluation" in rows:
        rows = rows[rows["evaluation"] == rows["evaluation"].max()]
    rows = rows[rows["method"].notna()]
    order = [str(name) for name in rows.sort_values("student_compute")["student"].dropna().unique()]
    middle = rows[rows["task"] == MEDIAN]
    shown, place, what = (middle, PLACE, "median over tasks, ") if len(middle) else (rows, ["task", *PLACE], "")
    place = [name for name in (*place, *BESIDE) if name in shown]
    for value in VALUES:
        if value in shown and shown[value].notna().any():
            grid = _grid(shown, place, value, order)
            yield f"{which}{value} (%), {what}mean over seeds; columns are students\n{grid}"
    intervals = rows[rows["task"] == INTERVAL]
    if "pgr_low" in intervals and intervals["pgr_low"].notna().any():
        known = intervals.dropna(subset=["pgr_low"])
        low, high = ((known[name] * 100).map("{:.1f}".format) for name in ("pgr_low", "pgr_high"))
        place = [*PLACE, *(name for name in ("who", "assistant") if name in known)]
        text = _spread(known.assign(interval=low + " to " + high), place, "interval", order)
        yield f"{which}pgr (%), 95% bootstrap interval over tasks\n{text}"


def _grid(rows: pd.DataFrame, place: list[str], value: str, order: list[str]) -> str:
    filled = rows.fillna(UNNAMED)
    cells = filled.groupby([*place, "student"], sort=False)[value].mean().reset_index()
    return _spread(cells.assign(**{value: (cells[value] * 100).round(1)}).dropna(subset=[value]), place, value, order)


def _spread(cells: pd.DataFrame, place: list[str], value: str, order: list[str]) -> str:
    """One row per line of the table, one column per student."""
    filled = cells.fillna(UNNAMED)
    grid = filled.pivot_table(index=place, columns="student", values=value, sort=False, aggfunc="first")
    return grid[[name for name in order if name in grid]].to_string(na_rep="")


def _simulated(rows: pd.DataFrame) -> Iterator[str]:
    """Tables of labellers and students by number of features of one model."""
    for panel, some in rows.groupby("panel", sort=False):
        order = [str(name) for name in dict.fromkeys(some["student"])]
        for value in ("accuracy", "agreement"):
            grid = _grid(some, ["labels"], value, order)
            yield f"{panel}: {value} (%), mean over seeds and draws; columns are students\n{grid}"


def _stopping(rows: pd.DataFrame) -> Iterator[str]:
    columns = ["pgr", "pgr_sem", "pgr_low", "pgr_high"]
    percent = (rows.set_index("stopping")[columns] * 100).round(1)
    yield f"pgr (%), median over pairs and tasks, by early stopping rule\n{percent.to_string(na_rep='')}"
