"""A run's method, from its spec to what the loop is told: ``spec["objective"]``, and ``spec["method"]`` if it has one.

What each key of the latter does stands in ``w2s.config.methods``; labels are changed in ``w2s.training.labels``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import Tensor

from w2s.engine.memory import Budget
from w2s.engine.sharded import checkpoint_at
from w2s.models.classifier import Classifier
from w2s.training.batching import Texts
from w2s.training.loop import Recipe, train


def recipe_of(spec: Mapping[str, Any]) -> Recipe:
    """What decides a finetuning's numbers, as its method changes it."""
    training, objective, method = spec["training"], spec["objective"], spec.get("method", {})
    epochs = method.get("keep", {}).get("epochs", training["epochs"])
    evaluations = training["evaluations_per_epoch"]
    if epochs != training["epochs"]:  # as many evaluations as without
        evaluations *= training["epochs"] / epochs
    return Recipe(
        objective=objective["name"],
        parameters=objective["parameters"],
        epochs=epochs,
        batch=training["batch"],
        learning_rate=spec["learning_rate"] * method.get("learning_rate_times", 1),
        weight_decay=method.get("weight_decay", training["weight_decay"]),
        evaluations_per_epoch=evaluations,
        seed=spec["seed"],
        code=objective.get("code"),
        method=method,
    )


def passes(method: Mapping[str, Any]) -> int:
    """How often a step reads each of its texts."""
    return 2 if "consistency" in method else 1


def head_first(
    network: Classifier, texts: Texts, labels: Tensor, recipe: Recipe, checkpoint: Path, budget: Budget
) -> None:
    """LP-FT (Appendix B): train the head alone on the frozen base model, where the method says so.

    It is done again when a run is resumed in its second phase, from its own checkpoint or to the same numbers.
    """
    how = recipe.method.get("head_first")
    if how is None:
        return
    frozen = [parameter for parameter in network.backbone.parameters() if parameter.requires_grad]
    for parameter in frozen:
        parameter.requires_grad_(False)
    alone = replace(
        recipe,
        epochs=how["epochs"],
        learning_rate=recipe.learning_rate * how["learning_rate_times"],
        evaluations_per_epoch=0,
        method={},
    )
    train(network, texts, labels, alone, evaluate=dict, checkpoint=checkpoint_at(checkpoint), budget=budget)
    for parameter in frozen:
        parameter.requires_grad_(True)
