"""The prefer stage: one reward model from its parents' artifacts to predictions, history and record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from w2s.engine import artifacts, distributed
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.devices import compile_where_it_pays, described, device, peak_of
from w2s.engine.memory import Budget, budget_of
from w2s.engine.sharded import checkpoint_at
from w2s.errors import UserError
from w2s.models import encoding
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.models.classifier import Computing
from w2s.reward import rewarder
from w2s.reward.batching import Dialogues, backward, both, dialogue, joined, logits
from w2s.reward.rewarder import Rewarder
from w2s.training.loop import Best, Schedule, Trained, accuracy, optimise, summary
from w2s.training.objectives import OBJECTIVES, SEPARABLE, pair
from w2s.training.records import write_history

PREDICTED = ("strong", "validation", "test")  # of those that there are
STOPPED = "test_truth"  # "cheating" early stopping: accuracy against the truth of the test set (specification, 2.5)


@dataclass(frozen=True)
class Encoded:
    """One part of the data in a base model's tokens. truth: (n,) float, 1 where the second is preferred."""

    ids: list[str]
    pairs: Dialogues
    truth: Tensor


@dataclass(frozen=True)
class Part(Encoded):
    """The same with what a run learns. labels: (n, 2) float, probabilities that the first, the second is preferred."""

    labels: Tensor


def make(
    build: artifacts.Build, data: Path, model: Path, labels: Path | None, environment: Mapping[str, Any] | None = None
) -> None:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    environment: what the rung needs of the machine, without effect on numbers: ``checkpointing``, ``gpus``.
    """
    environment = environment or {}
    spec = build.identity.spec
    training = spec["training"]
    where = device()
    base = directory_of(model)
    parts = read_parts(data, base, labels, training["cue"], training["max_length"])
    computing = Computing(
        spec.get("precision", "float32"), spec.get("adapters"), bool(environment.get("checkpointing"))
    )
    torch.manual_seed(spec["seed"])  # where adapters start
    network: Rewarder = distributed.load_on(lambda: rewarder.load(base, training["head"], computing), where)
    learned = parts[spec["half"]]
    tokens = training["epochs"] * learned.pairs.tokens
    flop = 6.0 * sum(parameter.numel() for parameter in network.parameters()) * tokens
    compiled = compile_where_it_pays(network.backbone, where, flop)
    history, best, budget = train(network, learned, parts, spec, checkpoint_at(build.work / "checkpoint.pt"))
    write_history(build.folder / "history.csv", history)
    last, stopped = _predictions(network, best, int(history[-1]["step"]), parts, budget)
    accuracies = write_predictions(build.folder / "predictions.parquet", parts, last, stopped)
    build.measured |= {
        "test_accuracy": accuracies[0],
        "test_accuracy_stopped": accuracies[1],
        "stopped_step": best.step,
        "steps": int(history[-1]["step"]),
        "examples": len(learned.ids),
        "tokens": round(tokens),
        "flop": flop,
        "device": described(where),
    } | budget.record()
    if compiled:
        build.measured["compiled"] = True
    build.measured |= peak_of(where)
    print(summary(history[-1]))
    print(f"test accuracy {accuracies[0]:.4f}, {accuracies[1]:.4f} at step {best.step}, where it was best")


def train(
    network: Rewarder, learned: Part, parts: Mapping[str, Part], spec: Mapping[str, Any], checkpoint: Checkpoint
) -> tuple[list[dict[str, float]], Best, Budget]:
    """Train in place: history, the weights at the best evaluation on the truth of the test set, and what fitted."""
    training, objective = spec["training"], spec["objective"]
    where = next(network.parameters()).device
    budget = budget_of(where)
    schedule = Schedule(
        epochs=training["epochs"],
        batch=training["batch"],
        learning_rate=spec["learning_rate"],
        weight_decay=training["weight_decay"],
        evaluations_per_epoch=training["evaluations_per_epoch"],
        seed=spec["seed"],
    )
    bound = partial(OBJECTIVES[objective["name"]], **objective["parameters"])
    labels = learned.labels.to(where)
    looked_at = {name: parts[name] for name in ("validation", "test") if name in parts}
    together = joined([part.pairs for part in looked_at.values()])

    def gradient(batch: Any, done: float, tokens: int) -> float:
        at_this_point = partial(bound, progress=done)
        separable = objective["name"] in SEPARABLE
        return backward(network, learned.pairs, labels, batch, at_this_point, separable=separable, tokens=tokens)

    history, best = optimise(
        network,
        len(learned.pairs),
        schedule,
        gradient,
        evaluate=lambda: evaluated(logits(network, together, budget), looked_at),
        checkpoint=checkpoint,
        prefer=STOPPED,
        budget=budget,
    )
    return history, best, budget


def evaluated(found: Tensor, looked_at: Mapping[str, Part]) -> dict[str, float]:
    """Accuracy of the logits of some parts, in a row, against the learned labels and the truth of each."""
    row = {}
    of_parts = found.split([len(part.ids) for part in looked_at.values()])
    for (name, part), of_part in zip(looked_at.items(), of_parts, strict=True):
        predicted = torch.sigmoid(of_part)
        row[f"{name}_labels"] = accuracy(predicted, part.labels[:, 1])
        row[f"{name}_truth"] = accuracy(predicted, part.truth)
    return row


# -- pairs, labels, predictions ----------------------------------------------------------------------------


def read_parts(data: Path, model: Path, labels: Path | None, cue: str, max_length: int) -> dict[str, Part]:
    """All parts of the data, encoded, with weak labels joined by id (the truth where there is no supervisor)."""
    weak = weak_logits(labels) if labels else None
    parts = {}
    for name, part in encoded(data, model, cue, max_length).items():
        learned = pair(part.truth)
        if weak is not None and name in PREDICTED:
            learned = both(join(part.ids, weak, where=f"{labels}/predictions.parquet"))
        parts[name] = Part(part.ids, part.pairs, part.truth, learned)
    return parts


@lru_cache(maxsize=4)  # of the last tasks and tokenizers: a process trains run after run
def encoded(data: Path, model: Path, cue: str, max_length: int) -> Mapping[str, Encoded]:
    """Part -> its pairs in the tokens of a base model, and the truth. Not to be changed.

    cue: a text behind every completion, at whose last token the reward is read.
    """
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    tokenizer = encoding.tokenizer_of(model)
    start = encoding.start_of(tokenizer)
    room = min(max_length, longest(model) or max_length) - len(start)
    if room < 1:
        raise UserError(f"reward.training.max_length: {max_length} leaves no room for text; allowed: more")
    prefixes, firsts, seconds, (behind,) = (
        encoding.bare_ids(tokenizer, texts) for texts in (table["prefix"], table["first"], table["second"], [cue])
    )
    rows: dict[str, list[int]] = {}
    for number, part in enumerate(table["part"]):
        rows.setdefault(part, []).append(number)
    found = {}
    for name, numbers in rows.items():
        cut = [
            dialogue(prefixes[number], firsts[number] + behind, seconds[number] + behind, room) for number in numbers
        ]
        started = [type(one)([*start, *one.prefix], one.low, one.high, one.swapped) for one in cut]
        found[name] = Encoded(
            [table["id"][number] for number in numbers],
            Dialogues(started),
            torch.tensor([float(table["label"][number]) for number in numbers]),
        )
    return found


def weak_logits(run: Path) -> dict[str, float]:
    """Pair id -> the supervisor's logit that the second completion is preferred."""
    table = artifacts.read_table(run / "predictions.parquet").to_pydict()
    return dict(zip(table["id"], table["logit"], strict=True))


