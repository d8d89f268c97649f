"""What stopping early gains: the same students judged at three steps of their training (paper, section 5.1.1)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from statistics import stdev

from w2s.analysis import intervals, pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.pgr import mean_defined, median_defined
from w2s.analysis.results import Results, Row
from w2s.plan import Plan, Run

LAST = "last"
WEAK_LABELS = "weak_labels"  # best agreement with the weak labels on validation, as training itself stops
GROUND_TRUTH = "truth"  # best accuracy on the test set itself: "cheating", and somewhat too good
RULES = (LAST, WEAK_LABELS, GROUND_TRUTH)

History = Sequence[Mapping[str, float]]


def stop(history: History, rule: str) -> Mapping[str, float]:
    """The evaluation at which a rule stops (paper, section 5.1.1); of equally good ones the last."""
    if rule == LAST:
        return history[-1]
    judged_by = {WEAK_LABELS: "validation_labels", GROUND_TRUTH: "test_truth"}[rule]
    return max(reversed(history), key=lambda row: row[judged_by])


def standard_error(values: Sequence[float]) -> float:
    """Standard error of the mean of the defined values; NaN where fewer than two are defined."""
    defined = [value for value in values if not math.isnan(value)]
    return stdev(defined) / math.sqrt(len(defined)) if len(defined) > 1 else math.nan


def runs(plan: Plan, method: str, tasks: Sequence[str]) -> list[Run]:
    """What ``compare`` reads, each run once: students with a PGR, their supervisors, their ceilings."""
    return pairs.runs(pairs.of_nlp(plan), [method], tasks, only=_pairs(plan))


def compare(plan: Plan, method: str, results: Results, tasks: Sequence[str]) -> list[Row]:
    """One row a student with a PGR and stopping rule (column ``stopping``), as ``pairs.compare`` has them.

    The student's accuracy is of its history; supervisor's and ceiling's are of their predictions, wherever
    those runs were stopped.
    """
    of = pairs.of_nlp(plan)

    @cache
    def score(run: Run) -> float:
        return pairs.accuracy_on_test(results.predictions(run))

    rows = []
    for task in tasks:
        for seed in plan.experiment.seeds:
            for pair in _pairs(plan):
                supervisor, student = (rung.name for rung in pair)
                weak = score(plan.truth(task, supervisor, seed))
                ceiling = score(plan.ceiling(task, student, seed))
                history = results.history(plan.student(task, supervisor, student, method, seed))
                for rule in RULES:
                    reached = stop(history, rule)["test_truth"]
                    row = pairs.identity(of, task, seed, method, pair) | {"stopping": rule, "accuracy": reached}
                    rows.append(row | pairs.gap(of.config, pair, weak, reached, ceiling))
    return rows


def medians(rows: Sequence[Row]) -> Iterator[Row]:
    """One row a stopping rule: the median PGR over all pairs and tasks, with two measures of its spread.

    A cell is a pair on a task; its PGR is the mean over seeds. ``pgr_sem`` is the standard error of the mean over
    cells, which the paper seems to draw; ``pgr_low`` and ``pgr_high`` bound the bootstrap interval over tasks.
    """
    for rule in RULES:
        of_rule = [row for row in rows if row["stopping"] == rule]
        summary: Row = {"task": MEDIAN, "stopping": rule}
        for value in ("pgr", "pgr_inverted_kept"):
            by_task: dict[str, list[float]] = defaultdict(list)
            for (task, *_), seeds in _cells(of_rule, value).items():
                by_task[task].append(mean_defined(seeds))
            cells = [cell for task_cells in by_task.values() for cell in task_cells]
            summary[value] = median_defined(cells)[0]
            if value == "pgr":
                summary["pgr_sem"] = standard_error(cells)
                summary["pgr_low"], summary["pgr_high"] = intervals.of_median(list(by_task.values()))
                summary |= {"cells": sum(not math.isnan(cell) for cell in cells), "tasks": len(by_task)}
        yield summary | {"undefined": sum(row["undefined"] for row in of_rule)}


def _cells(rows: Sequence[Row], value: str) -> dict[tuple[str, str, str], list[float]]:
    cells: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in rows:
        cells[row["task"], row["supervisor"], row["student"]].append(row[value])
    return cells


def _pairs(plan: Plan) -> list[pairs.Pair]:
    nlp = plan.experiment.nlp
    return [pair for pair in nlp.pairs() if pairs.has_pgr(nlp, pair)]
