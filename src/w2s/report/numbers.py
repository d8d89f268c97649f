"""Smoke's numbers in the documentation: written from the figures' tables, never by hand.

A page has ``<!-- numbers: NAME -->`` and ``<!-- end of numbers -->`` around a table. ``make gallery`` writes the table
to ``docs/numbers/NAME.csv`` and into the page; a test compares the two.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from w2s.analysis.aggregate import without_aggregates
from w2s.errors import UserError
from w2s.report import elicited

BLOCK = re.compile(r"<!-- numbers: ([\w-]+) -->\n.*?<!-- end of numbers -->", re.DOTALL)
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class Numbers:
    """A table of the documentation. figures: whose tables it is made of; make: strings, a column each."""

    figures: tuple[str, ...]
    make: Callable[[Tables], pd.DataFrame]


def write(docs: Path, tables: Path) -> list[str]:
    """Write every table that pages have a place for. tables: the folder with the figures' CSV files.

    UserError for a name that is unknown, or a figure without table.
    """
    written = []
    for page in sorted(docs.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        names = [name for name in BLOCK.findall(text) if name not in KEPT]
        for name in names:
            frame = _made(name, tables, page)
            target = docs / "numbers" / f"{name}.csv"
            target.parent.mkdir(exist_ok=True)
            frame.to_csv(target, index=False)
        if names:
            page.write_text(filled(text, docs / "numbers"), encoding="utf-8")
            written += names
    return written


def _made(name: str, tables: Path, page: Path) -> pd.DataFrame:
    if name not in NUMBERS:
        raise UserError(f"{page}: no table {name!r} of numbers; allowed: {', '.join(NUMBERS)}")
    numbers = NUMBERS[name]
    absent = [figure for figure in numbers.figures if not (tables / f"{figure}.csv").is_file()]
    if absent:
        raise UserError(f"{page}: table {name!r} needs {', '.join(absent)} in {tables}; run `make figures` first")
    return numbers.make({figure: pd.read_csv(tables / f"{figure}.csv") for figure in numbers.figures})


def filled(text: str, folder: Path) -> str:
    """The page with the tables of a folder between its markers."""

    def block(found: re.Match[str]) -> str:
        frame = pd.read_csv(folder / f"{found[1]}.csv", dtype=str, keep_default_na=False)
        return f"<!-- numbers: {found[1]} -->\n\n{markdown(frame)}\n\n<!-- end of numbers -->"

    return BLOCK.sub(block, text)


def markdown(frame: pd.DataFrame) -> str:
    """A table of strings in Markdown."""
    lines = [list(frame.columns), ["---"] * len(frame.columns), *frame.to_numpy().tolist()]
    return "\n".join("|" + "".join(f" {cell} |" if cell else " |" for cell in cells) for cells in lines)


def _grid(head: str, columns: list[str], rows: Mapping[str, Mapping[str, float]]) -> pd.DataFrame:
    """A row for each name, a column each; in percent, one decimal; empty where there is no value."""

    def cell(value: float | None) -> str:
        return "" if value is None or pd.isna(value) else f"{100 * value:.1f}"

    return pd.DataFrame(
        [[name, *(cell(values.get(column)) for column in columns)] for name, values in rows.items()],
        columns=[head, *columns],
    )


def _rungs(table: pd.DataFrame) -> list[str]:
    return list(table.sort_values("student_compute", kind="stable")["student"].drop_duplicates())


def _by_rung(table: pd.DataFrame) -> dict[str, float]:
    return {str(rung): float(mean) for rung, mean in table.groupby("student")["accuracy"].mean().items()}


def _elicitation(tables: Tables) -> pd.DataFrame:
    return elicited.table(elicited.by_pair(tables["fig13"], tables["fig5"]))


def _by_labels(figure: str) -> Callable[[Tables], pd.DataFrame]:
    """A row for each method and whose labels it learns, a column for each rung."""
    return lambda tables: _methods(without_aggregates(tables[figure]))


def _methods(table: pd.DataFrame) -> pd.DataFrame:
    rows: dict[str, dict[str, float]] = {}
    for (method, supervisor), some in table.fillna({"supervisor": ""}).groupby(["method", "supervisor"], sort=False):
        rows[f"{method}, labels of {supervisor}" if supervisor else str(method)] = _by_rung(some)
    return _grid("accuracy (%)", _rungs(table), rows)


def _difficulty(tables: Tables) -> pd.DataFrame:
    table = tables["fig21"]
    rows = {
        f"{task}, {student}": {
            str(cutoff): float(mean) for cutoff, mean in some.groupby("cutoff")["accuracy"].mean().items()
        }
        for (task, student), some in table.groupby(["task", "student"], sort=False)
    }
    cutoffs = table.sort_values("cutoff_compute", kind="stable")["cutoff"].drop_duplicates()
    return _grid("test accuracy (%), trained up to", [str(cutoff) for cutoff in cutoffs], rows)


def _sandwiching(tables: Tables) -> pd.DataFrame:
    table = without_aggregates(tables["sandwiching"]).fillna({"assistant": ""})
    rows: dict[str, dict[str, float]] = {}
    for (pair, who, assistant), some in table.groupby(["supervisor", "who", "assistant"], sort=False):
        name = f"{pair}: {who}" + (f" ({assistant})" if assistant else "")
        rows[name] = {str(task): float(mean) for task, mean in some.groupby("task")["accuracy"].mean().items()}
    return _grid("test accuracy (%)", [str(task) for task in table["task"].drop_duplicates()], rows)


def _vision(tables: Tables) -> pd.DataFrame:
    table = tables["table3"].fillna({"supervisor": "", "student": ""})
    rows: dict[str, dict[str, float]] = {}
    for (supervisor, student), some in table.groupby(["supervisor", "student"], sort=False):
        name = " to ".join(part for part in (str(supervisor), str(student)) if part)
        for schedule, one in some.groupby("schedule", sort=False):
            values = {f"{schedule}: accuracy": one["accuracy"].mean(), f"{schedule}: PGR": one["pgr"].mean()}
            rows.setdefault(name, {}).update(values)
    columns = list(dict.fromkeys(column for values in rows.values() for column in values))
    return _grid("digits (%)", columns, rows)


# Tables of experiments that the gallery does not run; their pages say how they were made.
KEPT = (
    "chess-cpu",
    "real-cpu",
    "real-cpu-methods",
    "real-cpu-seeds",
    "real-probes",
    "real-tweets",
    "reward-cpu",
    "vision-real",
)
NUMBERS = {
    "elicitation": Numbers(("fig13", "fig5"), _elicitation),
    "prompting": Numbers(("fig9",), _by_labels("fig9")),
    "chess": Numbers(("fig15",), _by_labels("fig15")),
    "reward": Numbers(("fig10",), _by_labels("fig10")),
    "vision": Numbers(("table3",), _vision),
    "difficulty": Numbers(("fig21",), _difficulty),
    "sandwiching": Numbers(("sandwiching",), _sandwiching),
}