def join(ids: list[str], weak: Mapping[str, float], *, where: str) -> Tensor:
    """(ids,) logits in the order of the ids; UserError for a pair that the supervisor never saw."""
    missing = [one for one in ids if one not in weak]
    if missing:
        raise UserError(f"{where}: no prediction for {len(missing)} of {len(ids)} pairs, {missing[0]} first")
    return torch.tensor([weak[one] for one in ids])


def _predictions(
    network: Rewarder, best: Best, steps: int, parts: Mapping[str, Part], budget: Budget
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part -> logits after the last of the steps, and where the test set's truth was best met; leaves those weights."""

    def predict() -> dict[str, Tensor]:
        looked_at = [name for name in ("validation", "test") if name in parts]
        together = joined([parts[name].pairs for name in looked_at])  # as in training, so that they agree to the bit
        found = logits(network, together, budget).split([len(parts[name].ids) for name in looked_at])
        return {"strong": logits(network, parts["strong"].pairs, budget)} | dict(zip(looked_at, found, strict=True))

    last = predict()
    if best.weights is None or best.step == steps:
        return last, last
    Trained(network).load_state_dict(best.weights)
    return last, predict()


def write_predictions(
    path: Path, parts: Mapping[str, Part], last: Mapping[str, Tensor], stopped: Mapping[str, Tensor]
) -> tuple[float, float]:
    """Logits and probabilities by part and id; returns the test accuracies (last step, truth-stopped)."""
    columns: dict[str, list[object]] = {
        name: []
        for name in (
            "id",
            "part",
            "truth",
            "label",
            "logit",
            "probability",
            "probability_last",
            "probability_stopped",
        )
    }
    for name in PREDICTED:
        if name not in parts:
            continue
        part = parts[name]
        probability = torch.sigmoid(last[name]).tolist()
        columns["id"] += part.ids
        columns["part"] += [name] * len(part.ids)
        columns["truth"] += part.truth.int().tolist()
        columns["label"] += part.labels[:, 1].tolist()
        columns["logit"] += last[name].tolist()
        columns["probability"] += probability
        columns["probability_last"] += probability
        columns["probability_stopped"] += torch.sigmoid(stopped[name]).tolist()
    artifacts.write_table(path, columns)
    of_test = (accuracy(torch.sigmoid(found["test"]), parts["test"].truth) for found in (last, stopped))
    return next(of_test), next(of_test)
