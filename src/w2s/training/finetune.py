"""The finetune stage: one run from its parents' artifacts to predictions, history and record."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s import artifacts
from w2s.checkpoints import Checkpoint
from w2s.device import device
from w2s.errors import UserError
from w2s.models import classifier
from w2s.models.base import directory_of
from w2s.training.batching import Texts
from w2s.training.loop import Best, Recipe, Trained, accuracy, probabilities, summary, train

PREDICTED = ("strong", "validation", "test")
PREFER = "validation_labels"  # early stopping: agreement with the labels that the run is trained on


@dataclass(frozen=True)
class Part:
    """One part of the data. truth, labels: (n,) float, probability of class 1; labels are what is learned."""

    ids: list[str]
    texts: Texts
    truth: Tensor
    labels: Tensor


def make(
    build: artifacts.Build, data: Path, model: Path, labels: Path | None, environment: Mapping[str, Any] | None = None
) -> None:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    environment: what the rung needs of the machine, without effect on numbers: ``checkpointing``, ``gpus``.
    """
    environment = environment or {}
    spec = build.identity.spec
    check_gpus(int(environment.get("gpus", 1)))
    training = spec["training"]
    recipe = Recipe(
        objective=spec["objective"]["name"],
        parameters=spec["objective"]["parameters"],
        epochs=training["epochs"],
        batch=training["batch"],
        learning_rate=spec["learning_rate"],
        weight_decay=training["weight_decay"],
        evaluations_per_epoch=training["evaluations_per_epoch"],
        seed=spec["seed"],
    )
    where = device()
    base = directory_of(model)
    parts = read_parts(data, base, labels, training["max_length"])
    computing = classifier.Computing(
        spec.get("precision", "float32"), spec.get("adapters"), bool(environment.get("checkpointing"))
    )
    torch.manual_seed(spec["seed"])  # where adapters start
    network = classifier.load(base, training["answers"], computing).to(where)
    history, best = train(
        network,
        parts[spec["half"]].texts,
        torch.stack([1 - parts[spec["half"]].labels, parts[spec["half"]].labels], dim=-1),
        recipe,
        evaluate=lambda: evaluate(network, parts["validation"], parts["test"]),
        checkpoint=Checkpoint(build.work / "checkpoint.pt"),
        prefer=PREFER if spec["selected"] == "validation" else None,
    )
    write_history(build.folder / "history.csv", history)
    test = write_predictions(build.folder / "predictions.parquet", network, best, parts)
    tokens = recipe.epochs * sum(parts[spec["half"]].texts.lengths)
    weights = sum(parameter.numel() for parameter in network.parameters())
    build.measured |= {
        "test_accuracy": test,
        "selected_step": best.step or int(history[-1]["step"]),
        "steps": int(history[-1]["step"]),
        "examples": len(parts[spec["half"]].ids),
        "tokens": round(tokens),
        "flop": 6.0 * weights * tokens,
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else where.type,
    }
    if where.type == "cuda":
        build.measured["peak_gpu_memory_mib"] = round(torch.cuda.max_memory_allocated(where) / 2**20)
    print(summary(history[-1]))
    print(f"test accuracy {test:.4f} at step {build.measured['selected_step']} of {build.measured['steps']}")


def check_gpus(needed: int) -> None:
    """UserError if a run needs to be spread over several GPUs."""
    if needed > 1:
        raise UserError(
            f"this rung needs {needed} GPUs (its ladder says so), and one run is not yet spread over several; "
            "give it adapters and gpus: 1 if it then fits, or leave it out of the ladder"
        )


def read_parts(data: Path, model: Path, labels: Path | None, max_length: int) -> dict[str, Part]:
    """All parts of the data, encoded, with weak labels joined by id (the truth where there is no supervisor)."""
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    encoded = classifier.encode(model, table["text"], max_length)
    weak = weak_labels(labels) if labels else None
    rows: dict[str, list[int]] = {}
    for number, part in enumerate(table["part"]):
        rows.setdefault(part, []).append(number)
    parts = {}
    for name, numbers in rows.items():
        ids = [table["id"][number] for number in numbers]
        truth = torch.tensor([float(table["label"][number]) for number in numbers])
        learned = truth
        if weak is not None and name in PREDICTED:
            learned = join(ids, weak, where=f"{labels}/predictions.parquet")
        parts[name] = Part(ids, Texts([encoded[number] for number in numbers]), truth, learned)
    return parts


def weak_labels(run: Path) -> dict[str, float]:
    """Example id -> the supervisor's probability of class 1."""
    table = artifacts.read_table(run / "predictions.parquet").to_pydict()
    return dict(zip(table["id"], table["probability"], strict=True))


def join(ids: list[str], weak: Mapping[str, float], *, where: str) -> Tensor:
    """(ids,) weak labels in the order of the ids; UserError for an example that the supervisor never saw."""
    missing = [one for one in ids if one not in weak]
    if missing:
        raise UserError(f"{where}: no prediction for {len(missing)} of {len(ids)} examples, {missing[0]} first")
    return torch.tensor([weak[one] for one in ids])


def evaluate(network: nn.Module, validation: Part, test: Part) -> dict[str, float]:
    """Accuracy against the truth and against the learned labels, on validation and test."""
    on_validation, on_test = probabilities(network, validation.texts), probabilities(network, test.texts)
    return {
        PREFER: accuracy(on_validation, validation.labels),
        "validation_truth": accuracy(on_validation, validation.truth),
        "test_labels": accuracy(on_test, test.labels),
        "test_truth": accuracy(on_test, test.truth),
    }


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """One row an evaluation."""
    with artifacts.written(path) as file:
        writer = csv.DictWriter(file, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: format(value, ".8g") for name, value in row.items()} for row in history)


def write_predictions(path: Path, network: nn.Module, best: Best, parts: Mapping[str, Part]) -> float:
    """Probabilities at the selected and at the last step, by part and id; returns the selected test accuracy."""
    last = {name: probabilities(network, parts[name].texts) for name in PREDICTED}
    selected = last
    if best.weights is not None:
        Trained(network).load_state_dict(best.weights)
        selected = {name: probabilities(network, parts[name].texts) for name in PREDICTED}
    columns: dict[str, list[object]] = {
        name: [] for name in ("id", "part", "truth", "label", "probability", "probability_last")
    }
    for name in PREDICTED:
        part = parts[name]
        columns["id"] += part.ids
        columns["part"] += [name] * len(part.ids)
        columns["truth"] += part.truth.int().tolist()
        columns["label"] += part.labels.tolist()
        columns["probability"] += selected[name].tolist()
        columns["probability_last"] += last[name].tolist()
    artifacts.write_table(path, columns)
    return accuracy(selected["test"], parts["test"].truth)
