"""A figure's table as numbers with their noise: what the rules of claims compute on.

A *cell* is a method, supervisor and student (and a stopping rule, a chain or whatever else tells rows apart). Every
value is an array over draws: the first is the table itself, the others are how it could have come out as well. So a
rule is ordinary arithmetic, written once, and its interval is what it gives over the draws.

Draws are of one of four kinds (``Cells.kind``):

* tasks: with three tasks or more, whole tasks are drawn with replacement, the same for all cells (paired). This
  covers seeds and test examples, because every task comes with its own;
* runs: with fewer, each run's accuracy moves by its standard error: the spread between seeds (pooled over all runs, so
  two seeds are enough), or that of a share of the test examples where it is larger. A run moves alike wherever it
  stands in a table; runs of a task move together as far as they share what is hard in its test examples, by the paired
  errors of gaps (column ``gap_error``), and not at all where the table has none;
* none: neither is known, so there are no draws and nothing can be decided;
* exact: values are taken as they are (the paper's own).

PGR is not taken from the table but of each task's means over seeds, by the one rule (``w2s.analysis.pgr``): undefined
where the ceiling is no better than the supervisor. PGRs whose gap is within noise are counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.analysis.bootstrap import (
    FEWEST_TASKS,
    SEED,
    binomial_error,
    binomial_errors,
    drawn_tasks,
    error_of_mean,
    interval,
    mean_of_draws,
    median_of_draws,
    pooled_deviation,
)
from w2s.analysis.pairs import TRUTH
from w2s.analysis.pgr import pgr_of_draws, within_noise
from w2s.errors import LackingError

DRAWS = 2000
TYPICAL = 0.75  # an accuracy, for the noise floor
GAP = "gap"  # in spreads: of the ceiling above the supervisor
PAIRED = "gap_error"  # column: standard error of that gap on the same test examples
JUDGED = ("accuracy", "weak", "ceiling")  # shares of the same test examples
ANY_TASK = ""  # in sizes: of tasks that are not named
VALUES = (
    "accuracy",
    "accuracy_hard",
    "weak",
    "ceiling",
    "pgr",
    "agreement",
    "agreement_right",
    "agreement_wrong",
)
SIZE = {"accuracy_hard": "examples_hard"}  # value -> column with its number of test examples; else ``examples``

Kind = Literal["tasks", "runs", "none", "exact"]
Draws = np.ndarray[Any, Any]  # (1 + draws,)


class Cell(NamedTuple):
    """What tells rows apart, by the columns of tables; None where a row does not say."""

    method: Any
    supervisor: Any
    student: Any
    stopping: Any = None
    chain: Any = None
    panel: Any = None
    rating: Any = None
    cutoff: Any = None
    kind: Any = None
    labels: Any = None
    told: Any = None  # whether prompts have a label hint
    share: Any = None  # of the examples that is trained on

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Cell:
        """That of a row."""
        return cls(*(None if missing(row.get(name)) else row[name] for name in cls._fields))


class Cells:
    """The rows of one setting.

    sizes: task (or ``ANY_TASK``) -> test examples, where rows have no column ``examples``.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        sizes: Mapping[str, int] | None = None,
        exact: bool = False,
    ) -> None:
        known = [row for row in rows if row.get("task") not in (MEDIAN, INTERVAL)]
        known = [row for row in known if not all(missing(row.get(name)) for name in VALUES)]
        if not known:
            raise LackingError("the table has no rows of this setting")
        self.compute = {
            str(row[role]): float(row[f"{role}_compute"])
            for row in known
            for role in ("supervisor", "student", "cutoff")
            if not missing(row.get(role)) and not missing(row.get(f"{role}_compute"))
        }
        self.tasks = sorted({str(row.get("task", "")) for row in known})
        of_task = Counter(task for task, _ in {(str(row.get("task", "")), str(row.get("seed", ""))) for row in known})
        self._seed_counts = np.array([of_task[task] for task in self.tasks])
        self.columns = [name for name in VALUES if any(not missing(row.get(name)) for row in known)]
        self._sizes = dict(sizes or {})
        self._values: dict[Cell, dict[str, Draws]] = {}  # means over seeds, one a task
        self._examples: dict[Cell, dict[str, Draws]] = {}
        self._spread: dict[str, float] = {}
        self._gap_errors: dict[Cell, Draws] = {}  # one a task, mean over seeds
        self._read(known)
        self._together = self._shared_noise()
        self.examples = self._fewest_examples()
        self.kind = self._kind(exact)
        self._rng = np.random.default_rng(SEED)
        count = 0 if self.kind in ("exact", "none") else DRAWS
        tasks = len(self.tasks)
        self._chosen = np.tile(np.arange(tasks), (1 + count, 1))
        if self.kind == "tasks":
            self._chosen[1:] = drawn_tasks(tasks, count, self._rng)
        self._moves: dict[tuple[str, Cell], Draws] = {}
        self._common = self._rng.standard_normal((1 + count, tasks))  # what all runs of a task share
        self._cache: dict[tuple[str, Cell], Draws] = {}

    # -- reading -------------------------------------------------------------------------------------------

    def _read(self, rows: Iterable[Mapping[str, Any]]) -> None:
        found: dict[tuple[Cell, str, str], dict[str, list[float]]] = {}
        gaps: dict[tuple[Cell, str], list[float]] = {}
        examples: dict[tuple[Cell, str, str], float] = {}
        for row in rows:
            cell, task, seed = Cell.of(row), str(row.get("task", "")), str(row.get("seed", ""))
            for name in self.columns:
                value = row.get(name)
                if missing(value):
                    continue
                found.setdefault((cell, task, name), {}).setdefault(seed, []).append(float(value or 0))
                size = row.get(SIZE.get(name, "examples"))
                examples[cell, task, name] = float(self._size(task) if missing(size) else size or 0)
            if self._grows(cell) and not missing(row.get("ceiling")) and not missing(row.get("weak")):
                gaps.setdefault((cell, task), []).append(float(row["ceiling"]) - float(row["weak"]))
            for table in (self._values, self._examples):
                table.setdefault(cell, {name: np.full(len(self.tasks), np.nan) for name in self.columns})
        numbers = {task: number for number, task in enumerate(self.tasks)}
        paired: dict[tuple[Cell, str], list[float]] = {}
        for row in rows:
            if not missing(row.get(PAIRED)):
                paired.setdefault((Cell.of(row), str(row.get("task", ""))), []).append(float(row[PAIRED]))
        for (cell, task), errors in paired.items():
            each = self._gap_errors.setdefault(cell, np.full(len(self.tasks), np.nan))
            each[numbers[task]] = np.mean(errors)
        by_column: dict[str, list[list[float]]] = {GAP: list(gaps.values())}
        for (cell, task, name), by_seed in found.items():
            values = [float(np.mean(some)) for some in by_seed.values()]
            self._values[cell][name][numbers[task]] = np.mean(values)
            self._examples[cell][name][numbers[task]] = examples[cell, task, name]
            by_column.setdefault(name, []).append(values)
        deviations = {name: pooled_deviation(groups) for name, groups in by_column.items()}
        self._spread = {name: found for name, found in deviations.items() if not math.isnan(found)}

    def _size(self, task: str) -> float:
        return self._sizes.get(task, self._sizes.get(ANY_TASK, math.nan))

    def _fewest_examples(self) -> float:
        """Test examples of the smallest test set; NaN if unknown."""
        sizes = [size for by_column in self._examples.values() for some in by_column.values() for size in some]
        known = [size for size in sizes if not math.isnan(size)]
        return min(known) if known else math.nan

    def _kind(self, exact: bool) -> Kind:
        if exact:
            return "exact"
        if len(self.tasks) >= FEWEST_TASKS:
            return "tasks"
        return "runs" if not math.isnan(self.examples) or self._spread else "none"

    @property
    def basis(self) -> str:
        """What intervals cover, in words."""
        if self.kind == "none":
            return "neither test examples nor seeds to tell noise from"
        fewest, most = self._seed_counts.min(), self._seed_counts.max()
        seeds = f"{most} seeds" if fewest == most else f"{fewest} to {most} seeds"
        seeds = "1 seed, whose spread is not known" if most < 2 else seeds
        parts = [seeds]
        if self.kind == "tasks":
            parts = [f"bootstrap over {len(self.tasks)} tasks", seeds]
        elif not math.isnan(self.examples):
            parts = [f"{self.examples:.0f} test examples", seeds]
        undefined, noisy, total = self.counts()
        counts = [f"{undefined} of {total} PGRs undefined"] if undefined else []
        counts += [f"{noisy} of {total} PGRs within noise"] if noisy else []
        return "; ".join([", ".join(parts), *counts])

    @property
    def floor(self) -> str:
        """The noise floor of one accuracy: of a share of the test set, and between seeds; "" if neither is known."""
        parts = []
        if not math.isnan(self.examples):
            error = 100 * binomial_error(TYPICAL, self.examples)
            parts.append(f"{error:.1f} points from {self.examples:.0f} test examples")
        if "accuracy" in self._spread:
            parts.append(f"{100 * self._spread['accuracy']:.1f} points between seeds")
        return ", ".join(parts)

    # -- what there is -------------------------------------------------------------------------------------

    def matching(self, **where: Any) -> list[Cell]:
        """Cells by their fields; None asks for cells that do not say, and what is not named is not asked for."""
        return [cell for cell in self._values if all(getattr(cell, name) == value for name, value in where.items())]

    def _only(self, **where: Any) -> Cell:
        """The one cell like that; LackingError if there is none, or several."""
        cells = self.matching(**where)
        if len(cells) != 1:
            raise LackingError(f"the table has {len(cells) or 'no'} rows for {_words(where)}")
        return cells[0]

    def names(self, role: str, **where: Any) -> list[str]:
        """Supervisors, students or methods (of cells like that), weakest first where they have compute."""
        found = dict.fromkeys(getattr(cell, role) for cell in self.matching(**where))
        return sorted((name for name in found if name is not None), key=lambda name: self.compute.get(name, 0.0))

    def pairs(self, **where: Any) -> list[tuple[str, str]]:
        """Supervisors and students with a PGR: the student strictly larger, and with a ceiling."""
        found = []
        for cell in self.matching(**where):
            pair = (cell.supervisor, cell.student)
            if self._grows(cell) and self._can_have_pgr(cell) and pair not in found:
                found.append(pair)
        if not found:
            raise LackingError(f"the table has no pair with a PGR for {_words(where)}")
        return sorted(found, key=lambda pair: (self.compute[pair[0]], self.compute[pair[1]]))

    def _grows(self, cell: Cell) -> bool:
        """Whether a cell's student is larger than its supervisor."""
        weak, strong = cell.supervisor, cell.student
        if weak is None or strong is None:
            return False
        return self.compute.get(strong, 0) > self.compute.get(weak, math.inf)

    def _same_size(self, cell: Cell) -> bool:
        """Whether a cell's student is known to be no larger than its supervisor."""
        known = cell.supervisor in self.compute and cell.student in self.compute
        return known and not self._grows(cell)

    def _can_have_pgr(self, cell: Cell) -> bool:
        """Whether a cell has a ceiling, or a PGR that is given."""
        return any(name in self.columns and not np.isnan(self._values[cell][name]).all() for name in ("ceiling", "pgr"))

    # -- values --------------------------------------------------------------------------------------------

    def value(self, column: str, **where: Any) -> Draws:
        """The median over tasks of a column (or ``pgr``) in the one cell like that. LackingError if there is none."""
        return self.at(column, self._only(**where))

    def at(self, column: str, cell: Cell) -> Draws:
        """The same, of a cell; undefined where there are three tasks but fewer have a value."""
        if (column, cell) not in self._cache:
            each = self._each(column, cell)
            few = self.kind == "tasks" and (~np.isnan(each[0])).sum() < FEWEST_TASKS
            self._cache[column, cell] = np.full(len(each), np.nan) if few else median_of_draws(each)
        return self._cache[column, cell]

    def pooled(self, column: str, **where: Any) -> Draws:
        """The median over all tasks and all cells like that together, as the paper's Figure 13b takes it."""
        cells = self.matching(**where)
        if not cells:
            raise LackingError(f"the table has no rows for {_words(where)}")
        return median_of_draws(np.concatenate([self._each(column, cell) for cell in cells], axis=1))

    def mean_over_tasks(self, column: str, **where: Any) -> Draws:
        """The mean over tasks in the one cell like that."""
        return mean_of_draws(self._each(column, self._only(**where)))

    def _each(self, column: str, cell: Cell) -> Draws:
        """(draws, tasks)."""
        if column == "pgr":
            return self._pgr(cell)
        if column == "supervisor_accuracy" and "weak" not in self.columns:
            return self._supervisor_accuracy(cell)
        name = "weak" if column == "supervisor_accuracy" else column
        if name not in self.columns:
            raise LackingError(f"the table has no column {name!r}")
        return self._drawn(name, cell)

    def _drawn(self, column: str, cell: Cell) -> Draws:
        values = self._values[cell][column][self._chosen]
        return values + self._moved(column, cell) if self.kind == "runs" else values

    def _moved(self, column: str, cell: Cell) -> Draws:
        """(draws, tasks): by how much a run's value would be another; 0 in the first draw. One run, one move."""
        run, name = cell, column
        if column == "weak":
            run, name = Cell(TRUTH, None, cell.supervisor), "accuracy"
        elif column == "ceiling" or (column == "accuracy" and (cell.method, cell.supervisor) == (TRUTH, None)):
            run, name = Cell(TRUTH, None, cell.student), "accuracy"
        key = (name, run)
        if key not in self._moves:
            drawn = self._rng.standard_normal((len(self._chosen), len(self.tasks)))
            drawn[0] = 0
            self._moves[key] = drawn
        own, error = self._moves[key], self._error(column, cell)
        if column not in JUDGED or not self._together:
            moved: Draws = own * error
        else:  # test examples are shared, what a seed adds is not
            examples = np.fmin(self._of_examples(column, cell) / np.sqrt(self._seed_counts), error)
            shared = math.sqrt(self._together) * np.nan_to_num(examples)
            moved = shared * self._common + own * np.sqrt(error**2 - shared**2)
        moved[0] = 0
        return moved

    def _shared_noise(self) -> float:
        """Correlation of two runs' accuracies over draws of test examples; 0 where the table has no paired errors.

        Var(ceiling - weak) = Var(ceiling) + Var(weak) - 2 correlation sd(ceiling) sd(weak), pooled over all gaps.
        """
        above = below = 0.0
        for cell, paired in self._gap_errors.items():
            weak, ceiling = (self._of_examples(name, cell) for name in ("weak", "ceiling"))
            known = ~np.isnan(weak + ceiling + paired)
            above += float((weak**2 + ceiling**2 - paired**2)[known].sum())
            below += float((2 * weak * ceiling)[known].sum())
        return min(1.0, max(0.0, above / below)) if below else 0.0

    def _of_examples(self, column: str, cell: Cell) -> Draws:
        """(tasks,): standard error of one run's share of test examples; NaN where their number is not known."""
        values, sizes = self._values[cell][column], self._examples[cell][column]
        return np.array(binomial_errors(values, sizes))

    def _error(self, column: str, cell: Cell) -> Draws:
        """(tasks,): standard error of a mean over seeds: of the spread between them, or of test examples if larger.

        NaN where neither is known: nothing is sure there.
        """
        of_examples = np.full(len(self.tasks), np.nan) if column == "pgr" else self._of_examples(column, cell)
        name = "accuracy" if column in ("weak", "ceiling") and "accuracy" in self._spread else column
        return error_of_mean(of_examples, self._spread.get(name, math.nan), self._seed_counts)

    def _pgr(self, cell: Cell) -> Draws:
        """Undefined where a task's ceiling is no better than its supervisor, and in draws where that is so."""
        if not {"accuracy", "weak", "ceiling"} <= set(self.columns) or np.isnan(self._values[cell]["ceiling"]).all():
            if "pgr" not in self.columns:
                raise LackingError("the table has no column 'pgr'")
            return self._drawn("pgr", cell)
        weak, reached, ceiling = (self._drawn(name, cell) for name in ("weak", "accuracy", "ceiling"))
        undefined = (self._gap(cell) <= 0)[self._chosen] | self._same_size(cell)
        return np.where(undefined, np.nan, pgr_of_draws(weak, reached, ceiling))

    def _gap(self, cell: Cell) -> Draws:
        """(tasks,): of the ceiling above the supervisor."""
        found: Draws = self._values[cell]["ceiling"] - self._values[cell]["weak"]
        return found

    def _within_noise(self, cell: Cell) -> Draws:
        """(tasks,): whether the gap is within noise by its standard error.

        That is of the spread of the gap between seeds, which leaves out what a seed does to both runs; with one seed,
        of the same test examples, or of the two runs taken as independent.
        """
        gap = self._gap(cell)
        errors = np.nan_to_num(np.hypot(self._error("ceiling", cell), self._error("weak", cell)))
        if cell in self._gap_errors:
            paired = self._gap_errors[cell] / np.sqrt(self._seed_counts)
            errors = np.where(np.isnan(paired), errors, paired)
        if GAP in self._spread:
            errors = self._spread[GAP] / np.sqrt(self._seed_counts)
        return np.array([within_noise(one, error) for one, error in zip(gap, errors, strict=True)])

    def _supervisor_accuracy(self, cell: Cell) -> Draws:
        """The supervisor's accuracy, from how often a student agrees at all, where it is right and where wrong."""
        every, right, wrong = (self._drawn(name, cell) for name in ("agreement", "agreement_right", "agreement_wrong"))
        with np.errstate(divide="ignore", invalid="ignore"):
            found = (every - wrong) / (right - wrong)
        return np.where((found >= 0) & (found <= 1), found, np.nan)

    def counts(self) -> tuple[int, int, int]:
        """(PGRs that are undefined, those defined by a gap within noise, all), over tasks and cells."""
        undefined = noisy = total = 0
        for cell in self._values:
            if "ceiling" not in self.columns or not self._grows(cell):
                continue
            gap = self._gap(cell)
            undefined += int((gap <= 0).sum())
            noisy += int(((gap > 0) & self._within_noise(cell)).sum())
            total += int((~np.isnan(gap)).sum())
        return undefined, noisy, total

    # -- over cells ----------------------------------------------------------------------------------------

    def slope(self, column: str, along: str, **where: Any) -> Draws:
        """Change for each decade of compute of ``along`` (supervisor or student), the other held fixed.

        Least squares with a level of its own for each line. PGR: pairs that can have one; else all pairs.
        """
        other = {"supervisor": "student", "student": "supervisor"}[along]
        pairs = self.pairs(**where) if column == "pgr" else self._all_pairs(**where)
        lines: dict[str, list[tuple[float, Draws]]] = {}
        for weak, strong in pairs:
            named = {"supervisor": weak, "student": strong}
            point = (math.log10(self.compute[named[along]]), self.value(column, **where, **named))
            lines.setdefault(named[other], []).append(point)
        above = below = np.zeros(len(self._chosen))
        for line in lines.values():
            y = np.array([values for _, values in line])
            x = np.where(np.isnan(y), np.nan, np.array([[decades] for decades, _ in line]))
            count = (~np.isnan(y)).sum(axis=0)
            with np.errstate(invalid="ignore", divide="ignore"):
                dx = x - np.nansum(x, axis=0) / count
            above = above + np.nansum(dx * y, axis=0)
            below = below + np.nansum(dx * dx, axis=0)
        if not (below > 0).any():
            raise LackingError(f"no {other} has two {along}s to compare")
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(below > 0, above / below, np.nan)

    def _all_pairs(self, **where: Any) -> list[tuple[str, str]]:
        found = [(cell.supervisor, cell.student) for cell in self.matching(**where) if cell.supervisor is not None]
        if not found:
            raise LackingError(f"the table has no students for {_words(where)}")
        return found

    @staticmethod
    def mean(values: Sequence[Draws]) -> Draws:
        """Mean of the defined ones."""
        return mean_of_draws(np.array(values).T)

    @staticmethod
    def median(values: Sequence[Draws]) -> Draws:
        """Median of the defined ones."""
        return median_of_draws(np.array(values).T)

    @staticmethod
    def lowest(values: Sequence[Draws]) -> Draws:
        """The least; undefined ones are left out."""
        grid = np.array(values)
        lowest = np.where(np.isnan(grid), np.inf, grid).min(axis=0)
        return np.where(np.isinf(lowest), np.nan, lowest)

    @staticmethod
    def ratio(part: Draws, whole: Draws) -> Draws:
        """A part of a whole; undefined where there is no whole."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole > 0, part / whole, np.nan)

    @staticmethod
    def share(values: Sequence[Draws], limit: float | Draws) -> Draws:
        """Share of the defined ones that lie above a limit."""
        grid = np.array(values)
        known = (~np.isnan(grid)).sum(axis=0)
        with np.errstate(invalid="ignore"):
            return np.where(known > 0, (grid > limit).sum(axis=0) / known, np.nan)

    def constant(self, value: float) -> Draws:
        """What is the same in every draw."""
        return np.full(len(self._chosen), value)

    def interval(self, draws: Draws) -> tuple[float, float, float]:
        """(value, low, high) of a measure; both bounds are the value itself where values are exact."""
        value = float(draws[0])
        if self.kind == "exact":
            return value, value, value
        if self.kind == "none" or math.isnan(value):
            return value, math.nan, math.nan
        return value, *interval(draws[1:])


def missing(value: Any) -> bool:
    """Whether a table has nothing there."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _words(where: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in where.items() if value is not None) or "anything"
