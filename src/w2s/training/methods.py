"""A run's method, from its spec to the training loop.

What each key does is documented in ``w2s.config.methods``; ``w2s.training.labels`` changes labels.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from torch import Tensor

from w2s.engine.memory import Budget
from w2s.engine.sharded import checkpoint_at
from w2s.models.classifier import Classifier
from w2s.training.batching import Texts
from w2s.training.loop import Evaluation, Recipe, Runtime, Schedule, train
from w2s.training.loss import Loss
from w2s.training.specs import MethodChanges


def recipe_of(loss: Loss, schedule: Schedule, changes: MethodChanges) -> Recipe:
    """A finetuning's recipe from the loss, the schedule without the method's changes, and these."""
    epochs = (changes.keep.epochs if changes.keep else None) or schedule.epochs
    evaluations = schedule.evaluations_per_epoch
    if epochs != schedule.epochs:  # as many evaluations as without
        evaluations *= schedule.epochs / epochs
    changed = replace(
        schedule,
        epochs=epochs,
        learning_rate=schedule.learning_rate * changes.learning_rate_times,
        weight_decay=schedule.weight_decay if changes.weight_decay is None else changes.weight_decay,
        evaluations_per_epoch=evaluations,
        averaging=changes.average.decay if changes.average else None,
    )
    return Recipe(loss, changed, changes)


def passes(changes: MethodChanges) -> int:
    """How often a step reads each of its texts."""
    return 1 if changes.consistency is None else 2


def train_head_first(
    network: Classifier, texts: Texts, labels: Tensor, recipe: Recipe, checkpoint: Path, budget: Budget
) -> None:
    """LP-FT (Appendix B): train the head alone on the frozen base model, where the method asks for it.

    A run that resumes in its second phase repeats the first, from its own checkpoint or with the same result.
    """
    head_first = recipe.changes.head_first
    if head_first is None:
        return
    frozen = [parameter for parameter in network.backbone.parameters() if parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(False)
    schedule = replace(
        recipe.schedule,
        epochs=head_first.epochs,
        learning_rate=recipe.schedule.learning_rate * head_first.learning_rate_times,
        evaluations_per_epoch=0,
        averaging=None,
    )
    train(
        network, texts, labels, Recipe(recipe.loss, schedule), Evaluation(), Runtime(checkpoint_at(checkpoint), budget)
    )
    for parameter in frozen:
        parameter.requires_grad_(True)
