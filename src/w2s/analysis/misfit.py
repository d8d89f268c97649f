"""Misfit: how far students are from their supervisors' predictions, and what they gain (Charikar et al. 2024).

Where the class of students is convex and contains the truth, the student that is closest to its supervisor in squared
distance gains at least its misfit: error(weak) - error(student) >= misfit (arXiv 2405.15116, Theorem 1), with equality
for a linear class. Real students are in neither case, so this is a measurement, not a check of the theorem.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.pgr import pgr
from w2s.analysis.results import Results, Row
from w2s.analysis.scores import PROBABILISTIC, rate, scores, squared
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

# Of errors: squared distances of probabilities, and 0-1.
KINDS: dict[str, Callable[[Array, Array], Array]] = {"squared": squared, "rate": rate}


def gain_and_misfit(truth: Array, weak: Array, student: Array) -> Row:
    """Of each kind of error, ``gain_<kind>``: error(weak) - error(student); ``misfit_<kind>``: of student against weak.

    All (n,): truth 0 or 1, the others probabilities of class 1.
    """
    row: Row = {}
    for kind, error in KINDS.items():
        row[f"gain_{kind}"] = float(error(truth, weak) - error(truth, student))
        row[f"misfit_{kind}"] = float(error(weak, student))
    return row


def compare(of: pairs.Runs, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """One row a student, all on the test set; what it reads is ``pairs.runs`` of all pairs with the same arguments.

    ``accuracy`` of the student, ``weak`` and ``ceiling``; gain and misfit of each kind; ``brier_``, ``ece_`` and
    ``auroc_`` of ``weak``, ``student`` and ``ceiling``; ``pgr_auroc``, for pairs that can have a PGR. NaN where there
    is no ceiling.
    """

    @cache
    def test(run: Run) -> tuple[list[object], Array, Array]:
        return pairs.probabilities_on_test(results.predictions(run))

    @cache
    def scored(run: Run) -> dict[str, float]:
        return scores(*test(run)[1:])

    rows = []
    for task in tasks:
        for seed in of.seeds_of(task):
            for pair in of.config.pairs():
                weak, strong = pair
                supervisor = of.truth(task, weak.name, seed)
                ceiling = dict.fromkeys(("accuracy", *PROBABILISTIC), math.nan)
                if strong.truth:
                    ceiling = scored(of.ceiling(task, strong.name, seed))
                for method in methods:
                    run = of.student(task, weak.name, strong.name, method, seed)
                    ids, truth, reached = test(run)
                    assert ids == test(supervisor)[0], f"other test examples: {run.path}, {supervisor.path}"
                    by_role = {"weak": scored(supervisor), "student": scored(run), "ceiling": ceiling}
                    row = pairs.identity(of, task, seed, method, pair)
                    row |= {"accuracy": by_role["student"]["accuracy"], "weak": by_role["weak"]["accuracy"]}
                    row |= {"ceiling": ceiling["accuracy"]} | gain_and_misfit(truth, test(supervisor)[2], reached)
                    row |= {f"{name}_{role}": found[name] for name in PROBABILISTIC for role, found in by_role.items()}
                    areas = (found["auroc"] for found in by_role.values())
                    rows.append(row | {"pgr_auroc": pgr(*areas) if pairs.has_pgr(of.config, pair) else math.nan})
    return rows
