"""Two experiments' numbers beside each other: which of their cells belong together, and how sure differences are.

A *cell* is a method, supervisor and student of a setting (and a chain, or what generative finetuning began with). Its
numbers are accuracy and PGR on a task, or their median over the tasks that both experiments have. Differences are the
first experiment's minus the second's.

Intervals are 95%. Of medians: a bootstrap that draws whole tasks, the same for both. Of a single task: every run's
accuracy moves by its standard error (the spread between seeds, or that of a share of the test examples where it is
larger, over the root of the number of seeds); two runs in matching cells move together as much as they did over the
seeds that both experiments have, and a run that both share moves once. PGR is of means over seeds and follows from
those moves; it is undefined where the ceiling is no better than the supervisor (``w2s.analysis.pgr``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.analysis.bootstrap import (
    FEWEST_TASKS,
    MEDIAN_TASKS,
    SEED,
    binomial_errors,
    drawn_tasks,
    error_of_mean,
    interval,
    median_of_draws,
    pooled_deviation,
)
from w2s.analysis.pairs import TRUTH
from w2s.analysis.pgr import pgr, pgr_of_draws
from w2s.claims.cells import missing

SOURCES = ("fig12", "fig5", "fig3", "fig4", "fig10", "methods")  # whose tables hold supervisors, students and ceilings
VALUES = ("accuracy", "weak", "ceiling")
DRAWS = 4000
CLOSEST = 0.99  # correlation over seeds that is believed at most
SAME = "the same runs"

Row = Mapping[str, Any]
Keys = tuple[str | None, str | None, str | None]  # of a cell's own run, its supervisor's and its ceiling's
Array = np.ndarray[Any, Any]


class Cell(NamedTuple):
    """What tells a table's rows apart, by its columns; "" where a row does not say."""

    method: str
    supervisor: str
    student: str
    chain: str = ""
    supervisor_start: str = ""
    start: str = ""


def no_keys(task: str, cell: Cell, seed: str) -> Keys:
    """Of numbers whose runs are not known: none is taken for shared."""
    return None, None, None


class Side:
    """One experiment's numbers in one setting. rows: of several tables; a run that stands in many counts once.

    sizes: task ("" for all others) -> test examples. keys: of the runs behind a cell's numbers on a task at a seed.
    """

    def __init__(
        self, rows: Iterable[Row], sizes: Mapping[str, int], keys: Callable[[str, Cell, str], Keys] = no_keys
    ) -> None:
        self.keys = keys
        self.values: dict[tuple[str, Cell], dict[str, tuple[float, ...]]] = {}  # (task, cell) -> seed -> VALUES
        self.compute: dict[str, float] = {}
        self._sizes = sizes
        for row in rows:
            if row["task"] in (MEDIAN, INTERVAL) or missing(row.get("student")) or missing(row.get("accuracy")):
                continue
            cell = Cell(*("" if missing(row.get(name)) else str(row[name]) for name in Cell._fields))
            values = tuple(math.nan if missing(row.get(name)) else float(row[name]) for name in VALUES)
            self.values.setdefault((str(row["task"]), cell), {}).setdefault(str(int(row["seed"])), values)
            for role in ("supervisor", "student"):
                if not missing(row.get(role)) and not missing(row.get(f"{role}_compute")):
                    self.compute[str(row[role])] = float(row[f"{role}_compute"])
        self.spread = pooled_deviation([one[0] for one in seeds.values()] for seeds in self.values.values())

    @property
    def tasks(self) -> list[str]:
        """In the order of the tables."""
        return list(dict.fromkeys(task for task, _ in self.values))

    @property
    def cells(self) -> list[Cell]:
        """The same."""
        return list(dict.fromkeys(cell for _, cell in self.values))

    @property
    def rungs(self) -> list[str]:
        """Weakest first."""
        return sorted(self.compute, key=lambda name: self.compute[name])

    def means(self, task: str, cell: Cell) -> Array:
        """(3,): accuracy, the supervisor's, the ceiling's, each its mean over seeds; NaN where there is none."""
        seeds = self.values.get((task, cell))
        found: Array = np.array(list(seeds.values())).mean(axis=0) if seeds else np.full(3, math.nan)
        return found

    def errors(self, task: str, cell: Cell) -> Array:
        """(3,): standard errors of these; NaN where neither seeds nor the test set tell."""
        size = self._sizes.get(task, self._sizes.get("", math.nan))
        shares = binomial_errors(self.means(task, cell), [size] * 3)
        return error_of_mean(shares, self.spread, len(self.values.get((task, cell), {0: 0})))

    def pgr(self, task: str, cell: Cell) -> float:
        """Of means over seeds; NaN where it is undefined, or the student is no larger than its supervisor."""
        reached, weak, ceiling = map(float, self.means(task, cell))
        return pgr(weak, reached, ceiling) if self.grows(cell) else math.nan

    def grows(self, cell: Cell) -> bool:
        """Whether a cell's student is larger than its supervisor."""
        return self.compute.get(cell.student, 0) > self.compute.get(cell.supervisor, math.inf)


