"""What stopping early gains: the same students judged at three steps of their training (paper, Section 5.1.1)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from statistics import stdev

from w2s.analysis import pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.bootstrap import Estimate, interval_of_median, number
from w2s.analysis.pgr import mean_defined, median_defined
from w2s.analysis.results import Results, Row
from w2s.graph.artifact import Run

LAST = "last"
WEAK_LABELS = "weak_labels"  # best agreement with the weak labels on validation, as training of NLP itself stops
GROUND_TRUTH = "truth"  # best accuracy on the test set itself: "cheating", and somewhat too good
RULES = (LAST, WEAK_LABELS, GROUND_TRUTH)

History = Sequence[Mapping[str, float]]


def stop(history: History, rule: str) -> Mapping[str, float]:
    """The evaluation at which a rule stops (paper, Section 5.1.1); of equally good ones the last."""
    if rule == LAST:
        return history[-1]
    judged_by = "test_truth" if rule == GROUND_TRUTH else _of_weak_labels(history)
    return max(reversed(history), key=lambda row: row[judged_by])


def _of_weak_labels(history: History) -> str:
    """The column of accuracy against weak labels: on the test set (whose truth it does not see) without validation."""
    return "validation_labels" if "validation_labels" in history[0] else "test_labels"


def standard_error(values: Sequence[float]) -> float:
    """Standard error of the mean of the defined values; NaN where fewer than two are defined."""
    defined = [value for value in values if not math.isnan(value)]
    return stdev(defined) / math.sqrt(len(defined)) if len(defined) > 1 else math.nan


def judged(of: pairs.Runs) -> list[pairs.Pair]:
    """The pairs that have a PGR."""
    return [pair for pair in of.config.pairs() if pairs.has_pgr(of.config, pair)]


def compare(
    of: pairs.Runs, method: str, results: Results, tasks: Sequence[str], only: Sequence[pairs.Pair]
) -> list[Row]:
    """One row a student of these pairs and stopping rule (column ``stopping``), as ``pairs.compare`` has them.

    The student's accuracy is of its history; supervisor's and ceiling's are of their predictions, wherever
    those runs were stopped. It reads what ``pairs.runs`` with the same arguments names.
    """

    @cache
    def score(run: Run) -> Estimate:
        return pairs.accuracy_on_test(results.predictions(run))

    rows = []
    for task in tasks:
        for seed in of.seeds_of(task):
            for pair in only:
                supervisor, student = (rung.name for rung in pair)
                weak = score(of.truth(task, supervisor, seed))
                ceiling = score(of.ceiling(task, student, seed)) if pair[1].truth else None
                history = results.history(of.student(task, supervisor, student, method, seed))
                for rule in RULES:
                    reached = Estimate(stop(history, rule)["test_truth"])
                    row = pairs.identity(of, task, seed, method, pair) | {"stopping": rule, "accuracy": reached}
                    rows.append(row | pairs.gap(of.config, pair, weak, reached, ceiling))
    return rows


def medians(rows: Sequence[Row]) -> Iterator[Row]:
    """One row a stopping rule: the median PGR over all pairs and tasks, with two measures of its spread.

    A cell is a pair on a task; its PGR is the mean over seeds. ``pgr_sem`` is the standard error of the mean over
    cells, which the paper seems to draw; ``pgr_low`` and ``pgr_high`` bound the bootstrap interval over tasks. The
    paper's reading of PGR, ``pgr_inverted_kept``, has the same.
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
            summary[f"{value}_sem"] = standard_error(cells)
            summary[f"{value}_low"], summary[f"{value}_high"] = interval_of_median(list(by_task.values()))
            if value == "pgr":
                summary |= {"cells": sum(not math.isnan(cell) for cell in cells), "tasks": len(by_task)}
        yield summary | {"undefined": sum(row.get("undefined", 0) for row in of_rule)}


def _cells(rows: Sequence[Row], value: str) -> dict[tuple[str, str, str], list[float]]:
    cells: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for row in rows:
        cells[row["task"], row["supervisor"], row["student"]].append(number(row[value]))
    return cells
