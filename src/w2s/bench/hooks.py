"""What a method is: the functions that its file may define, and what they are told. Light: no torch."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.config.parameters import parsed
from w2s.errors import UserError
from w2s.training.specs import Training

HOOKS = {
    "combine": "(cell, labels)",
    "relabel": "(cell, texts, labels)",
    "loss": "(logits, labels, *, progress)",
    "training": "(cell)",
    "predict": "(cell, student, texts)",
}
TEMPLATE = '''"""A weak-to-strong method for `w2s bench`. Every function is optional: delete those that you do not need.

Labels and predictions are tensors of probabilities of class 1. `w2s bench --try FILE` runs it without scoring it.
"""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, ones_like

from w2s.bench.hooks import Cell
from w2s.bench.student import Student


def combine(cell: Cell, labels: Mapping[str, Tensor]) -> Tensor:
    """(n,) weak labels from those of several supervisors (name -> (n,)), weakest first; the last is cell.supervisor."""
    return labels[cell.supervisor]


def relabel(cell: Cell, texts: list[str], labels: Tensor) -> tuple[Tensor, Tensor]:
    """((n,) labels to train on, (n,) weights) of the strong half; examples of weight 0 are left out."""
    return labels, ones_like(labels)


def loss(logits: Tensor, labels: Tensor, *, progress: float) -> Tensor:
    """(batch,) losses of (batch, 2) logits under (batch, 2) labels. progress: share of the steps done, in [0, 1)."""
    return -(labels * logits.log_softmax(-1)).sum(-1)


def training(cell: Cell) -> dict[str, Any]:
    """Changes to naive finetuning: epochs, learning_rate_times, dropout, ... (docs/bench.md)."""
    return {"epochs": cell.training.epochs, "learning_rate_times": 1.0}


def predict(cell: Cell, student: Student, texts: list[str]) -> Tensor:
    """(n,) predictions for the test texts."""
    return student.probabilities(texts)
'''


@dataclass(frozen=True)
class Cell:
    """One student to train: what a method is told beside texts and weak labels.

    supervisors: all whose labels there are, weakest first; the last is ``supervisor``, which PGR is measured from.
    model: the base model's directory. answers: whose unembeddings the head starts from, for class 0 and class 1.
    training: naive finetuning's (epochs, batch, weight_decay, max_length in tokens). early_stopping: whether the step
    with the best agreement with weak labels on the validation part is chosen.
    """

    task: str
    supervisor: str
    student: str
    seed: int
    supervisors: tuple[str, ...]
    model: Path
    answers: tuple[str, str]
    learning_rate: float
    training: Training
    early_stopping: bool
    precision: str = "float32"
    adapters: Mapping[str, Any] | None = None
    by_length: bool = False  # whether batches hold texts of similar length

    @classmethod
    def read(cls, content: Mapping[str, Any], models: Path) -> Cell:
        """The cell of a sealed folder's JSON."""
        told = dict(content) | {name: tuple(content[name]) for name in ("supervisors", "answers")}
        model = models / content["student"]
        return cls(**told | {"training": Training.from_spec(content["training"]), "model": model})

    def __str__(self) -> str:
        return f"{self.task}, {self.supervisor} to {self.student}, seed {self.seed}"


def check(path: Path) -> list[str]:
    """The hooks that a method's file defines, by its source alone: only the sealed process imports it.

    UserError for a file that is no Python, or defines none of them.
    """
    if not path.stem.isidentifier() or path.suffix != ".py":
        raise UserError(f"{path}: not a valid name for a method; expected a Python file such as my_method.py")
    found = set()
    for node in parsed(path).body:
        if isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    defined = [name for name in HOOKS if name in found]
    if not defined:
        hooks = ", ".join(name + arguments for name, arguments in HOOKS.items())
        raise UserError(f"{path}: defines no hook; expected one or more of {hooks}")
    return defined
