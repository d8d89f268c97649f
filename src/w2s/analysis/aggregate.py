"""From one row a run to one row a cell: medians over tasks, and how sure they are.

A *cell* is a method, a supervisor and a student (in sandwiching also who answers, and who assists; of easy examples
also the share that is trained on). Rows that
aggregate stand in the same table as those they come from; their ``task`` is ``MEDIAN`` (one row a cell and seed) or
``INTERVAL`` (one row a cell).
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from w2s.analysis.bootstrap import Estimate, bounds_of, interval_over_tasks, number
from w2s.analysis.results import Row

if TYPE_CHECKING:
    import pandas as pd

MEDIAN = "median"  # stands for the task in rows that hold medians over tasks
INTERVAL = "interval"  # stands for the task in rows that hold <value>_low and <value>_high of those medians
COMPARED = ("accuracy", "pgr", "pgr_inverted_kept")  # what is aggregated of rows that compare students and truth
CELL = ("setting", "method", "supervisor", "student", "who", "assistant", "share")  # what tells cells apart
SHARED = (*CELL, "supervisor_compute", "student_compute")


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """The rows that a figure of curves draws: medians (and intervals) of a setting that has them, else all."""
    aggregated = table["task"].isin([MEDIAN, INTERVAL])
    without = ~table["setting"].isin(table.loc[aggregated, "setting"])
    return table[aggregated | without]


def without_aggregates(table: pd.DataFrame) -> pd.DataFrame:
    """The rows about single tasks: no medians and no intervals."""
    return table[~table["task"].isin([MEDIAN, INTERVAL])]


def has_medians(table: pd.DataFrame) -> bool:
    """Whether rows hold medians over tasks."""
    return bool((table["task"] == MEDIAN).any())


def with_aggregates(rows: Sequence[Row], values: Sequence[str] = COMPARED) -> list[Row]:
    """The rows, then their medians over tasks, then the intervals about those."""
    return [*rows, *medians(rows, values), *interval_rows(rows, values)]


def medians(rows: Sequence[Row], values: Sequence[str] = COMPARED) -> Iterator[Row]:
    """Medians over tasks, as the paper aggregates, one row a cell and seed, with the number of tasks behind each.

    ``undefined`` adds up the tasks whose PGR is undefined although the pair has a ceiling.
    """
    for cell in _cells(rows, by_seed=True):
        middle: Row = {name: Estimate.median(row[name] for row in cell) for name in values if name in cell[0]}
        if any("undefined" in row for row in cell):
            middle["undefined"] = sum(row.get("undefined", 0) for row in cell)
        yield {"task": MEDIAN, "seed": cell[0]["seed"]} | _shared(cell[0]) | middle | {"tasks": len(cell)}


def interval_rows(rows: Sequence[Row], values: Sequence[str] = COMPARED) -> Iterator[Row]:
    """95% intervals of the median over tasks of each task's mean over seeds, one row a cell.

    ``<value>_low`` and ``_high`` are over tasks; where values have draws of test examples, ``<value>_examples_low`` and
    ``_high`` are over these, given tasks and seeds: of what curves show, the mean over seeds of medians. A cell in
    which no value has enough tasks for the former, and none draws for the latter, has no row.
    """
    for cell in _cells(rows, by_seed=False):
        bounds: Row = {}
        for name in values:
            if name in cell[0]:
                seen = [(str(row["task"]), number(row[name])) for row in cell]
                bounds[f"{name}_low"], bounds[f"{name}_high"] = interval_over_tasks(seen)
                bounds |= bounds_of(name, Estimate.mean(Estimate.median(some) for some in _by_seed(cell, name)))
        if not all(math.isnan(bound) for bound in bounds.values()):
            yield {"task": INTERVAL} | _shared(cell[0]) | bounds


def mean_intervals(rows: Sequence[Row], value: str = "accuracy") -> Iterator[Row]:
    """Likewise of means over tasks, seeds and draws of examples in the prompt: over test examples, one row a cell."""
    for cell in _cells(rows, by_seed=False):
        if bounds := bounds_of(value, Estimate.mean(row[value] for row in cell)):
            yield {"task": INTERVAL} | _shared(cell[0]) | bounds


def _by_seed(cell: Sequence[Row], name: str) -> list[list[Estimate | float]]:
    """A value's tasks, seed by seed."""
    found: dict[object, list[Estimate | float]] = defaultdict(list)
    for row in cell:
        found[row["seed"]].append(row[name])
    return list(found.values())


def _shared(row: Row) -> Row:
    return {name: row[name] for name in SHARED if name in row}


def _cells(rows: Sequence[Row], *, by_seed: bool) -> list[list[Row]]:
    cells: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        cell = tuple(row.get(name) for name in CELL)
        cells[cell + ((row["seed"],) if by_seed else ())].append(row)
    return list(cells.values())
