"""A run that is another one but for what is said: everything that a setting decides of runs is decided once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from w2s.plan import Artifact, Run


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
    """The NLP run with these fields of its spec and these parents instead of, or beside, its own."""
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
