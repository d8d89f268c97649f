"""The probe stage: a linear head trained on frozen features (Section 5.2.3, Appendix D.2), on truth or weak labels.

Two recipes: logistic regression by L-BFGS (scikit-learn), and Adam as in Appendix D.2. Weak labels are soft.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from w2s.engine import artifacts
from w2s.errors import DivergedError
from w2s.nlp.labels import PREDICTED, join, weak_labels
from w2s.nlp.probing.config import Recipe
from w2s.nlp.probing.logistic import Head, Numbers, fit
from w2s.nlp.probing.table import FeaturePart, read_parts
from w2s.nlp.specs import ProbeSpec
from w2s.training.batching import epochs_order
from w2s.training.objectives.common import cross_entropy


def make(build: artifacts.Build, features: Path, labels: Path | None) -> None:
    """Train and write ``predictions.parquet``. labels: a supervisor's run or probe, or None for truth."""
    spec = ProbeSpec.from_spec(build.identity.spec)
    parts = read_parts(features)
    known = learned_labels(parts, labels)
    learned, recipe = parts[spec.half], spec.recipe
    validation = parts["validation"] if spec.selected == "validation" else None
    torch.set_num_threads(1)
    measured: dict[str, Any]
    if recipe.by == "lbfgs":
        head = fit(learned.values, known[spec.half], c=recipe.c, iterations=recipe.iterations)
        measured = {"iterations": head.iterations, "converged": head.converged}
    else:
        checked = (validation.values, known["validation"]) if validation else None
        head, measured = by_adam(learned.values, known[spec.half], recipe, spec.seed, checked)
    predicted = {name: head.probability(parts[name].values) for name in PREDICTED}
    if not all(np.isfinite(values).all() for values in predicted.values()):
        raise DivergedError("diverged: predictions are not numbers")
    write_predictions(build.folder / "predictions.parquet", parts, known, predicted)
    accuracy = agreement(predicted["test"], parts["test"].truth)
    fitted = agreement(head.probability(learned.values), known[spec.half])
    build.measured |= measured | {
        "test_accuracy": accuracy,
        "training_agreement": fitted,
        "examples": len(learned),
        "width": learned.values.shape[1],
    }
    print(f"test accuracy {accuracy:.4f}; agreement with the training labels {fitted:.4f}")


def learned_labels(parts: Mapping[str, FeaturePart], labels: Path | None) -> dict[str, Numbers]:
    """Part -> (n,) probabilities of class 1: weak ones where there are any, else the truth."""
    known: dict[str, Numbers] = {name: part.truth.astype(float) for name, part in parts.items()}
    if labels is not None:
        weak = weak_labels(labels)
        for name in PREDICTED:
            known[name] = join(parts[name].ids, weak, where=f"{labels}/predictions.parquet").numpy().astype(float)
    return known


def by_adam(
    values: Numbers,
    labels: Numbers,
    recipe: Recipe,
    seed: int,
    validation: tuple[Numbers, Numbers] | None,
) -> tuple[Head, dict[str, Any]]:
    """(head, measurements) of training by Adam without weight decay (Appendix D.2).

    values: (n, width) features; labels: (n,) probabilities of class 1. validation: (features, labels); the epoch with
    the best agreement is selected, the last of several equal ones; None: the last epoch. DivergedError if the loss is
    not a number.
    """
    torch.manual_seed(seed)
    head = nn.Linear(values.shape[1], 2)
    inputs = torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32))
    positive = torch.from_numpy(labels).float()
    targets = torch.stack([1 - positive, positive], dim=-1)
    optimizer = torch.optim.Adam(head.parameters(), lr=recipe.learning_rate, fused=True)
    order = torch.tensor(epochs_order(len(labels), recipe.epochs, seed)).split(len(labels))
    best, chosen, kept = -math.inf, 0, _head(head)
    loss = torch.tensor(math.nan)
    for epoch, numbers in enumerate(order, start=1):
        for batch in numbers.split(recipe.batch):
            optimizer.zero_grad(set_to_none=True)
            loss = cross_entropy(head(inputs[batch]), targets[batch]).mean()
            loss.backward()
            optimizer.step()
        if not loss.isfinite():
            raise DivergedError(f"diverged: loss {loss.item()} in epoch {epoch}; lower the learning rate")
        if validation is None:
            chosen = epoch
        elif (score := agreement((now := _head(head)).probability(validation[0]), validation[1])) >= best:
            best, chosen, kept = score, epoch, now
    if validation is None:
        kept = _head(head)
    measured: dict[str, Any] = {"epochs": len(order), "selected_epoch": chosen, "loss": loss.item()}
    return kept, measured | ({} if validation is None else {"validation_agreement": best})


def _head(head: nn.Linear) -> Head:
    """The log odds of class 1 as a copy of the trained weights."""
    weight, bias = head.weight.detach().double(), head.bias.detach().double()
    return Head((weight[1] - weight[0]).numpy(), float(bias[1] - bias[0]))


def agreement(predicted: Numbers, labels: Numbers) -> float:
    """Share of examples on which two probabilities of class 1, (n,) each, fall on the same side of 1/2."""
    return float(np.mean((predicted > 0.5) == (labels > 0.5)))


def write_predictions(
    path: Path, parts: Mapping[str, FeaturePart], known: Mapping[str, Numbers], predicted: Mapping[str, Numbers]
) -> None:
    """As of a finetuned run, so that a probe can supervise another; without the last step's predictions."""
    columns: dict[str, list[Any]] = {name: [] for name in ("id", "part", "truth", "label", "probability")}
    for name in PREDICTED:
        columns["id"] += parts[name].ids
        columns["part"] += [name] * len(parts[name])
        columns["truth"] += parts[name].truth.tolist()
        columns["label"] += known[name].tolist()
        columns["probability"] += predicted[name].tolist()
    artifacts.write_table(path, columns)
