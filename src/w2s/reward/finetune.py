"""The reward_model stage: a reward model from its parents' artifacts to predictions, history and record."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from w2s.engine import artifacts
from w2s.engine.memory import Budget
from w2s.errors import UserError
from w2s.models import context, encoding
from w2s.models.base import directory_of
from w2s.models.base import max_length as longest
from w2s.reward import policy, rewarder
from w2s.reward.batching import (
    Dialogue,
    Dialogues,
    RewardModel,
    backward,
    both,
    dialogue,
    joined,
    logits,
    relative,
)
from w2s.reward.specs import RewardModelSpec
from w2s.training.elsewhere import among, unseen
from w2s.training.job import Job
from w2s.training.loop import Best, Evaluation, Schedule, Trained, accuracy, optimise
from w2s.training.objectives import loss_of, pair

if TYPE_CHECKING:
    import pyarrow as pa

READ = 250  # pairs at a time
PREDICTED = ("strong", "validation", "test")  # of those that there are
SELECT_BY = "test_truth"  # "cheating" early stopping: accuracy against the truth of the test set (Section 5.1.1)


@dataclass(frozen=True)
class Encoded:
    """One part of the data in a base model's tokens. truth: (n,) float, 1 where the second is preferred."""

    ids: list[str]
    pairs: Dialogues
    truth: Tensor


@dataclass(frozen=True)
class Part(Encoded):
    """A part with the labels that a run learns. labels: (n, 2) float, probabilities of either being preferred."""

    labels: Tensor


def make(
    build: artifacts.Build,
    data: Path,
    model: Path,
    labels: Path | None,
    environment: Mapping[str, Any] | None = None,
    parents: Mapping[str, Path] | None = None,
) -> None:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    environment: of the job, without effect on results: ``checkpointing``, ``gpus``. parents: by role, of which those of
    ``w2s.training.elsewhere`` are data whose test sets are predicted too.
    """
    spec = RewardModelSpec.from_spec(build.identity.spec)
    training, loss = spec.training, loss_of(spec.objective)
    job, base = Job(build, environment), directory_of(model)
    read = partial(encoded, model=base, cue=training.cue, max_length=training.max_length, ends=spec.beta is not None)
    elsewhere = parts_elsewhere(among(parents), data, read)
    parts = read_parts(data, read, labels) | elsewhere
    predicted = [name for name in (*PREDICTED, *elsewhere) if name in parts]
    computing = job.computing(spec)

    def load() -> RewardModel:
        if spec.beta is not None:
            return policy.load(base, spec.beta, computing)
        return rewarder.load(base, training.head, training.max_length, computing)

    network = job.load(load, spec.seed)
    job.train(network, training.epochs * parts[spec.half].pairs.tokens, compiles=network.backbone)
    if spec.beta is not None:
        parts = {
            name: replace(parts[name], pairs=relative(network, parts[name].pairs, job.budget)) for name in predicted
        }
    learned = parts[spec.half]
    targets = learned.labels.to(job.device)
    evaluated_parts: dict[str, Part] = {name: parts[name] for name in ("validation", "test") if name in parts}
    together = joined([part.pairs for part in evaluated_parts.values()])

    def gradient(batch: Sequence[int], progress: float, tokens: int) -> Tensor:
        return backward(network, learned.pairs, targets, batch, loss.at(progress), tokens)

    def evaluate() -> dict[str, float]:
        return accuracies_of(logits(network, together, job.budget), evaluated_parts)

    schedule = Schedule.of(training, spec.learning_rate, spec.seed)
    schedule = replace(schedule, by_length=training.batches == "by_length")
    evaluation = Evaluation(evaluate, SELECT_BY)
    count, lengths = len(learned.pairs), learned.pairs.lengths
    history, best = optimise(network, count, gradient, schedule, evaluation, job.runtime(), lengths=lengths)
    shown = {name: parts[name] for name in predicted}
    last, stopped = _predictions(network, best, int(history[-1]["step"]), shown, job.budget)
    accuracy_last, accuracy_stopped = write_predictions(build.folder / "predictions.parquet", shown, last, stopped)
    measured = {
        "test_accuracy": accuracy_last,
        "test_accuracy_stopped": accuracy_stopped,
        "stopped_step": best.step,
        "steps": int(history[-1]["step"]),
        "examples": len(learned.ids),
    }
    job.finish(measured, history)
    print(f"test accuracy {accuracy_last:.4f}, {accuracy_stopped:.4f} at the best step, {best.step}")


def accuracies_of(values: Tensor, parts: Mapping[str, Part]) -> dict[str, float]:
    """Accuracy of the concatenated logits of some parts against the learned labels and the truth of each."""
    row = {}
    of_parts = values.split([len(part.ids) for part in parts.values()])
    for (name, part), of_part in zip(parts.items(), of_parts, strict=True):
        predicted = torch.sigmoid(of_part)
        row[f"{name}_labels"] = accuracy(predicted, part.labels[:, 1])
        row[f"{name}_truth"] = accuracy(predicted, part.truth)
    return row


Read = Callable[[Path], Mapping[str, Encoded]]  # ``encoded`` for one base model and recipe


# -- pairs, labels, predictions ----------------------------------------------------------------------------


def read_parts(data: Path, read: Read, labels: Path | None) -> dict[str, Part]:
    """All parts of the data, encoded, with weak labels joined by id (the truth where there is no supervisor)."""
    weak = weak_logits(labels) if labels else None
    parts = {}
    for name, part in read(data).items():
        learned = pair(part.truth)
        if weak is not None and name in PREDICTED:
            learned = both(join(part.ids, weak, where=f"{labels}/predictions.parquet"))
        parts[name] = Part(part.ids, part.pairs, part.truth, learned)
    return parts


def parts_elsewhere(others: Mapping[str, Path], data: Path, read: Read) -> dict[str, Part]:
    """Name -> the test part of other data, which has no weak labels (NaN).

    Pairs of a group that was trained on are left out; UserError if none is left (``w2s.training.elsewhere``).
    """
    found = {}
    for name, other in others.items():
        part, kept = read(other)["test"], unseen(other, data)
        pairs = Dialogues(part.pairs.pair(number) for number in kept)
        labels = torch.full((len(kept), 2), torch.nan)
        found[name] = Part([part.ids[number] for number in kept], pairs, part.truth[kept], labels)
    return found


@lru_cache(maxsize=4)  # of recent tasks and tokenizers: a warm process trains run after run
def encoded(data: Path, model: Path, cue: str, max_length: int, *, ends: bool = False) -> Mapping[str, Encoded]:
    """Part -> its pairs in the tokens of a base model, and the truth. Read-only.

    cue: a text after every completion, at whose last token the reward is read. ends: where it is empty, the end token
    stands there.
    """
    import pyarrow.compute as pc

    table = artifacts.read_table(data / "examples.parquet")
    tokenizer = encoding.tokenizer_of(model)
    start = encoding.start_of(tokenizer)
    room = min(max_length, longest(model) or max_length) - len(start)
    if room < 1:
        raise UserError(f"reward.training.max_length: {max_length} leaves no room for text; increase it")
    (behind,) = context.words(tokenizer, [cue])
    if ends and not behind:
        behind = [encoding.end_of(model)]

    def pairs(part: pa.Table) -> Iterator[Dialogue]:
        for some in part.to_batches(max_chunksize=READ):
            rows = some.to_pydict()
            prefixes = encoding.bare_ids(tokenizer, rows["prefix"])
            texts = (context.following(tokenizer, rows["prefix"], rows[name]) for name in ("first", "second"))
            for prefix, first, second in zip(prefixes, *texts, strict=True):
                cut = dialogue(prefix, first + behind, second + behind, room)
                yield replace(cut, prefix=[*start, *cut.prefix])

    found = {}
    for name in table["part"].unique().to_pylist():
        part = table.filter(pc.equal(table["part"], name))
        truth = torch.tensor(part["label"].to_pylist(), dtype=torch.float)
        found[name] = Encoded(part["id"].to_pylist(), Dialogues(pairs(part)), truth)
    return found


def weak_logits(run: Path) -> dict[str, float]:
    """Pair id -> the supervisor's logit that the second completion is preferred."""
    table = artifacts.read_table(run / "predictions.parquet").to_pydict()
    return dict(zip(table["id"], table["logit"], strict=True))


