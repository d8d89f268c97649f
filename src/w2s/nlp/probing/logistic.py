"""Logistic regression by scikit-learn, on one thread: a second one makes small problems many times slower."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

Numbers = np.ndarray[Any, np.dtype[Any]]
CERTAIN = 30.0  # log odds where all labels are the same


@dataclass(frozen=True)
class Head:
    """What was learned. weight: (width,); iterations: of L-BFGS; converged: or these were all it was allowed."""

    weight: Numbers
    bias: float
    iterations: int = 0
    converged: bool = True

    def odds(self, values: Numbers) -> Numbers:
        """(n,) log odds of class 1 of (n, width) features."""
        found: Numbers = values.astype(float) @ self.weight + self.bias
        return found

    def probability(self, values: Numbers) -> Numbers:
        """(n,) probabilities of class 1."""
        from scipy.special import expit

        found: Numbers = expit(self.odds(values))
        return found

    def hard(self, values: Numbers) -> Numbers:
        """(n,) labels, 0 or 1."""
        return (self.odds(values) > 0).astype(np.int64)


def fit(values: Numbers, labels: Numbers, *, c: float = 1.0, iterations: int = 100) -> Head:
    """l2-penalised logistic regression of (n, width) features to (n,) labels: 0 and 1, or probabilities of class 1.

    A soft label counts for both classes, with its probabilities as weights. c, iterations: scikit-learn's defaults.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    weights, classes = np.concatenate([1.0 - labels, labels]), np.repeat([0, 1], len(labels))
    counts = weights > 0
    if len(set(classes[counts].tolist())) == 1:
        return Head(np.zeros(values.shape[1]), math.copysign(CERTAIN, labels[0] - 0.5))
    head = LogisticRegression(C=c, max_iter=iterations)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the result says whether it did
        head.fit(np.concatenate([values, values])[counts].astype(float), classes[counts], weights[counts])
    taken = int(head.n_iter_[0])
    return Head(head.coef_[0], float(head.intercept_[0]), taken, taken < iterations)
