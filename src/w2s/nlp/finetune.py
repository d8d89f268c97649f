"""The finetune stage: one run from its parents' artifacts to predictions, history and record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.engine import artifacts, distributed
from w2s.engine.memory import Budget
from w2s.models import classifier, saving
from w2s.models.base import directory_of
from w2s.nlp import variants
from w2s.nlp.labels import PREDICTED
from w2s.nlp.parts import (
    Part,
    apply_label_changes,
    first_of,
    parts_elsewhere,
    read_parts,
    share_of,
    training_part,
    with_balanced_labels,
    with_label_hints,
)
from w2s.nlp.specs import FinetuneSpec
from w2s.training import methods
from w2s.training.batching import Texts, joined
from w2s.training.elsewhere import among
from w2s.training.job import Job
from w2s.training.loop import Best, Evaluation, Schedule, Trained, accuracy, probabilities, train
from w2s.training.objectives import loss_of
from w2s.training.states import last_states

SELECT_BY = "validation_labels"  # early stopping: agreement with the labels that the run is trained on


def make(
    build: artifacts.Build,
    data: Path,
    model: Path,
    labels: Path | None,
    environment: Mapping[str, Any] | None = None,
    subset: Path | None = None,
    assistant: Path | None = None,
    parents: Mapping[str, Path] | None = None,
    *,
    may_keep: bool = True,
) -> classifier.Classifier:
    """Train and write ``predictions.parquet`` and ``history.csv``. labels: the supervisor's run, or None.

    environment: of the job, without effect on results: ``checkpointing``, ``gpus``. subset: an artifact that says which
    examples of both halves are trained on. assistant: the run that label hints come from, if not the supervisor.
    parents: by role, of which those of ``w2s.training.elsewhere`` are data whose test sets are predicted too.
    Returns the network at the selected step. Its weights are written too if ``execution.keep_weights`` says so and
    ``may_keep``.
    """
    spec = FinetuneSpec.from_spec(build.identity.spec)
    training, changes = spec.training, spec.method
    schedule = Schedule.of(training, spec.learning_rate, spec.seed)
    schedule = replace(schedule, by_length=training.batches == "by_length")
    recipe = methods.recipe_of(loss_of(spec.objective), schedule, changes)
    job = Job(build, environment)
    base = directory_of(model)
    parts = read_parts(data, base, labels, training.max_length)
    if spec.appended is not None:
        source = assistant or labels
        assert source is not None
        parts = with_label_hints(parts, data, base, source, training.max_length, spec.appended)
    if changes.balanced:
        parts = with_balanced_labels(parts, spec.half)
    elsewhere = among(parents)
    parts |= parts_elsewhere(elsewhere, data, base, training.max_length)
    learned = training_part(parts, spec.half, subset, spec.subset)
    computing = job.computing(spec, changes.adapters)

    def load() -> classifier.Classifier:
        return classifier.load(base, training.answers, computing)

    network = job.load(load, spec.seed)
    keeps = may_keep and job.keeps_weights
    if keeps:
        saving.counterpart(network, base)  # refused before training, not after it
    if changes.dropout is None:  # whose masks are per row
        job.pack(network, [part.texts for part in parts.values()])
    put_back = job.keep_used_rows(network, recipe.schedule, [part.texts for part in parts.values()])

    def states(texts: Texts) -> Tensor:
        return last_states(network, texts, job.budget)

    learned = apply_label_changes(learned, parts, spec.half, changes, spec.seed, states)
    learned, validation = (share_of(part, data, spec.share, spec.seed) for part in (learned, parts["validation"]))
    tokens = recipe.schedule.epochs * learned.texts.tokens * methods.passes(changes)
    job.train(network, tokens, compiles=network)
    evaluated = joined([parts["validation"].texts, parts["test"].texts])
    test = parts["test"] if spec.agreement else first_of(parts["test"], training.evaluation_examples)
    whole = validation is parts["validation"] and test is parts["test"]
    measured_on = evaluated if whole else joined([validation.texts, test.texts])

    def measure() -> dict[str, float]:
        predicted = probabilities(network, measured_on, job.budget)
        values = evaluate(predicted, validation, test)
        if spec.agreement:
            values |= variants.agreement(predicted[-len(test.ids) :], test.labels, test.truth)
        return values

    at_start = measure()["test_truth"]  # zero-shot, by the head's initial rows
    soft = torch.stack([1 - learned.labels, learned.labels], dim=-1)
    methods.train_head_first(network, learned.texts, soft, recipe, build.work / "head.pt", job.budget)
    before = [variants.before_training(measure())] if spec.agreement else []
    evaluation = Evaluation(measure, SELECT_BY if spec.selected == "validation" else None)
    history, best = train(network, learned.texts, soft, recipe, evaluation, job.runtime())
    steps = int(history[-1]["step"])
    names = [*(spec.predicts or PREDICTED), *elsewhere]
    predicted = _predictions(network, best, steps, parts, evaluated, job.budget, names)
    reached = write_predictions(build.folder / "predictions.parquet", parts, *predicted)
    measured = {
        "test_accuracy": reached,
        "test_accuracy_before": at_start,
        "selected_step": best.step or steps,
        "steps": steps,
        "examples": len(learned.ids),
    }
    job.finish(measured, before + history)
    print(f"test accuracy {reached:.4f} at step {measured['selected_step']} of {steps}")
    put_back()
    if keeps and (trained := distributed.gather_weights(network, load)):
        saving.classifier(trained, base, build.folder)
    return network


def evaluate(predicted: Tensor, validation: Part, test: Part) -> dict[str, float]:
    """Accuracy against the truth and against the learned labels of (validation + test,) probabilities."""
    on_validation, on_test = predicted.split([len(validation.ids), len(test.ids)])
    return {
        SELECT_BY: accuracy(on_validation, validation.labels),
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
    predicted: Sequence[str],
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Part -> probabilities, at the selected and at the last step; leaves the network at the selected one."""

    def predict() -> dict[str, Tensor]:
        both = probabilities(network, evaluated, budget)  # as in training, so that they agree to the bit
        validation, test = both.split([len(parts["validation"].ids), len(parts["test"].ids)])
        known = {"validation": validation, "test": test}
        return {
            name: known[name] if name in known else probabilities(network, parts[name].texts, budget)
            for name in predicted
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
