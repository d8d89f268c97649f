"""Supervisors and students of a ladder: which runs compare them, and their accuracies and PGRs."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from w2s.analysis.pgr import accuracy, median_defined, pgr
from w2s.analysis.results import Predictions, Results, Row
from w2s.plan import Plan, Run

MEDIAN = "median"  # stands for the task in rows that aggregate over tasks
TRUTH = "truth"  # stands for the method in rows of ground-truth runs


def runs(plan: Plan, methods: Sequence[str], tasks: Sequence[str]) -> list[Run]:
    """Ground truth at every rung, and every pair of every method: what Figures 3, 5, 6 and 12 compare."""
    experiment = plan.experiment
    needed: dict[str, Run] = {}
    for task in tasks:
        for seed in experiment.seeds:
            truth = [plan.truth(task, rung.name, seed) for rung in experiment.nlp.supervising()]
            truth += [plan.ceiling(task, rung.name, seed) for rung in experiment.nlp.ladder if rung.truth]
            needed |= {run.key: run for run in truth}
            for weak, strong in experiment.nlp.pairs():
                for method in methods:
                    run = plan.student(task, weak.name, strong.name, method, seed)
                    needed[run.key] = run
    return list(needed.values())


def compare(plan: Plan, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """One row a run: accuracy on the test set; for students also their supervisor's, ceiling's, and the PGR.

    PGR is given for students strictly larger than their supervisor, as in the paper; ``pgr_inverted_kept`` is
    the paper's own reading of cells whose ceiling lies below the supervisor, which ``pgr`` leaves undefined.
    """
    nlp = plan.experiment.nlp

    @cache
    def score(run: Run) -> float:
        return accuracy_on_test(results.predictions(run))

    rows = []
    for task in tasks:
        for seed in plan.experiment.seeds:
            with_truth = [rung for rung in nlp.ladder if rung.truth]
            weak = {rung.name: score(plan.truth(task, rung.name, seed)) for rung in nlp.supervising()}
            ceiling = {rung.name: score(plan.ceiling(task, rung.name, seed)) for rung in with_truth}
            for rung in with_truth:
                base = {"task": task, "seed": seed, "student": rung.name, "student_compute": nlp.compute(rung)}
                rows.append(base | {"method": TRUTH, "accuracy": ceiling[rung.name]})
            for supervisor, student in nlp.pairs():
                for method in methods:
                    reached = score(plan.student(task, supervisor.name, student.name, method, seed))
                    gap = (weak[supervisor.name], reached, ceiling.get(student.name, math.nan))
                    larger = student is not supervisor
                    rows.append(
                        {
                            "task": task,
                            "seed": seed,
                            "method": method,
                            "supervisor": supervisor.name,
                            "supervisor_compute": nlp.compute(supervisor),
                            "student": student.name,
                            "student_compute": nlp.compute(student),
                            "accuracy": reached,
                            "weak": weak[supervisor.name],
                            "ceiling": gap[2],
                            "pgr": pgr(*gap) if larger else math.nan,
                            "pgr_inverted_kept": pgr(*gap, keep_inverted=True) if larger else math.nan,
                        }
                    )
    return rows


def accuracy_on_test(predictions: Predictions, column: str = "probability") -> float:
    """Accuracy on the test part of a run's predictions. column: ``probability`` or ``probability_last``."""
    chosen = [number for number, part in enumerate(predictions["part"]) if part == "test"]
    truth = [predictions["truth"][number] for number in chosen]
    return accuracy(truth, [predictions[column][number] for number in chosen])


def medians(rows: Sequence[Row]) -> Iterator[Row]:
    """The rows' medians over tasks, one for every seed, method and pair, with the tasks behind each."""
    cells: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
    for row in rows:
        cells[row["seed"], row["method"], row.get("supervisor"), row["student"]].append(row)
    for cell in cells.values():
        shared = {
            name: cell[0][name]
            for name in ("seed", "method", "supervisor", "supervisor_compute", "student", "student_compute")
            if name in cell[0]
        }
        middle = {"accuracy": median_defined(row["accuracy"] for row in cell)[0], "tasks": len(cell)}
        if "pgr" in cell[0] and cell[0]["supervisor"] != cell[0]["student"]:
            middle["pgr"], middle["undefined"] = median_defined(row["pgr"] for row in cell)
            middle["pgr_inverted_kept"], _ = median_defined(row["pgr_inverted_kept"] for row in cell)
        yield {"task": MEDIAN} | shared | middle
