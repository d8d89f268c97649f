"""A student trained by a method's hooks, with the package's own loop. Runs in the method's process, without the truth.

A method that changes nothing is naive finetuning (paper, Section 3, Appendix A.1), as the stage ``finetune`` does it.
"""

from __future__ import annotations

import inspect
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from w2s.bench.hooks import Cell
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.devices import device
from w2s.engine.memory import budget_of
from w2s.errors import UserError
from w2s.models import classifier, encoding
from w2s.models.classifier import Classifier, Computing
from w2s.models.vocabulary import keep_used_rows
from w2s.training import methods
from w2s.training.batching import Texts
from w2s.training.loop import Evaluation, Runtime, Schedule, Trained, accuracy, probabilities, train
from w2s.training.loss import Loss
from w2s.training.objectives import cross_entropy, pair
from w2s.training.specs import MethodChanges

AGREEMENT = "validation_labels"
BY_RELABEL = {"keep", "label_noise", "ground_truth", "balanced"}  # changes of labels, which hooks make themselves


class Student:
    """A base model with a two-way head. network: logits (n, 2) of token ids (n, longest) and lengths (n,)."""

    def __init__(self, cell: Cell, adapters: Mapping[str, Any] | None = None) -> None:
        """The base model of a cell, not trained yet: its head starts from the answers' unembeddings."""
        torch.manual_seed(cell.seed)
        computing = Computing(cell.precision, adapters or cell.adapters)
        self.cell, self.device = cell, device()
        self.network: Classifier = classifier.load(cell.model, cell.answers, computing).to(self.device)

    def encoded(self, texts: Sequence[str]) -> Texts:
        """Texts in the base model's tokens."""
        return Texts(encoding.encode_each(self.cell.model, texts, self.cell.training.max_length))

    def probabilities(self, texts: Sequence[str]) -> Tensor:
        """(n,) probabilities of class 1, on the CPU."""
        return probabilities(self.network, self.encoded(texts))


class Unsaved(Checkpoint):
    """No checkpoint: an interrupted bench starts again."""

    def maybe_save(self, step: int, gathered: Callable[[], Mapping[str, Any]], *, last: bool = False) -> None:
        """Save nothing."""


def run(
    cell: Cell, texts: Mapping[str, list[str]], weak: Mapping[str, Mapping[str, Tensor]], method: ModuleType
) -> Tensor:
    """(n,) predictions for the test texts. texts: by part; weak: part -> supervisor -> (n,) labels.

    UserError for a hook that returns something else than it should.
    """
    combine = getattr(method, "combine", lambda cell, labels: labels[cell.supervisor])
    learned, validation = (
        checked("combine", combine(cell, labels), len(texts[part]))
        for part, labels in ((part, weak[part]) for part in ("strong", "validation"))
    )
    chosen, weights = texts["strong"], torch.ones(len(learned))
    if hasattr(method, "relabel"):
        both = method.relabel(cell, list(chosen), learned)
        if not isinstance(both, tuple) or len(both) != 2:
            raise UserError("relabel: expected two tensors, (labels, weights)")
        learned = checked("relabel: labels", both[0], len(chosen))
        weights = checked("relabel: weights", both[1], len(chosen), highest=float("inf"))
        kept = weights.nonzero().flatten().tolist()
        if not kept:
            raise UserError("relabel: weights: all are 0; nothing is left to train on")
        chosen, learned, weights = [chosen[number] for number in kept], learned[kept], weights[kept]
    student = finetuned(cell, chosen, learned, weights, (texts["validation"], validation), method)
    if not hasattr(method, "predict"):
        return student.probabilities(texts["test"])
    return checked("predict", method.predict(cell, student, list(texts["test"])), len(texts["test"]))


