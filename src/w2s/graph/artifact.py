"""What each artifact is, where it lies and what it is made from. Pure Python, and light.

An artifact's *identity* is its stage, the stage's version, its resolved spec (everything that changes its numbers and
nothing else) and its parents' keys. The key is ten hex digits of a hash over that, and ends the path; the rest of the
path is for people. So an edited config moves exactly what it changes, and what descends from it, to new paths; undoing
the edit finds the old ones.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from w2s.graph.stage import Stage

KEY_LENGTH = 10

T = TypeVar("T", bound="Artifact")


def canonical(content: object) -> str:
    """JSON with sorted keys and no spaces: equal content, equal text."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def fingerprint_of(text: str) -> str:
    """Ten hex digits of a hash over a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:KEY_LENGTH]


def flat(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Names and values of nested mappings: ``training.batch``."""
    for name, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


@dataclass(frozen=True)
class Identity:
    """All that decides an artifact's content. stage: its id; parents: role -> key."""

    stage: str
    version: int
    spec: Mapping[str, Any]
    parents: Mapping[str, str]

    @cached_property
    def key(self) -> str:
        """Ten hex digits."""
        content = {"stage": self.stage, "version": self.version, "spec": self.spec, "parents": self.parents}
        return fingerprint_of(canonical(content))


@dataclass(frozen=True, eq=False)
class Artifact:
    """One node of the graph. ``name`` is the readable part of its path under results/."""

    stage: Stage
    name: str
    message: str
    spec: Mapping[str, Any]
    parents: Mapping[str, Artifact] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)  # needed to make it, not part of its identity
    priority: int = 0  # among jobs that could start; larger first

    @cached_property
    def identity(self) -> Identity:
        """What its manifest will say of it."""
        parents = {role: parent.key for role, parent in self.parents.items()}
        return Identity(self.stage.id, self.stage.version, self.spec, parents)

    @property
    def key(self) -> str:
        """Ten hex digits."""
        return self.identity.key

    @cached_property
    def path(self) -> str:
        """Its directory, from the project's root."""
        return f"results/{self.name}-{self.key}"

    @property
    def path_parts(self) -> tuple[str, ...]:
        """Parts of its directory's name that a rule's wildcards match: the rung, or the seed."""
        return (self.name.rsplit("/", 1)[-1],)

    @property
    def manifest(self) -> str:
        """The file that is written last and vouches for the others."""
        return f"{self.path}/{self.stage.manifest}"


@dataclass(frozen=True, eq=False)
class Run(Artifact):
    """One finetuning. ``labels`` is ``truth`` or says whose predictions it is trained on."""

    task: str = ""
    rung: str = ""
    labels: str = ""
    method: str = ""
    seed: int = 0

    @property
    def path_parts(self) -> tuple[str, ...]:
        """The seed, which follows an s in the path."""
        return (str(self.seed),)


class Cached:
    """A part of the plan that makes each artifact once."""

    def __init__(self) -> None:
        self._made: dict[tuple[object, ...], Artifact] = {}

    def _once(self, identity: tuple[object, ...], make: Callable[[], T]) -> T:
        if identity not in self._made:
            self._made[identity] = make()
        return self._made[identity]  # type: ignore[return-value]


def unique(runs: Iterable[T]) -> list[T]:
    """Each artifact once, by key, in order of first appearance."""
    return list({run.key: run for run in runs}.values())


def with_ancestors(artifacts: Iterable[Artifact]) -> dict[str, Artifact]:
    """Key -> artifact for these and all that they descend from."""
    found: dict[str, Artifact] = {}
    pending = list(artifacts)
    while pending:
        artifact = pending.pop()
        if artifact.key not in found:
            found[artifact.key] = artifact
            pending.extend(artifact.parents.values())
    return found
