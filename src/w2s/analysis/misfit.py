"""Misfit: how far students are from their supervisors' predictions, and what they gain (Charikar et al. 2024).

Where the class of students is convex and contains the truth, the student that is closest to its supervisor in squared
distance gains at least its misfit: error(weak) - error(student) >= misfit (arXiv 2405.15116, Theorem 1), with equality
for a linear class. Real students are in neither case, so this is a measurement, not a check of the theorem.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.pgr import pgr
from w2s.analysis.results import Predictions, Results, Row
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

BINS = 15  # of the calibration error, of equal width
SCORES = ("accuracy", "brier", "ece", "auroc")
PREDICTED = ("truth", "probability")
KINDS = ("squared", "rate")  # of errors: squared distances of probabilities, and 0-1


def squared(target: Array, probability: Array) -> float:
    """Mean squared distance of two (n,) arrays in [0, 1]; against a truth of 0 or 1, the Brier score."""
    return float(((probability - target) ** 2).mean())


def rate(target: Array, probability: Array) -> float:
    """Share of examples on which two (n,) arrays of probabilities lie on different sides of 1/2."""
    return float(((probability > 0.5) != (target > 0.5)).mean())


def auroc(truth: Array, probability: Array) -> float:
    """Area under the ROC curve, ties counted half; NaN where only one class is there. Both (n,); truth: 0 or 1."""
    from sklearn.metrics import roc_auc_score

    positive = truth > 0.5
    return float(roc_auc_score(positive, probability)) if 0 < positive.sum() < len(truth) else math.nan


def ece(truth: Array, probability: Array, bins: int = BINS) -> float:
    """Expected calibration error of the probability of class 1; both (n,).

    In bins of equal width, the distance of the mean probability from the share of class 1, weighted by examples.
    """
    import numpy as np

    place = np.minimum((probability * bins).astype(int), bins - 1)
    off = np.bincount(place, weights=probability - (truth > 0.5), minlength=bins)
    return float(np.abs(off).sum() / len(truth))


def gain_and_misfit(truth: Array, weak: Array, student: Array) -> Row:
    """Of each kind of error, ``gain_<kind>``: error(weak) - error(student); ``misfit_<kind>``: of student against weak.

    All (n,): truth 0 or 1, the others probabilities of class 1.
    """
    row: Row = {}
    for kind, error in zip(KINDS, (squared, rate), strict=True):
        row[f"gain_{kind}"] = error(truth, weak) - error(truth, student)
        row[f"misfit_{kind}"] = error(weak, student)
    return row


def scores(truth: Array, probability: Array) -> dict[str, float]:
    """Accuracy, Brier score, calibration error and AUROC. Both (n,); truth: 0 or 1."""
    return {
        "accuracy": 1 - rate(truth, probability),
        "brier": squared(truth, probability),
        "ece": ece(truth, probability),
        "auroc": auroc(truth, probability),
    }


def compare(of: pairs.Runs, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """One row a student, all on the test set; what it reads is ``pairs.runs`` of all pairs with the same arguments.

    ``accuracy`` of the student, ``weak`` and ``ceiling``; gain and misfit of each kind; ``brier_``, ``ece_`` and
    ``auroc_`` of ``weak``, ``student`` and ``ceiling``; ``pgr_auroc``, for pairs that can have a PGR. NaN where there
    is no ceiling.
    """

    @cache
    def test(run: Run) -> tuple[list[object], Array, Array]:
        return _on_test(results.predictions(run))

    @cache
    def scored(run: Run) -> dict[str, float]:
        return scores(*test(run)[1:])

    rows = []
    for task in tasks:
        for seed in of.seeds_of(task):
            for pair in of.config.pairs():
                weak, strong = pair
                supervisor = of.truth(task, weak.name, seed)
                ceiling = (
                    scored(of.ceiling(task, strong.name, seed)) if strong.truth else dict.fromkeys(SCORES, math.nan)
                )
                for method in methods:
                    run = of.student(task, weak.name, strong.name, method, seed)
                    ids, truth, reached = test(run)
                    assert ids == test(supervisor)[0], f"other test examples: {run.path}, {supervisor.path}"
                    by_role = {"weak": scored(supervisor), "student": scored(run), "ceiling": ceiling}
                    row = pairs.identity(of, task, seed, method, pair)
                    row |= {"accuracy": by_role["student"]["accuracy"], "weak": by_role["weak"]["accuracy"]}
                    row |= {"ceiling": ceiling["accuracy"]} | gain_and_misfit(truth, test(supervisor)[2], reached)
                    row |= {f"{name}_{role}": found[name] for name in SCORES[1:] for role, found in by_role.items()}
                    areas = (found["auroc"] for found in by_role.values())
                    rows.append(row | {"pgr_auroc": pgr(*areas) if pairs.has_pgr(of.config, pair) else math.nan})
    return rows


def _on_test(predictions: Predictions) -> tuple[list[object], Array, Array]:
    """(ids, truth, probability) of the test part, in the order of ids."""
    import numpy as np

    chosen, ids = pairs.test_examples(predictions)
    order = sorted(range(len(ids)), key=lambda place: str(ids[place]))
    truth, said = (np.array([predictions[name][chosen[place]] for place in order], float) for name in PREDICTED)
    return [ids[place] for place in order], truth, said
