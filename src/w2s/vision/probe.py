"""The vision_probe stage: a linear layer on frozen features, trained on truth or on a supervisor's probabilities.

Paper: Appendix D.1. Adam at 1e-3, batch 128, 20 epochs on DINO's ResNet-50 and 5 on its ViT-B/8, default initial
weights, no weight decay, the last epoch's accuracy. Two schedules: see ``rate_of``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from w2s.engine import artifacts
from w2s.errors import DivergedError, UserError
from w2s.training.job import Job
from w2s.training.loop import Evaluation, Rate, Runtime, Schedule, optimise
from w2s.vision.images import read_index
from w2s.vision.specs import ProbeSpec


@dataclass(frozen=True)
class Split:
    """Numbers of the images to probe and to test on."""

    train: list[int]
    test: list[int]


@dataclass(frozen=True)
class Examples:
    """Images to probe or to test on. features: (n, width); labels: (n, classes) probabilities; truth: (n,)."""

    ids: list[str]
    features: Tensor
    labels: Tensor
    truth: Tensor


def make(build: artifacts.Build, images: Path, features: Path, labels: Path | None) -> None:
    """Train and write ``predictions.parquet`` (of the test images) and ``history.csv``. labels: a supervisor's."""
    spec = ProbeSpec.from_spec(build.identity.spec)
    job = Job(build)
    train, test = read(images, features, labels, spec, job.device)
    torch.manual_seed(spec.seed)
    network = nn.Linear(train.features.shape[1], train.labels.shape[1]).to(job.device)

    def gradient(batch: Sequence[int], *_: Any) -> Tensor:
        loss = cross_entropy(network(train.features[batch]), train.labels[batch])
        loss.backward()
        return loss.detach()

    training = spec.training
    schedule = Schedule(
        training.epochs,
        training.batch,
        training.learning_rate,
        0.0,
        training.evaluations_per_epoch,
        spec.seed,
        rate_of(spec.schedule, training.epochs),
    )
    evaluation = Evaluation(lambda: evaluate(answers(network, test), test))
    runtime = Runtime(job.checkpoint(), reporter=build.reporter)
    history, _ = optimise(network, len(train.ids), gradient, schedule, evaluation, runtime)
    answered = answers(network, test)
    write_predictions(build.folder / "predictions.parquet", test, answered)
    measured = {
        "test_accuracy": evaluate(answered, test)["test_truth"],
        "label_accuracy": (test.labels.argmax(-1) == test.truth).double().mean().item(),
        "steps": int(history[-1]["step"]),
        "examples": len(train.ids),
        "classes": train.labels.shape[1],
        "width": train.features.shape[1],
    }
    job.finish(measured, history)


def rate_of(schedule: str, epochs: float) -> Rate:
    """The learning rate as a share of its peak, by step.

    cosine: half a wave over the whole training, from 1 to 0: what was meant. oscillating: half a wave every ``epochs``
    steps, up and down some hundred times, as the released code had it when the paper appeared: a scheduler whose
    period counts epochs, moved on at every batch. It ends wherever its last wave happens to be.
    """

    def rate(step: int, steps: int) -> float:
        period = steps if schedule == "cosine" else epochs
        return 0.5 * (1 + math.cos(math.pi * step / period))

    return rate


def split(count: int, train: int, test: int, seed: int) -> Split:
    """Disjoint images drawn with the seed, from numpy's default generator; UserError if there are too few."""
    if train + test > count:
        raise UserError(f"vision.train and vision.test: {train:,} + {test:,} images, but there are only {count:,}")
    order = np.arange(count)
    np.random.default_rng(seed).shuffle(order)
    return Split(order[:train].tolist(), order[train : train + test].tolist())


def read(
    images: Path, features: Path, labels: Path | None, spec: ProbeSpec, where: torch.device
) -> tuple[Examples, Examples]:
    """(to probe on, to test on), on a device. UserError if the parents do not fit together."""
    index = read_index(images)
    classes = artifacts.read(images)["measured"]["classes"]
    rows = torch.from_numpy(np.load(features / "features.npy"))
    truth = torch.tensor(index.labels)
    learned = one_hot(truth, classes).float()
    if labels is not None:
        learned = torch.from_numpy(np.load(labels / "features.npy"))
    for name, values in (("features", rows), ("labels", learned)):
        if len(values) != len(index):
            raise UserError(f"{name} have {len(values):,} images, expected {len(index):,}")
    if learned.shape[1] < classes:
        raise UserError(f"{labels}: the supervisor knows {learned.shape[1]} classes, the images have {classes}")
    chosen = split(len(index), spec.train, spec.test, spec.seed)
    train, test = (
        Examples(
            [index.ids[number] for number in numbers],
            rows[numbers].to(where),
            learned[numbers].to(where),
            truth[numbers].to(where),
        )
        for numbers in (chosen.train, chosen.test)
    )
    return train, test


@torch.no_grad()
def answers(network: nn.Module, examples: Examples) -> Tensor:
    """(n,) the class of each example; DivergedError if a prediction is not a number."""
    logits = network(examples.features)
    if not logits.isfinite().all():
        raise DivergedError("diverged: predictions are not numbers")
    predicted: Tensor = logits.argmax(-1)
    return predicted


def evaluate(answered: Tensor, test: Examples) -> dict[str, float]:
    """Top-1 accuracy against the truth and against the labels' most likely class."""
    return {
        "test_labels": (answered == test.labels.argmax(-1)).double().mean().item(),
        "test_truth": (answered == test.truth).double().mean().item(),
    }


def write_predictions(path: Path, test: Examples, answered: Tensor) -> None:
    """One row per test image. label: the most likely class under the labels of the test set."""
    truth, predicted = test.truth.tolist(), answered.tolist()
    columns: dict[str, list[Any]] = {
        "id": test.ids,
        "part": ["test"] * len(test.ids),
        "truth": truth,
        "label": test.labels.argmax(-1).tolist(),
        "answer": predicted,
        "correct": [int(answer == right) for answer, right in zip(predicted, truth, strict=True)],
    }
    artifacts.write_table(path, columns)