def finetuned(
    cell: Cell,
    texts: Sequence[str],
    labels: Tensor,
    weights: Tensor,
    validation: tuple[Sequence[str], Tensor],
    method: ModuleType | None = None,
) -> Student:
    """The base model trained on texts with (n,) labels and (n,) weights.

    validation: texts and (n,) weak labels, for early stopping. method: whose ``loss`` and ``training`` are used.
    """
    ask = getattr(method, "training", None)
    wanted = dict(ask(cell)) if ask else {}
    epochs = wanted.pop("epochs", cell.training.epochs)
    changes = changes_of(wanted)
    if not isinstance(epochs, int | float) or not epochs > 0:
        raise UserError(f"training: epochs: {epochs!r} is not allowed; allowed: a number above 0")
    schedule = Schedule.of(cell.training, cell.learning_rate, cell.seed)
    schedule = replace(schedule, epochs=epochs, by_length=cell.by_length)
    recipe = methods.recipe_of(loss_of(method), schedule, changes)
    student = Student(cell, changes.adapters.model_dump() if changes.adapters else None)
    encoded, held_out = student.encoded(texts), student.encoded(validation[0])
    budget = budget_of(student.device)
    cuts = student.device.type == "cpu" and not recipe.schedule.weight_decay  # where this changes no result
    used = torch.cat([encoded.used(), held_out.used()])
    put_back = keep_used_rows(student.network, used) if cuts else None

    def measure() -> dict[str, float]:
        return {AGREEMENT: accuracy(probabilities(student.network, held_out, budget), validation[1])}

    rows = torch.cat([pair(labels), weights[:, None]], dim=-1)  # the loop hands an example's row to its loss
    with tempfile.TemporaryDirectory() as folder:
        methods.train_head_first(student.network, encoded, rows, recipe, Path(folder) / "head.pt", budget)
        evaluation = Evaluation(measure, AGREEMENT if cell.early_stopping else None)
        checkpoint = Unsaved(Path(folder) / "checkpoint.pt")
        _, best = train(student.network, encoded, rows, recipe, evaluation, Runtime(checkpoint, budget))
    if best.weights is not None:
        Trained(student.network).load_state_dict(best.weights)
    if put_back is not None:
        put_back()
    return student


def loss_of(method: ModuleType | None) -> Loss:
    """The method's loss, or cross entropy, times the weights: labels have these in a third column."""
    own: Callable[..., Tensor] | None = getattr(method, "loss", None)
    wants_progress = own is not None and "progress" in inspect.signature(own).parameters

    def weighted(logits: Tensor, rows: Tensor, *, progress: float) -> Tensor:
        if own is None:
            return rows[:, 2] * cross_entropy(logits, rows[:, :2])
        losses = own(logits, rows[:, :2], **({"progress": progress} if wants_progress else {}))
        if tuple(getattr(losses, "shape", ())) != (len(logits),):
            raise UserError(f"loss: expected one loss per example, a tensor of shape ({len(logits)},)")
        return rows[:, 2] * losses

    return Loss(weighted, separable=own is None)


def changes_of(wanted: Mapping[str, Any]) -> MethodChanges:
    """The changes that ``training`` returns, ``epochs`` aside; UserError for an unknown key or a wrong value."""
    allowed = [name for name in MethodChanges.model_fields if name not in BY_RELABEL]
    for name in wanted:
        if name not in allowed:
            raise UserError(f"training: {name!r} is not allowed; allowed: epochs, {', '.join(allowed)}")
    try:
        return MethodChanges.model_validate(dict(wanted))
    except ValidationError as error:
        first = error.errors()[0]
        raise UserError(f"training: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def checked(what: str, values: object, count: int, highest: float = 1.0) -> Tensor:
    """(count,) float32 numbers of [0, highest]; UserError, naming the hook, for anything else."""
    try:
        found = torch.as_tensor(values, dtype=torch.float32).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        raise UserError(f"{what}: expected a tensor of shape ({count},), not {type(values).__name__}") from None
    if tuple(found.shape) != (count,):
        raise UserError(f"{what}: expected shape ({count},), not {tuple(found.shape)}")
    if not ((found >= 0) & (found <= highest) & found.isfinite()).all():
        raise UserError(f"{what}: expected numbers from 0 to 1" if highest == 1 else f"{what}: expected 0 or more")
    return found
