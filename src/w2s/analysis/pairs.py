"""Supervisors and students of a ladder: which runs compare them, and their accuracies and PGRs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol

from w2s.analysis.bootstrap import Estimate
from w2s.analysis.pgr import within_noise
from w2s.analysis.results import Predictions, Results, Row
from w2s.config.ladder import Rung
from w2s.config.section import LadderSection
from w2s.errors import LackingError
from w2s.graph.artifact import Run, unique

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

TRUTH = "truth"  # stands for the method in rows of ground-truth runs
NAIVE = "naive"
NLP = "nlp"

Pair = tuple[Rung, Rung]  # supervisor, student


class Runs(Protocol):
    """What comparisons know of a setting with a ladder: its section of the config, and its runs.

    The plans of such settings are this, and so are variants of them.
    """

    @property
    def name(self) -> str:
        """The setting's."""

    @property
    def config(self) -> LadderSection:
        """Its ladder, supervisors and pairs."""

    def seeds_of(self, task: str, /) -> Sequence[int]:
        """Of a task's runs."""

    @property
    def methods(self) -> Sequence[str]:
        """Those that figures compare."""

    @property
    def median_tasks(self) -> Sequence[str]:
        """Those that medians are taken over."""

    def truth(self, task: str, rung: str, seed: int, /) -> Run:
        """The supervisor."""

    def ceiling(self, task: str, rung: str, seed: int, /) -> Run:
        """The run that bounds students of this rung."""

    def student(self, task: str, weak: str, strong: str, method: str, seed: int, /) -> Run:
        """A run on weak labels."""


@dataclass(frozen=True)
class Variant:
    """A setting's runs, but for what is said: other seeds, say, or runs that start from other base models."""

    of: Runs
    seeds: Sequence[int]
    truth: Callable[[str, str, int], Run]
    ceiling: Callable[[str, str, int], Run]
    student: Callable[[str, str, str, str, int], Run]

    @property
    def name(self) -> str:
        """The setting's."""
        return self.of.name

    def seeds_of(self, task: str) -> Sequence[int]:
        """The same for every task."""
        return self.seeds

    @property
    def config(self) -> LadderSection:
        """Its ladder, supervisors and pairs."""
        return self.of.config

    @property
    def methods(self) -> Sequence[str]:
        """Those that figures compare."""
        return self.of.methods

    @property
    def median_tasks(self) -> Sequence[str]:
        """Those that medians are taken over."""
        return self.of.median_tasks


def only_naive(of: Runs, figure: str) -> list[str]:
    """The one method of figures that show naive finetuning only; LackingError if the setting leaves it out."""
    if NAIVE not in of.methods:
        raise LackingError(f"{figure} shows naive finetuning, so {of.name}.methods must name {NAIVE!r}")
    return [NAIVE]


def naive_runs(of: Runs, figure: str) -> list[Run]:
    """Ground truth at every rung and every naive student: what Figure 3 shows of a setting."""
    return runs(of, only_naive(of, figure), of.median_tasks)


def naive_rows(of: Runs, figure: str, results: Results) -> list[Row]:
    """Their rows, as ``compare`` has them."""
    return compare(of, only_naive(of, figure), results, of.median_tasks)


def runs(of: Runs, methods: Sequence[str], tasks: Sequence[str], only: Sequence[Pair] | None = None) -> list[Run]:
    """What ``compare`` reads with the same arguments, each run once."""
    supervisors, ceilings, pairs = _rungs(of.config, only)
    found: list[Run] = []
    for task in tasks:
        for seed in of.seeds_of(task):
            found += [of.truth(task, rung.name, seed) for rung in supervisors]
            found += [of.ceiling(task, rung.name, seed) for rung in ceilings]
            for weak, strong in pairs:
                found += [of.student(task, weak.name, strong.name, method, seed) for method in methods]
    return unique(found)


def compare(
    of: Runs,
    methods: Sequence[str],
    results: Results,
    tasks: Sequence[str],
    only: Sequence[Pair] | None = None,
    *,
    students: str = "probability",
) -> list[Row]:
    """One row a run: accuracy on the test set; for students also their supervisor's, ceiling's, and the PGR.

    only: these pairs, and ground truth at their rungs; all pairs, and ground truth at every rung that has it, by
    default. students: the column of their predictions that is judged (see ``accuracy_on_test``); of ground truth it is
    ``probability``. See ``gap`` for the columns about PGR. Accuracies and PGRs are fractions, not percent; those with
    draws of test examples are an ``Estimate`` until the row is written.
    """
    supervisors, ceilings, pairs = _rungs(of.config, only)

    @cache
    def score(run: Run, column: str = "probability") -> Estimate:
        return accuracy_on_test(results.predictions(run), column)

    rows = []
    for task in tasks:
        for seed in of.seeds_of(task):
            weak = {rung.name: score(of.truth(task, rung.name, seed)) for rung in supervisors}
            ceiling = {rung.name: score(of.ceiling(task, rung.name, seed)) for rung in ceilings}
            rows += [alone(of, task, seed, TRUTH, rung) | {"accuracy": ceiling[rung.name]} for rung in ceilings]
            for pair in pairs:
                supervisor, student = (rung.name for rung in pair)
                for method in methods:
                    reached = score(of.student(task, supervisor, student, method, seed), students)
                    row = identity(of, task, seed, method, pair) | {"accuracy": reached}
                    rows.append(row | gap(of.config, pair, weak[supervisor], reached, ceiling.get(student)))
    return rows


