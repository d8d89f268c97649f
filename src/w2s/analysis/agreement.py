"""Do students repeat their supervisor, its mistakes included? (paper, section 5.1.3 and Figure 8)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from w2s.analysis import pairs
from w2s.analysis.results import Predictions, Results, Row
from w2s.plan import Run

VALUES = ("agreement", "agreement_right", "agreement_wrong")


class Agreement(NamedTuple):
    """Shares of examples with the same hard prediction as the supervisor; NaN where there is no such example."""

    all: float
    right: float  # of those on which the supervisor is right
    wrong: float  # of those on which it is wrong


def agreement(truth: Sequence[float], supervisor: Sequence[float], student: Sequence[float]) -> Agreement:
    """Agreement of hard predictions (paper, section 5.1.3).

    truth: 0 or 1; supervisor, student: probability of class 1. All (n,).
    """
    same: dict[bool, list[bool]] = {True: [], False: []}
    for true, taught, said in zip(truth, supervisor, student, strict=True):
        same[(taught > 0.5) == (true > 0.5)].append((said > 0.5) == (taught > 0.5))
    return Agreement(_share(same[True] + same[False]), _share(same[True]), _share(same[False]))


def _share(hits: Sequence[bool]) -> float:
    return sum(hits) / len(hits) if hits else math.nan


def on_test(predictions: Predictions) -> Agreement:
    """Agreement of a student's last step with its supervisor, on the test part.

    The last step, because the paper's Figure 8 is without early stopping; a student's ``label`` is its
    supervisor's probability.
    """
    chosen = [number for number, part in enumerate(predictions["part"]) if part == "test"]
    truth, supervisor, student = (
        [predictions[column][number] for number in chosen] for column in ("truth", "label", "probability_last")
    )
    return agreement(truth, supervisor, student)


def runs(of: pairs.Runs, methods: Sequence[str], tasks: Sequence[str]) -> list[Run]:
    """Every pair of every method, same-size pairs included: what ``compare`` reads."""
    return [
        of.student(task, weak.name, strong.name, method, seed)
        for task in tasks
        for seed in of.seeds
        for weak, strong in of.config.pairs()
        for method in methods
    ]


def compare(of: pairs.Runs, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """One row a student, with its agreements as fractions."""
    rows = []
    for task in tasks:
        for seed in of.seeds:
            for pair in of.config.pairs():
                for method in methods:
                    run = of.student(task, pair[0].name, pair[1].name, method, seed)
                    found = on_test(results.predictions(run))
                    row = pairs.identity(of, task, seed, method, pair)
                    rows.append(row | dict(zip(VALUES, found, strict=True)))
    return rows