@dataclass(frozen=True)
class Matched:
    """Which names of the second experiment stand where those of the first do."""

    rungs: Mapping[str, str]  # first -> second
    methods: Mapping[str, str]
    by_rank: bool  # ladders have no name in common: weakest with weakest, and so on

    def cell(self, cell: Cell) -> Cell | None:
        """The second experiment's cell for one of the first; None if it has none."""
        method, student = self.methods.get(cell.method), self.rungs.get(cell.student)
        supervisor = self.rungs.get(cell.supervisor) if cell.supervisor else ""
        if method is None or supervisor is None or student is None or (cell.chain and self.by_rank):
            return None
        return cell._replace(method=method, supervisor=supervisor, student=student)


def match(first: Side, second: Side) -> Matched:
    """By name. Ladders that share no name: by rank. One method left on either side: these two."""
    common = [name for name in first.rungs if name in second.compute]
    rungs = dict(zip(common, common, strict=True)) or dict(zip(first.rungs, second.rungs, strict=False))
    ours, theirs = (list(dict.fromkeys(cell.method for cell in side.cells)) for side in (first, second))
    methods = {name: name for name in ours if name in theirs}
    alone = [name for name in ours if name not in methods], [name for name in theirs if name not in methods]
    if len(alone[0]) == len(alone[1]) == 1:
        methods[alone[0][0]] = alone[1][0]
    return Matched(rungs, methods, by_rank=not common)


def settings_of(rows: Sequence[Row]) -> list[str]:
    """In the order of the tables."""
    return list(dict.fromkeys(str(row["setting"]) for row in rows if not missing(row.get("setting"))))


def rows_of(tables: Mapping[str, Sequence[Row]]) -> list[Row]:
    """The rows of all tables that compare students with supervisors and ceilings."""
    return [row for name in SOURCES for row in tables.get(name, []) if "accuracy" in row and "seed" in row]


def paired(first: Side, second: Side, matched: Matched) -> tuple[list[str], list[tuple[Cell, Cell]]]:
    """(tasks that both have, cells of the first with those of the second that stand in their place)."""
    tasks = [task for task in first.tasks if task in second.tasks]
    theirs = set(second.cells)
    pairs = [(cell, other) for cell in first.cells if (other := matched.cell(cell)) is not None and other in theirs]
    return tasks, pairs


def compare(first: Side, second: Side, matched: Matched) -> list[dict[str, Any]]:
    """A row a cell for the medians over shared tasks, then a row a cell and shared task."""
    tasks, pairs = paired(first, second, matched)
    together = _correlation(first, second, tasks, pairs)
    rng = np.random.default_rng(SEED)
    drawn = drawn_tasks(len(tasks), DRAWS, rng) if len(tasks) >= MEDIAN_TASKS else None
    rows = [] if drawn is None else [_medians(first, second, pair, tasks, drawn) for pair in pairs]
    for task in tasks:
        for pair in pairs:
            if (task, pair[0]) in first.values and (task, pair[1]) in second.values:
                rows.append(_single(first, second, pair, task, together, rng))
    return rows


def _row(pair: tuple[Cell, Cell], task: str, numbers: Mapping[str, tuple[float, ...]], basis: str) -> dict[str, Any]:
    cell, other = pair
    row: dict[str, Any] = {"task": task}
    for name, ours, theirs in zip(Cell._fields, cell, other, strict=True):
        row |= {f"{name}_first": ours, f"{name}_second": theirs}
    for value, (one, another, low, high) in numbers.items():
        row |= {f"{value}_first": one, f"{value}_second": another, f"{value}_difference": one - another}
        row |= {f"{value}_low": low, f"{value}_high": high}
    return row | {"basis": basis}


