"""Variants of a run: the same spec except for a few fields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from w2s.graph.artifact import Artifact, Run
from w2s.nlp.hint import LabelHint


def variant(
    run: Run,
    *,
    message: str,
    spec: Mapping[str, Any],
    parents: Mapping[str, Artifact] | None = None,
    labels: str | None = None,
    method: str | None = None,
    priority: int = 0,
) -> Run:
    """The NLP run with these fields of its spec and these parents in place of its own."""
    labels, method = labels or run.labels, method or run.method
    return replace(
        run,
        name=f"nlp/{run.task}/{run.rung}/{labels}/{method}/s{run.seed}",
        message=message,
        spec={**run.spec, **spec},
        parents={**run.parents, **(parents or {})},
        labels=labels,
        method=method,
        priority=priority,
    )


def with_label_hint(run: Run, setting: LabelHint) -> dict[str, Any]:
    """The fields of a run's spec that change with a label hint. A longer run is evaluated as often as the others."""
    hint = setting.model_dump(include={"prompt", "words", "place"}, mode="json")
    training = dict(run.spec["training"])
    if epochs := setting.epochs:
        evaluations = training["epochs"] * training["evaluations_per_epoch"]
        training |= {"epochs": epochs, "evaluations_per_epoch": max(1, round(evaluations / epochs))}
    return {"appended": hint, "training": training}
