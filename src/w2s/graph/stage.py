"""A stage: one kind of artifact, the module that makes it, and what that is given.

Each setting lists its own stages in ``<setting>/stages.py``; ``w2s.experiments`` composes them. This module is light.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from w2s.engine.artifacts import Build

# The file in an artifact's directory that is written last and vouches for the others.
MANIFESTS = ("manifest.json", "run.json", "source.json", "prompt.json", "features.json", "probe.json", "errors.json")


@dataclass(frozen=True)
class Stage:
    """One kind of artifact.

    name: on the command line and in messages. version: raised when a change to the stage's code changes its results
    (``w2s stages``). module: its ``make`` takes the build and then ``arguments``, names separated by spaces: a parent's
    role, with ``?`` where it may be absent; ``parents`` for all of them by role; ``directories`` for all without roles;
    ``environment`` for what the job needs that is not part of the identity. manifest: one of ``MANIFESTS``. alias: the
    name inside hashes and manifests, where the stage was renamed. gpu: whether it computes with a model, which a GPU
    speeds up. description: what it does, for reports. kind: its product: examples, a corpus or base models.
    """

    name: str
    version: int
    module: str
    arguments: str
    manifest: str = "manifest.json"
    alias: str = ""
    gpu: bool = False
    description: str = ""
    kind: Literal["data", "corpus", "model", ""] = ""

    def __post_init__(self) -> None:
        if self.manifest not in MANIFESTS:
            raise ValueError(f"stage {self.name!r}: manifest {self.manifest!r} is not one of {', '.join(MANIFESTS)}")

    @property
    def id(self) -> str:
        """The name inside hashes and manifests."""
        return self.alias or self.name

    def make(self, build: Build, parents: Mapping[str, Path], environment: Mapping[str, Any]) -> None:
        """Make one artifact into a build. parents: role -> directory; environment: where raw files are, say."""
        known: dict[str, Any] = {
            "parents": parents,
            "directories": list(parents.values()),
            "environment": environment,
        }

        def argument(name: str) -> Any:
            if name in known:
                return known[name]
            return parents.get(name[:-1]) if name.endswith("?") else parents[name]

        import_module(self.module).make(build, *map(argument, self.arguments.split()))