def _medians(first: Side, second: Side, pair: tuple[Cell, Cell], tasks: Sequence[str], drawn: Array) -> dict[str, Any]:
    sides = ((first, pair[0]), (second, pair[1]))
    accuracy = np.array([[side.means(task, cell)[0] for task in tasks] for side, cell in sides])
    recovered = np.array([[side.pgr(task, cell) for task in tasks] for side, cell in sides])
    same = all(_same_run(first, second, pair, task, 0) for task in tasks)
    numbers = {"accuracy": _of_medians(accuracy, drawn), "pgr": _of_medians(recovered, drawn)}
    return _row(pair, MEDIAN, numbers, SAME if same else _basis(len(tasks)))


def _basis(tasks: int) -> str:
    few = f"no interval: {tasks} tasks are fewer than {FEWEST_TASKS}"
    return f"bootstrap over {tasks} tasks, paired" if tasks >= FEWEST_TASKS else few


def _of_medians(values: Array, drawn: Array) -> tuple[float, float, float, float]:
    """(first, second, low, high of the difference) of the tasks that have both. values: (2, tasks)."""
    known: Array = np.isfinite(values.sum(axis=0))
    if known.sum() < MEDIAN_TASKS:
        return math.nan, math.nan, math.nan, math.nan
    values = np.where(known, values, np.nan)
    ours, theirs = median_of_draws(values)
    if known.sum() < FEWEST_TASKS:
        return float(ours), float(theirs), math.nan, math.nan
    medians = median_of_draws(values[:, drawn])
    return float(ours), float(theirs), *interval(medians[0] - medians[1])


def _single(
    first: Side, second: Side, pair: tuple[Cell, Cell], task: str, together: float, rng: np.random.Generator
) -> dict[str, Any]:
    sides = ((first, pair[0]), (second, pair[1]))
    means = [side.means(task, cell) for side, cell in sides]
    errors = [side.errors(task, cell) for side, cell in sides]
    ours = rng.standard_normal((DRAWS, 3))
    theirs = together * ours + math.sqrt(1 - together**2) * rng.standard_normal((DRAWS, 3))
    shared = [_same_run(first, second, pair, task, number) for number in range(3)]
    theirs[:, shared] = ours[:, shared]
    moved = [mean + error * move for mean, error, move in zip(means, errors, (ours, theirs), strict=True)]
    recovered = [side.pgr(task, cell) for side, cell in sides]
    ratios = [pgr_of_draws(weak, student, ceiling) for student, weak, ceiling in (one.T for one in moved)]
    numbers = {
        "accuracy": (means[0][0], means[1][0], *interval(moved[0][:, 0] - moved[1][:, 0])),
        "pgr": (*recovered, *(interval(ratios[0] - ratios[1]) if np.isfinite(recovered).all() else (math.nan,) * 2)),
    }
    seeds = len(set(first.values[task, pair[0]]) & set(second.values[task, pair[1]]))
    basis = f"paired over {seeds} seeds" if seeds > 1 else "runs taken as independent"
    return _row(pair, task, numbers, SAME if shared[0] else basis)


def _correlation(first: Side, second: Side, tasks: Sequence[str], pairs: Sequence[tuple[Cell, Cell]]) -> float:
    """Of runs in the same place over the seeds that both have, shared runs aside; 0 where that is not known."""
    apart: list[Array] = []
    for task in tasks:
        for pair in pairs:
            ours, theirs = first.values.get((task, pair[0]), {}), second.values.get((task, pair[1]), {})
            seeds = [seed for seed in ours if seed in theirs]
            if len(seeds) > 1 and not _same_run(first, second, pair, task, 0):
                apart.append(np.array([ours[seed][0] - theirs[seed][0] for seed in seeds]))
    each = (first.spread**2 + second.spread**2) / 2
    if not apart or not each > 0:
        return 0.0
    return float(np.clip(1 - pooled_deviation(apart) ** 2 / (2 * each), 0, CLOSEST))


def _same_run(first: Side, second: Side, pair: tuple[Cell, Cell], task: str, number: int) -> bool:
    """Whether the cell's own run (0), its supervisor's (1) or its ceiling (2) is the same at every seed."""
    ours, theirs = first.values.get((task, pair[0]), {}), second.values.get((task, pair[1]), {})
    if ours.keys() != theirs.keys():
        return False
    found = [(first.keys(task, pair[0], seed)[number], second.keys(task, pair[1], seed)[number]) for seed in ours]
    return all(one is not None and one == other for one, other in found)


def is_ceiling(cell: Cell) -> bool:
    """Whether it is a ground-truth run."""
    return cell.method == TRUTH
