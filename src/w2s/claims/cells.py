"""A figure's table as numbers, each with what it would be otherwise: what the rules of claims compute on.

A *cell* is a method, supervisor and student (and a stopping rule, a chain or whatever else tells rows apart). Every
value is an array, whose first entry is the table's own: the median (where the paper has it, the mean) over tasks of
means over seeds. The others are what the value would be from a part of the table. So a rule is ordinary arithmetic,
written once, and its interval comes from what it gives on the parts. Tables are of three kinds (``Cells.kind``):

* tasks: the parts are single tasks, and ``intervals.over_tasks`` bounds the rule's median over tasks. Each task comes
  with its own seeds and test examples, so these are covered;
* seeds (claims on one task): the parts are single seeds, followed by draws of the test examples, in which each run's
  accuracy moves by its standard error. A run moves alike wherever it stands in a table; runs of a task move together as
  far as they share what is hard in its test examples, by the paired errors of gaps (column ``gap_error``), and not at
  all where the table has none;
* exact: values are taken as they are (the paper's own).

PGR is computed by the one rule (``w2s.analysis.pgr``) from accuracies: undefined where the ceiling is no better than
the supervisor. PGRs whose gap is within noise are counted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np

from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.analysis.bootstrap import (
    FEWEST_TASKS,
    SEED,
    binomial_error,
    binomial_errors,
    mean_of_draws,
    median_of_draws,
    pooled_deviation,
)
from w2s.analysis.pairs import TRUTH
from w2s.analysis.pgr import pgr_of_draws, within_noise
from w2s.claims.claim import Rests
from w2s.claims.intervals import FEWEST_SEEDS, TAIL, over_seeds, over_tasks
from w2s.errors import LackingError

DRAWS = 2000
TYPICAL = 0.75  # an accuracy, for the noise floor
NEAR = 0.5  # decades: a rung stands for one of the paper's within so much compute
PAIRED = "gap_error"  # column: standard error of that gap on the same test examples
JUDGED = ("accuracy", "weak", "ceiling")  # shares of the same test examples
ANY_TASK = ""  # in sizes: of tasks that are not named
ROLES = ("supervisor", "student")
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

Kind = Literal["tasks", "seeds", "exact"]
Draws = np.ndarray[Any, Any]  # (1 + parts,)


class Cell(NamedTuple):
    """What tells rows apart, by the columns of tables; None where a row does not say."""

    method: Any
    supervisor: Any
    student: Any
    stopping: Any = None
    chain: Any = None
    panel: Any = None
    rating: Any = None
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

    sizes: task (or ``ANY_TASK``) -> test examples, where rows have no column ``examples``. one_task: the claims are on
    one task, so seeds and test examples decide. unit: of the rows' compute, as a fraction of GPT-4's.
    """

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        *,
        sizes: Mapping[str, int] | None = None,
        exact: bool = False,
        one_task: bool = False,
        unit: float = 1.0,
    ) -> None:
        known = [row for row in rows if row.get("task") not in (MEDIAN, INTERVAL)]
        known = [row for row in known if not all(missing(row.get(name)) for name in VALUES)]
        if not known:
            raise LackingError("the table has no rows of this setting")
        self.kind: Kind = "exact" if exact else "seeds" if one_task else "tasks"
        self.compute = {
            str(row[role]): float(row[f"{role}_compute"]) * unit
            for row in known
            for role in ROLES
            if not missing(row.get(role)) and not missing(row.get(f"{role}_compute"))
        }
        self.tasks = sorted({str(row.get("task", "")) for row in known})
        self.columns = [name for name in VALUES if any(not missing(row.get(name)) for row in known)]
        self.used: set[Cell] = set()  # by measures
        self._numbers = {task: number for number, task in enumerate(self.tasks)}
        repeats = {_repeat(row) for row in known}
        self._repeats = sorted(one for one in repeats if not any(_stands_for(one, other) for other in repeats - {one}))
        self._sizes = dict(sizes or {})
        self._by_repeat: dict[Cell, dict[str, Draws]] = {}  # (repeats, tasks)
        self._values: dict[Cell, dict[str, Draws]] = {}  # (tasks,), means over repeats
        self._examples: dict[Cell, dict[str, Draws]] = {}  # (tasks,)
        self._gap_errors: dict[Cell, Draws] = {}  # (tasks,), means over repeats
        self._read(known)
        self._together = self._shared_noise()
        self._rng = np.random.default_rng(SEED)
        self._common = self._rng.standard_normal((DRAWS, len(self.tasks)))  # what all runs of a task share
        self._moves: dict[tuple[str, Cell], Draws] = {}
        self._cache: dict[tuple[str, Cell], Draws] = {}

    # -- reading -------------------------------------------------------------------------------------------

    def _read(self, rows: Iterable[Mapping[str, Any]]) -> None:
        shape = (len(self._repeats), len(self.tasks))
        found: dict[tuple[Cell, str], dict[tuple[int, int], list[float]]] = {}
        paired: dict[tuple[Cell, int], list[float]] = {}
        for row in rows:
            cell, task = Cell.of(row), self._numbers[str(row.get("task", ""))]
            if cell not in self._examples:
                self._examples[cell] = {name: np.full(len(self.tasks), np.nan) for name in self.columns}
            repeats = [number for number, other in enumerate(self._repeats) if _stands_for(_repeat(row), other)]
            for name in self.columns:
                if missing(row.get(name)):
                    continue
                for repeat in repeats:
                    found.setdefault((cell, name), {}).setdefault((repeat, task), []).append(float(row[name]))
                size = row.get(SIZE.get(name, "examples"))
                self._examples[cell][name][task] = self._size(row) if missing(size) else float(size or 0)
            if not missing(row.get(PAIRED)):
                paired.setdefault((cell, task), []).append(float(row[PAIRED]))
        for cell in self._examples:
            grids = {name: np.full(shape, np.nan) for name in self.columns}
            for name, grid in grids.items():
                for place, values in found.get((cell, name), {}).items():
                    grid[place] = np.mean(values)
            self._by_repeat[cell] = grids
            self._values[cell] = {name: mean_of_draws(grid.T) for name, grid in grids.items()}
        for (cell, task), errors in paired.items():
            self._gap_errors.setdefault(cell, np.full(len(self.tasks), np.nan))[task] = np.mean(errors)

    def _size(self, row: Mapping[str, Any]) -> float:
        return self._sizes.get(str(row.get("task", "")), self._sizes.get(ANY_TASK, math.nan))

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

    def near(self, role: str, power: float, **where: Any) -> str:
        """The supervisor or student nearest to 10^power of GPT-4's compute; LackingError if none is within NEAR."""
        known = {name: abs(math.log10(self.compute[name]) - power) for name in self.names(role, **where)}
        name = min(known, key=known.__getitem__, default="")
        if not name or known[name] > NEAR:
            raise LackingError(f"the claim is about a {role} of 10^{power:g}, and none is within half a decade of it")
        return name

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
        """The same, of a cell."""
        self.used.add(cell)
        if (column, cell) not in self._cache:
            self._cache[column, cell] = median_of_draws(self._each(column, cell))
        return self._cache[column, cell]

    def pooled(self, column: str, **where: Any) -> Draws:
        """The median over all tasks and all cells like that together, as the paper's Figure 13b takes it."""
        cells = self.matching(**where)
        if not cells:
            raise LackingError(f"the table has no rows for {_words(where)}")
        self.used.update(cells)
        return median_of_draws(np.concatenate([self._each(column, cell) for cell in cells], axis=1))

    def mean_over_tasks(self, column: str, **where: Any) -> Draws:
        """The mean over tasks in the one cell like that, where the paper's figure is one of means."""
        cell = self._only(**where)
        self.used.add(cell)
        return mean_of_draws(self._each(column, cell))

    def _each(self, column: str, cell: Cell) -> Draws:
        """(1 + parts, tasks)."""
        if column == "pgr":
            return self._pgr(cell)
        if column == "imitation":  # 0 for a student whose errors are its own, 1 for one that copies all answers
            return self._drawn("agreement_right", cell) + self._drawn("agreement_wrong", cell) - 1
        if column == "supervisor_accuracy" and "weak" not in self.columns:
            return self._supervisor_accuracy(cell)
        return self._drawn("weak" if column == "supervisor_accuracy" else column, cell)

    def _drawn(self, column: str, cell: Cell) -> Draws:
        if column not in self.columns:
            raise LackingError(f"the table has no column {column!r}")
        values = self._values[cell][column]
        if self.kind == "exact":
            return values[None]
        if self.kind == "tasks":
            return np.vstack([values, np.repeat(values[:, None], len(values), axis=1)])
        return np.vstack([values, self._by_repeat[cell][column], values + self._moved(column, cell)])

    def _moved(self, column: str, cell: Cell) -> Draws:
        """(DRAWS, tasks): by how much a run's value would be another on other test examples. One run, one move."""
        run, name = cell, column
        if column == "weak":
            run, name = Cell(TRUTH, None, cell.supervisor), "accuracy"
        elif column == "ceiling" or (column == "accuracy" and (cell.method, cell.supervisor) == (TRUTH, None)):
            run, name = Cell(TRUTH, None, cell.student), "accuracy"
        key = (name, run)
        if key not in self._moves:
            self._moves[key] = self._rng.standard_normal((DRAWS, len(self.tasks)))
        shared = self._together if column in JUDGED else 0.0
        moves = math.sqrt(shared) * self._common + math.sqrt(1 - shared) * self._moves[key]
        moved: Draws = moves * self._of_examples(column, cell)
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
        if column == "pgr":
            return np.full(len(self.tasks), np.nan)
        if column in ("agreement_right", "agreement_wrong") and "agreement" in self.columns:
            right = _right(*(self._values[cell][name] for name in ("agreement", "agreement_right", "agreement_wrong")))
            sizes = sizes * (right if column == "agreement_right" else 1 - right)
        return np.array(binomial_errors(values, sizes))

    def _pgr(self, cell: Cell) -> Draws:
        """Undefined where a task's ceiling is no better than its supervisor, and in parts where that is so."""
        if not {"accuracy", "weak", "ceiling"} <= set(self.columns) or np.isnan(self._values[cell]["ceiling"]).all():
            return self._drawn("pgr", cell)
        weak, reached, ceiling = (self._drawn(name, cell) for name in ("weak", "accuracy", "ceiling"))
        return np.where(self._same_size(cell), np.nan, pgr_of_draws(weak, reached, ceiling))

    def _gap(self, cell: Cell) -> Draws:
        """(tasks,): of the ceiling above the supervisor."""
        found: Draws = self._values[cell]["ceiling"] - self._values[cell]["weak"]
        return found

    def _supervisor_accuracy(self, cell: Cell) -> Draws:
        """The supervisor's accuracy, from how often a student agrees at all, where it is right and where wrong."""
        return _right(*(self._drawn(name, cell) for name in ("agreement", "agreement_right", "agreement_wrong")))

    # -- noise ---------------------------------------------------------------------------------------------

    def interval(self, draws: Draws) -> tuple[float, float, float, str]:
        """(value, low, high, why there is no interval) of a measure; its bounds are the value where that is exact."""
        value = float(draws[0])
        if self.kind == "exact" or math.isnan(value):
            return value, value, value, ""
        if self.kind == "tasks":
            each = draws[1:]
            known = int((~np.isnan(each)).sum())
            low, high = over_tasks(draws[0], each)
            few = f"an interval over tasks needs {FEWEST_TASKS}, and {known} of {len(each)} have a number"
            return value, float(low), float(high), "" if known >= FEWEST_TASKS else few
        each, moved = draws[1 : 1 + len(self._repeats)], draws[1 + len(self._repeats) :]
        why = ""
        if len(each) < FEWEST_SEEDS:
            why = "one seed: how far runs differ between seeds is not known"
        elif np.isnan(each).any():
            why = f"{(~np.isnan(each)).sum()} of {len(each)} seeds (and draws) have a number"
        elif np.isnan(moved).all():
            why = "the number of test examples is not known"
        elif np.isnan(moved).mean() > TAIL:
            why = "on other test examples the ceiling may be no better than the supervisor"
        if why:
            return value, math.nan, math.nan, why
        least, most = np.nanquantile(moved, (TAIL, 1 - TAIL))
        below, above = np.array(max(0.0, value - least)), np.array(max(0.0, most - value))
        low, high = over_seeds(draws[0], each, below, above)
        return value, float(low), float(high), ""

    def rests(self, among: Iterable[Cell] | None = None) -> Rests:
        """What numbers of these cells rest on; of all by default."""
        cells = list(self._values if among is None else among)
        grids = np.array([grid for cell in cells for grid in self._by_repeat[cell].values()])
        known = ~np.isnan(grids).all(axis=0)  # (repeats, tasks)
        repeats = [
            [self._repeats[number] for number in np.flatnonzero(of_task)] for of_task in known.T if of_task.any()
        ]
        seeds, draws = _from_to([len({seed for seed, _ in some}) for some in repeats]), _from_to(map(len, repeats))
        sizes = [size for cell in cells for some in self._examples[cell].values() for size in some if size == size]
        powers = [
            math.log10(self.compute[name])
            for cell in cells
            for name in (cell.supervisor, cell.student)
            if name in self.compute
        ]
        return Rests(
            tasks=int(known.any(axis=0).sum()),
            seeds=seeds,
            draws=draws if draws != seeds else "",
            examples=min(sizes, default=math.nan),
            compute=(min(powers), max(powers)) if powers else None,
        )

    @cached_property
    def basis(self) -> str:
        """What intervals cover, in words, and which PGRs of the table say little."""
        parts = {
            "tasks": f"of the median task, between order statistics of {len(self.tasks)} tasks",
            "seeds": "Student's t over seeds, with the noise of test examples",
            "exact": "",
        }
        undefined, noisy, total = self.counts()
        counts = [f"{undefined} of {total} PGRs undefined"] if undefined else []
        counts += [f"{noisy} of {total} PGRs within noise"] if noisy else []
        return "; ".join([parts[self.kind], *counts])

    @cached_property
    def floor(self) -> str:
        """The noise floor of one accuracy: of a share of the test set, and between seeds; "" if neither is known."""
        parts, examples = [], self.rests().examples
        if not math.isnan(examples):
            parts.append(f"{100 * binomial_error(TYPICAL, examples):.1f} points from {examples:.0f} test examples")
        between = self._spread("accuracy")
        if not math.isnan(between):
            parts.append(f"{100 * between:.1f} points between seeds")
        return ", ".join(parts)

    def _spread(self, name: str) -> float:
        """Standard deviation of a column (or ``gap``) between seeds, pooled over cells and tasks; NaN with one seed."""
        groups = []
        for cell, grids in self._by_repeat.items():
            if name == "gap" and not self._grows(cell):
                continue
            grid = grids["ceiling"] - grids["weak"] if name == "gap" else grids.get(name)
            groups += [] if grid is None else [values[~np.isnan(values)] for values in grid.T]
        return pooled_deviation(groups)

    def counts(self) -> tuple[int, int, int]:
        """(PGRs that are undefined, those defined by a gap within noise, all), over tasks and cells.

        Noise is the spread of the gap between seeds; with one seed, its error on the same test examples, or that of
        two independent runs.
        """
        undefined = noisy = total = 0
        if not {"weak", "ceiling"} <= set(self.columns):
            return undefined, noisy, total
        between = self._spread("gap")
        for cell, grids in self._by_repeat.items():
            if not self._grows(cell):
                continue
            gap = self._gap(cell)
            seeds = np.maximum(1, (~np.isnan(grids["ceiling"])).sum(axis=0))
            errors = np.nan_to_num(np.hypot(self._of_examples("ceiling", cell), self._of_examples("weak", cell)))
            if cell in self._gap_errors:
                errors = np.where(np.isnan(self._gap_errors[cell]), errors, self._gap_errors[cell])
            errors = (errors if math.isnan(between) else between) / np.sqrt(seeds)
            unsure = [within_noise(one, error) for one, error in zip(gap, errors, strict=True)]
            undefined += int((gap <= 0).sum())
            noisy += int(((gap > 0) & unsure).sum())
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
        above = below = np.zeros(1)
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
    def ratio(part: Draws, whole: Draws) -> Draws:
        """A part of a whole; undefined where there is no whole."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(whole > 0, part / whole, np.nan)


def missing(value: Any) -> bool:
    """Whether a table has nothing there."""
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _repeat(row: Mapping[str, Any]) -> tuple[str, str]:
    """Seed and draw of a row; "" where it has none, so that it stands for all."""
    seed, draw = ("" if missing(row.get(name)) else str(row[name]) for name in ("seed", "draw"))
    return seed, draw


def _stands_for(one: tuple[str, str], other: tuple[str, str]) -> bool:
    return all(mine in ("", yours) for mine, yours in zip(one, other, strict=True))


def _right(every: Draws, right: Draws, wrong: Draws) -> Draws:
    """Accuracy of a supervisor with which a student agrees so often, where it is right, and where it is wrong."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found = (every - wrong) / (right - wrong)
    return np.where((found >= 0) & (found <= 1), found, np.nan)


def _from_to(counts: Iterable[int]) -> str:
    numbers = list(counts)
    least, most = min(numbers, default=0), max(numbers, default=0)
    return f"{most}" if least == most else f"{least} to {most}"


def _words(where: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in where.items() if value is not None) or "anything"
