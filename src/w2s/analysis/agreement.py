"""Do students repeat their supervisor, its mistakes included? (paper, Section 5.1.3 and Figure 8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from w2s.analysis import pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Predictions, Results, Row
from w2s.graph.artifact import Run

VALUES = ("agreement", "agreement_right", "agreement_wrong")


class Agreement(NamedTuple):
    """Shares of examples with the same hard prediction as the supervisor; NaN where there is no such example."""

    all: Estimate
    right: Estimate  # of those on which the supervisor is right
    wrong: Estimate  # of those on which it is wrong


def agreement(
    truth: Sequence[float],
    supervisor: Sequence[float],
    student: Sequence[float],
    ids: Sequence[object] | None = None,
) -> Agreement:
    """Agreement of hard predictions (paper, Section 5.1.3).

    truth: 0 or 1; supervisor, student: probability of class 1. ids: of the examples; numbers by default. All (n,).
    """
    ids = range(len(truth)) if ids is None else ids
    right = [(true > 0.5) == (taught > 0.5) for true, taught in zip(truth, supervisor, strict=True)]
    same = [(said > 0.5) == (taught > 0.5) for said, taught in zip(student, supervisor, strict=True)]
    wrong = [not one for one in right]
    return Agreement(Estimate.share(ids, same), Estimate.share(ids, same, right), Estimate.share(ids, same, wrong))


def on_test(predictions: Predictions) -> Agreement:
    """Agreement of a student's last step with its supervisor, on the test part.

    The last step, because the paper's Figure 8 is without early stopping; a student's ``label`` is its
    supervisor's probability.
    """
    chosen, ids = pairs.test_examples(predictions)
    truth, supervisor, student = (
        [predictions[column][number] for number in chosen] for column in ("truth", "label", "probability_last")
    )
    return agreement(truth, supervisor, student, ids)


def runs(of: pairs.Runs, methods: Sequence[str], tasks: Sequence[str]) -> list[Run]:
    """Every pair of every method, same-size pairs included: what ``compare`` reads."""
    return [
        of.student(task, weak.name, strong.name, method, seed)
        for task in tasks
        for seed in of.seeds_of(task)
        for weak, strong in of.config.pairs()
        for method in methods
    ]


def compare(of: pairs.Runs, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """One row a student, with its agreements as fractions."""
    rows = []
    for task in tasks:
        for seed in of.seeds_of(task):
            for pair in of.config.pairs():
                for method in methods:
                    run = of.student(task, pair[0].name, pair[1].name, method, seed)
                    found = on_test(results.predictions(run))
                    row = pairs.identity(of, task, seed, method, pair)
                    rows.append(row | dict(zip(VALUES, found, strict=True)))
    return rows
