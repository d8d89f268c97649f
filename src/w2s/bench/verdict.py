"""From predictions to a verdict: accuracy, gain over naive and PGR per task, and whether the gain is more than chance.

Intervals of a task are over test examples, drawn alike for all runs (``w2s.analysis.bootstrap``), given its seeds. The
verdict is over tasks: Student's t on each task's mean gain, over its pairs and seeds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from w2s.analysis.bootstrap import CONFIDENCE, Estimate
from w2s.analysis.pairs import accuracy_on_test
from w2s.analysis.pgr import median_defined
from w2s.analysis.results import Predictions, Stored
from w2s.bench.protocol import Compared

LEVEL = 1 - CONFIDENCE


@dataclass(frozen=True)
class Row:
    """A task and pair: accuracies are means over seeds, and PGRs are of these means.

    accuracy, gain (over naive), pgr: by method.
    """

    task: str
    supervisor: str
    student: str
    weak: Estimate
    ceiling: Estimate
    accuracy: Mapping[str, Estimate]
    gain: Mapping[str, Estimate]
    pgr: Mapping[str, Estimate]


@dataclass(frozen=True)
class Gain:
    """A method's mean gain over naive, with its 95% interval and p-value; these are NaN with a single task."""

    mean: float
    low: float = field(default=math.nan)
    high: float = field(default=math.nan)
    p: float = field(default=math.nan)


def rows(cells: Sequence[Compared], judged: Sequence[Predictions], name: str, stored: Stored) -> list[Row]:
    """One row a task and pair. judged: (cells,) of the method's predictions with the truth."""
    groups: dict[tuple[str, str], list[dict[str, Estimate]]] = {}
    known: dict[str, Estimate] = {}

    def score(run: Any) -> Estimate:
        if run.key not in known:
            known[run.key] = accuracy_on_test(stored.predictions(run))
        return known[run.key]

    for cell, predicted in zip(cells, judged, strict=True):
        scores = {"weak": score(cell.weak), "ceiling": score(cell.ceiling)}
        scores |= {f"of {method}": score(run) for method, run in cell.baselines.items()}
        scores[f"of {name}"] = accuracy_on_test(predicted)
        groups.setdefault((cell.weak.rung, cell.task), []).append(scores)
    found = []
    for (supervisor, task), seeds in groups.items():
        means = {key: Estimate.mean(scores[key] for scores in seeds) for key in seeds[0]}
        accuracy = {key.removeprefix("of "): value for key, value in means.items() if key.startswith("of ")}
        gain = {method: value.difference(accuracy["naive"]) for method, value in accuracy.items()}
        pgr = {method: Estimate.pgr(means["weak"], value, means["ceiling"]) for method, value in accuracy.items()}
        student = cells[0].student
        found.append(Row(task, supervisor, student, means["weak"], means["ceiling"], accuracy, gain, pgr))
    return found


def gain_of(table: Sequence[Row], method: str) -> Gain:
    """The mean over tasks of a method's gain over naive, by Student's t: tasks are what other tasks are like."""
    by_task: dict[str, list[float]] = {}
    for row in table:
        by_task.setdefault(row.task, []).append(row.gain[method].value)
    return over_tasks([fmean(values) for values in by_task.values()])


def over_tasks(gains: Sequence[float]) -> Gain:
    """The mean of (tasks,) gains, its interval and the two-sided p-value of no gain."""
    from scipy import stats

    mean = fmean(gains)
    if len(gains) < 2:
        return Gain(mean)
    if len(set(gains)) == 1:  # t is not defined
        return Gain(mean, mean, mean, float(mean == 0))
    test = stats.ttest_1samp(gains, 0.0)
    low, high = test.confidence_interval(CONFIDENCE)
    return Gain(mean, float(low), float(high), float(test.pvalue))


def median_pgr(table: Sequence[Row], method: str) -> dict[str, float]:
    """Supervisor -> the median over tasks of the PGR, as the paper aggregates; NaN if undefined everywhere."""
    supervisors = dict.fromkeys(row.supervisor for row in table)
    return {
        name: median_defined(row.pgr[method].value for row in table if row.supervisor == name)[0]
        for name in supervisors
    }


def mean_accuracy(table: Sequence[Row], method: str) -> float:
    """Over tasks and pairs."""
    return fmean(row.accuracy[method].value for row in table)


def holm(p_values: Iterable[float]) -> list[float]:
    """Holm's (1979) adjusted p-values, in the order given: as many hypotheses as values. NaN counts as 1."""
    raw = [1.0 if math.isnan(p) else p for p in p_values]
    adjusted, highest = [1.0] * len(raw), 0.0
    for rank, number in enumerate(sorted(range(len(raw)), key=raw.__getitem__)):
        highest = max(highest, min(1.0, (len(raw) - rank) * raw[number]))
        adjusted[number] = highest
    return adjusted


def in_words(gain: float, p: float) -> str:
    """The verdict. p: corrected for all methods that were scored."""
    if p > LEVEL or math.isnan(p):
        return "not distinguishable from naive"
    return "better than naive" if gain > 0 else "worse than naive"
