"""Records of jobs that never ran, for tests of what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.records import Finished, Records

NOTHING = Records()


def job(artifact: Artifact, seconds: float = 1.0, device: str = "", **more: Any) -> Finished:
    """An artifact's record."""
    parents = {role: parent.key for role, parent in artifact.parents.items()}
    usual: dict[str, Any] = {"processes": 1, "memory": 1e9, "host": 1e9, "parts": {}, "estimated": {}}
    usual |= {"tokens": 0.0, "characters": 0.0}
    known: dict[str, Any] = {
        "seconds": seconds,
        "device": device,
        "parameters": artifact.environment.get("parameters", 0),
    }
    identity: dict[str, Any] = {
        "name": artifact.name,
        "stage": artifact.stage.id,
        "key": artifact.key,
        "spec": artifact.spec,
    }
    return Finished(**identity, parents=parents, **known, **(usual | more))


def records(*jobs: tuple[Artifact, Finished]) -> Records:
    """Of these jobs, and of all that they descend from."""
    others = {key: job(one) for key, one in with_ancestors(artifact for artifact, _ in jobs).items()}
    return Records((others | {finished.key: finished for _, finished in jobs}).values())


def timed(artifacts: Iterable[Artifact], seconds: Callable[[float], float], device: str = "cpu") -> Records:
    """Of artifacts, each of which took ``seconds(FLOP)``."""
    every = [(one, job(one, seconds(NOTHING.flop(one)), device)) for one in artifacts]
    return records(*every)


def with_spec(artifact: Artifact, **spec: Any) -> Artifact:
    """The same job with other fields of its spec."""
    return replace(artifact, spec={**artifact.spec, **spec})
