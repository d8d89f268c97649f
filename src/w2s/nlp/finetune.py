"""The finetune stage: one run from its parents' artifacts to predictions, history and record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine import artifacts
from w2s.engine import distributed
from w2s.engine.devices import compile_where_it_pays, described, device, peak_of
from w2s.engine.memory import Budget, budget_of
from w2s.engine.sharded import checkpoint_at
from w2s.errors import UserError
from w2s.models import classifier, encoding
from w2s.models.base import directory_of
from w2s.nlp import variants
from w2s.training import labels as label_changes
from w2s.training import methods
from w2s.training.batching import Texts, joined
from w2s.training.loop import Best, Recipe, Trained, accuracy, probabilities, summary, train
from w2s.training.records import write_history

PREDICTED = ("strong", "validation", "test")
PREFER = "validation_labels"  # early stopping: agreement with the labels that the run is trained on


@dataclass(frozen=True)
class Encoded:
    """One part of the data in a base model's tokens. truth: (n,) float, 0 or 1."""

    ids: list[str]
    texts: Texts
    truth: Tensor


@dataclass(frozen=True)
class Part(Encoded):
    """The same with what a run learns. labels: (n,) float, probability of class 1."""

    labels: Tensor


def make(
    build: artifacts.Build,
    data: Path,
    model: Path,
    labels: Path | None,
    environment: Mapping[str, Any] | None = None,
    subset: Path | None = None,
    assistant: Path | None = None,
) -> classifier.Classifier:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    environment: what the rung needs of the machine, without effect on numbers: ``checkpointing``, ``gpus``. subset:
    the artifact that says which examples are trained on, where not all of a half are (``w2s.nlp.variants``).
    assistant: the run whose answers texts tell, where it is not the supervisor (sandwiching).
    Returns the network at the selected step, which is not kept otherwise.
    """
    environment = environment or {}
    spec = build.identity.spec
    training = spec["training"]
    recipe = methods.recipe_of(spec)
    where = device()
    base = directory_of(model)
    parts = read_parts(data, base, labels, training["max_length"])
    if "appended" in spec:
        parts = with_what_it_thinks(parts, data, base, assistant or labels, training["max_length"], spec["appended"])
    learned = learned_part(parts, spec["half"], subset, spec.get("subset"))
    learned = as_the_method_has_it(learned, parts, spec["half"], recipe)
    computing = classifier.Computing(
        spec.get("precision", "float32"),
        recipe.method.get("adapters", spec.get("adapters")),
        bool(environment.get("checkpointing")),
    )
    torch.manual_seed(spec["seed"])  # where adapters start
    network: classifier.Classifier = distributed.load_on(lambda: classifier.load(base, training["answers"], computing), where)
    tokens = recipe.epochs * sum(learned.texts.lengths) * methods.passes(recipe.method)
    flop = 6.0 * sum(parameter.numel() for parameter in network.parameters()) * tokens
    compiled = compile_where_it_pays(network, where, flop)
    budget = budget_of(where)
    evaluated = joined([parts["validation"].texts, parts["test"].texts])

    def judge() -> dict[str, float]:
        predicted = probabilities(network, evaluated, budget)
        found = evaluate(predicted, parts["validation"], parts["test"])
        if spec.get("agreement"):
            test = parts["test"]
            found |= variants.agreement(predicted[-len(test.ids) :], test.labels, test.truth)
        return found

    soft = torch.stack([1 - learned.labels, learned.labels], dim=-1)
    methods.head_first(network, learned.texts, soft, recipe, build.work / "head.pt", budget)
    before = [variants.before_training(judge())] if spec.get("agreement") else []
    history, best = train(
        network,
        learned.texts,
        soft,
        recipe,
        evaluate=judge,
        checkpoint=checkpoint_at(build.work / "checkpoint.pt"),
        prefer=PREFER if spec["selected"] == "validation" else None,
        budget=budget,
    )
    write_history(build.folder / "history.csv", before + history)
    steps = int(history[-1]["step"])
    asked = tuple(spec.get("predicts", PREDICTED))
    predicted = _predictions(network, best, steps, parts, evaluated, budget, asked)
    test = write_predictions(build.folder / "predictions.parquet", parts, *predicted)
    build.measured |= {
        "test_accuracy": test,
        "selected_step": best.step or steps,
        "steps": steps,
        "examples": len(learned.ids),
        "tokens": round(tokens),
        "flop": flop,
        "device": described(where),
    } | budget.record()
    if compiled:
        build.measured["compiled"] = True
    build.measured |= peak_of(where)
    print(summary(history[-1]))
    print(f"test accuracy {test:.4f} at step {build.measured['selected_step']} of {build.measured['steps']}")
    return network


def read_parts(data: Path, model: Path, labels: Path | None, max_length: int) -> dict[str, Part]:
    """All parts of the data, encoded, with weak labels joined by id (the truth where there is no supervisor)."""
    weak = weak_labels(labels) if labels else None
    parts = {}
    for name, part in encoded(data, model, max_length).items():
        learned = part.truth
        if weak is not None and name in PREDICTED:
            learned = join(part.ids, weak, where=f"{labels}/predictions.parquet")
        parts[name] = Part(part.ids, part.texts, part.truth, learned)
    return parts


def with_what_it_thinks(
    parts: Mapping[str, Part], data: Path, model: Path, who: Path | None, max_length: int, told: Mapping[str, Any]
) -> dict[str, Part]:
    """The parts that a run (the supervisor's, or an assistant's) answers, with what it thinks in every text."""
    assert who is not None
    tokens = variants.told(data, model, max_length, told, weak_labels(who))
    return {name: Part(part.ids, Texts(tokens[name]), part.truth, part.labels) for name, part in parts.items()
            if name in tokens}  # fmt: skip


def learned_part(parts: Mapping[str, Part], half: str, subset: Path | None, column: str | None) -> Part:
    """What is trained on: a half, or both; all of it, or what a subset marks."""
    if half != variants.BOTH:
        return parts[half]
    several = [parts[name] for name in variants.HALVES]
    texts = joined([part.texts for part in several])
    truth, labels = (torch.cat([getattr(part, name) for part in several]) for name in ("truth", "labels"))
    both = Part([one for part in several for one in part.ids], texts, truth, labels)
    if subset is None or column is None:
        return both
    numbers = variants.restricted(both.ids, subset, column)
    chosen = (variants.rows(values, numbers) for values in (both.truth, both.labels))
    return Part([both.ids[number] for number in numbers], variants.taken(both.texts, numbers), *chosen)


def as_the_method_has_it(part: Part, parts: dict[str, Part], half: str, recipe: Recipe) -> Part:
    """What is trained on, with the labels and of it the examples that the method has.

    Noise on labels is put into ``parts`` as well: predictions are written beside the labels that were trained on.
    """
    kept = label_changes.kept(part.labels, recipe.method)
    part = replace(part, labels=label_changes.with_noise(part.labels, recipe.method, recipe.seed))
    if half in parts:
        parts[half] = part
    if kept is None:
        return part
    texts = Texts([part.texts.ids(number) for number in kept])
    return Part([part.ids[number] for number in kept], texts, part.truth[kept], part.labels[kept])


@lru_cache(maxsize=4)  # of the last tasks and tokenizers: a process trains run after run
def encoded(data: Path, model: Path, max_length: int) -> Mapping[str, Encoded]:
    """Part -> its texts in the tokens of a base model, and the truth. Not to be changed."""
    table = artifacts.read_table(data / "examples.parquet").to_pydict()
    tokens = encoding.encode(model, table["text"], max_length)
    rows: dict[str, list[int]] = {}
    for number, part in enumerate(table["part"]):
        rows.setdefault(part, []).append(number)
    return {
        name: Encoded(
            [table["id"][number] for number in numbers],
            Texts([tokens[number] for number in numbers]),
            torch.tensor([float(table["label"][number]) for number in numbers]),
        )
        for name, numbers in rows.items()
    }


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


def evaluate(predicted: Tensor, validation: Part, test: Part) -> dict[str, float]:
    """Accuracy against the truth and against the learned labels of (validation + test,) probabilities."""
    on_validation, on_test = predicted.split([len(validation.ids), len(test.ids)])
    return {
        PREFER: accuracy(on_validation, validation.labels),
        "validation_truth": accuracy(on_validation, validation.truth),
        "test_labels": accuracy(on_test, test.labels),
        "test_truth": accuracy(on_test, test.truth),
    }


def _predictions(
    network: nn.Module,
    best: Best,
    steps: int,
    parts: Mapping[str, Part],
    evaluated: Texts,
    budget: Budget,
    asked: Sequence[str],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part -> probabilities, at the selected and at the last of the steps; leaves the network at the selected one."""

    def predict() -> dict[str, Tensor]:
        both = probabilities(network, evaluated, budget)  # as in training, so that they agree to the bit
        validation, test = both.split([len(parts["validation"].ids), len(parts["test"].ids)])
        known = {"validation": validation, "test": test}
        return {
            name: known[name] if name in known else probabilities(network, parts[name].texts, budget) for name in asked
        }

    last = predict()
    if best.weights is None or best.step == steps:
        return last, last
    Trained(network).load_state_dict(best.weights)
    return predict(), last


def write_predictions(
    path: Path, parts: Mapping[str, Part], selected: Mapping[str, Tensor], last: Mapping[str, Tensor]
) -> float:
    """Probabilities at the selected and at the last step, by part and id; returns the selected test accuracy."""
    columns: dict[str, list[object]] = {
        name: [] for name in ("id", "part", "truth", "label", "probability", "probability_last")
    }
    for name in selected:
        part = parts[name]
        columns["id"] += part.ids
        columns["part"] += [name] * len(part.ids)
        columns["truth"] += part.truth.int().tolist()
        columns["label"] += part.labels.tolist()
        columns["probability"] += selected[name].tolist()
        columns["probability_last"] += last[name].tolist()
    artifacts.write_table(path, columns)
    return accuracy(selected["test"], parts["test"].truth)
