"""A supervisor's probe: logistic regression on its features, fitted to the truth of the images set aside."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from w2s.errors import UserError
from w2s.vision.images import PRETRAINING, Index
from w2s.vision.specs import FittedSpec

ITERATIONS = 1000  # of L-BFGS, at most


def probabilities(
    features: Tensor, index: Index, measured: Mapping[str, Any], spec: FittedSpec
) -> tuple[Tensor, dict[str, Any]]:
    """((n, classes) probabilities of the images to probe and to test on, what is recorded of the probe).

    features: (all images, width), in the index's order. measured: of the images stage. A class that no chosen image has
    gets probability 0. UserError if there are fewer images than asked for, or all are of one class.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    aside = np.array([part == PRETRAINING for part in index.parts])
    numbers = np.flatnonzero(aside)
    if spec.images is not None:
        numbers = np.random.default_rng(spec.seed).permutation(numbers)[: spec.images]
    truth = np.array(index.labels)[numbers]
    if len(set(truth.tolist())) < 2:
        raise UserError(f"vision.supervisor.probe: its {len(numbers)} images are of one class; use more")
    values = features.double().numpy()
    head = LogisticRegression(C=spec.c, max_iter=ITERATIONS)
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore", ConvergenceWarning)  # the record says whether it did
        head.fit(values[numbers], truth)
    found = np.zeros((int((~aside).sum()), measured["classes"]), dtype=np.float32)
    found[:, head.classes_] = head.predict_proba(values[~aside])
    iterations = int(head.n_iter_[0])
    recorded = {"images": len(numbers), "iterations": iterations, "converged": iterations < ITERATIONS}
    return torch.from_numpy(found), recorded