def ceilings(of: Runs, tasks: Sequence[str]) -> list[Run]:
    """The ceiling at every rung that has one, for figures whose pairs do not reach all of them."""
    rungs = [rung.name for rung in of.config.ladder if rung.truth]
    return [of.ceiling(task, rung, seed) for task in tasks for seed in of.seeds_of(task) for rung in rungs]


def with_ceilings(of: Runs, rows: Sequence[Row], results: Results, tasks: Sequence[str]) -> list[Row]:
    """The rows of ``compare``, and a row for each of the ``ceilings`` that is not among them."""
    there = {(row["task"], row["seed"], row["student"]) for row in rows if row["method"] == TRUTH}
    found = list(rows)
    for run in ceilings(of, tasks):
        if (run.task, run.seed, run.rung) not in there:
            (rung,) = (rung for rung in of.config.ladder if rung.name == run.rung)
            reached = accuracy_on_test(results.predictions(run))
            found.append(alone(of, run.task, run.seed, TRUTH, rung) | {"accuracy": reached})
    return found


def alone(of: Runs, task: str, seed: int, method: str, rung: Rung) -> Row:
    """The columns that say which run without supervisor a row is about."""
    row: Row = {"setting": of.name, "task": task, "seed": seed, "method": method}
    return row | {"student": rung.name, "student_compute": of.config.compute(rung)}


def identity(of: Runs, task: str, seed: int, method: str, pair: Pair) -> Row:
    """The columns that say which student a row is about."""
    supervisor, student = pair
    return {
        "setting": of.name,
        "task": task,
        "seed": seed,
        "method": method,
        "supervisor": supervisor.name,
        "supervisor_compute": of.config.compute(supervisor),
        "student": student.name,
        "student_compute": of.config.compute(student),
    }


def gap(config: LadderSection, pair: Pair, weak: Estimate, reached: Estimate, ceiling: Estimate | None) -> Row:
    """The columns about the gap between supervisor and ceiling; ceiling: None where there is no such run.

    PGR is given for students strictly larger than their supervisor, as in the paper. ``pgr`` is undefined where the
    ceiling is no better than the supervisor, and ``undefined`` is 1 there (0 where it is defined);
    ``pgr_inverted_kept`` is the paper's own reading of such pairs. A pair that can have no PGR (same size, or a student
    without ceiling) has NaN in both, and no ``undefined``. Where accuracies have draws of test examples, both have
    them too, ``gap_error`` is the standard error of ceiling - weak on the same examples, and ``within_noise`` is 1
    where the gap is no more than two of them.
    """
    row: Row = {"weak": weak, "ceiling": ceiling.value if ceiling else math.nan}
    row |= {"pgr": math.nan, "pgr_inverted_kept": math.nan}
    if ceiling and has_pgr(config, pair):
        recovered = Estimate.pgr(weak, reached, ceiling)
        above = ceiling.difference(weak)
        row["pgr"] = recovered
        row["pgr_inverted_kept"] = Estimate.pgr(weak, reached, ceiling, keep_inverted=True)
        row["undefined"] = int(math.isnan(recovered.value))
        if above.draws is not None:
            row |= {"gap_error": above.error, "within_noise": int(within_noise(above.value, above.error))}
    return row


def has_pgr(config: LadderSection, pair: Pair) -> bool:
    """Whether the student is strictly larger than its supervisor and has a ceiling (paper, Section 3)."""
    supervisor, student = pair
    return student.truth and config.ladder.index(student) > config.ladder.index(supervisor)


def accuracy_on_test(predictions: Predictions, column: str = "probability") -> Estimate:
    """Accuracy on the test part of a run's predictions.

    Where these have a column ``correct`` (completions), its mean; else by the probabilities of class 1 in
    ``column``: ``probability``, ``probability_last`` or (reward) ``probability_stopped``.
    """
    chosen, ids = test_examples(predictions)
    if "correct" in predictions:
        return Estimate.share(ids, [bool(predictions["correct"][number]) for number in chosen])
    truth, said = ([predictions[name][number] > 0.5 for number in chosen] for name in ("truth", column))
    return Estimate.share(ids, [one == other for one, other in zip(truth, said, strict=True)])


def test_examples(predictions: Predictions) -> tuple[list[int], list[object]]:
    """Of the test part, the rows and what the examples there are called."""
    chosen = [number for number, part in enumerate(predictions["part"]) if part == "test"]
    return chosen, [predictions["id"][number] if "id" in predictions else number for number in chosen]


def probabilities_on_test(predictions: Predictions) -> tuple[list[object], Array, Array]:
    """(ids, truth, probability of class 1) of the test part, each (n,), in the order of ids."""
    import numpy as np

    chosen, ids = test_examples(predictions)
    order = sorted(range(len(ids)), key=lambda place: str(ids[place]))
    columns = (predictions["truth"], predictions["probability"])
    truth, said = (np.array([column[chosen[place]] for place in order], float) for column in columns)
    return [ids[place] for place in order], truth, said


def _rungs(config: LadderSection, only: Sequence[Pair] | None) -> tuple[list[Rung], list[Rung], list[Pair]]:
    """(rungs whose ground truth supervises, rungs whose ground truth is a ceiling, pairs), weakest first."""
    if only is None:
        return config.supervising(), [rung for rung in config.ladder if rung.truth], config.pairs()
    supervisors, students = ({pair[role].name for pair in only} for role in (0, 1))
    ceilings = [rung for rung in config.ladder if rung.name in students and rung.truth]
    return [rung for rung in config.ladder if rung.name in supervisors], ceilings, list(only)