def join(ids: list[str], weak: Mapping[str, float], *, where: str) -> Tensor:
    """(ids,) logits in the order of the ids; UserError for a pair without a prediction."""
    missing = [name for name in ids if name not in weak]
    if missing:
        raise UserError(f"{where}: no prediction for {len(missing)} of {len(ids)} pairs, first {missing[0]}")
    return torch.tensor([weak[name] for name in ids])


def _predictions(
    network: RewardModel, best: Best, steps: int, parts: Mapping[str, Part], budget: Budget
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part -> logits after the last step, and at the selected step; leaves the network at the latter."""

    def predict() -> dict[str, Tensor]:
        names = [name for name in ("validation", "test") if name in parts]
        together = joined([parts[name].pairs for name in names])  # as in training, so that they agree to the bit
        of_parts = logits(network, together, budget).split([len(parts[name].ids) for name in names])
        known = dict(zip(names, of_parts, strict=True))
        return {
            name: known[name] if name in known else logits(network, part.pairs, budget) for name, part in parts.items()
        }

    last = predict()
    if best.weights is None or best.step == steps:
        return last, last
    Trained(network).load_state_dict(best.weights)
    return last, predict()


def write_predictions(
    path: Path, parts: Mapping[str, Part], last: Mapping[str, Tensor], stopped: Mapping[str, Tensor]
) -> tuple[float, float]:
    """Logits and probabilities by part and id; returns the test accuracies (last step, selected step)."""
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
    for name, part in parts.items():
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
    of_test = (accuracy(torch.sigmoid(values["test"]), parts["test"].truth) for values in (last, stopped))
    return next(of_test), next(of_test)
