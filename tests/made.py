"""Artifacts of a plan, made in the folder that a test runs in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s.engine import artifacts
from w2s.graph.artifact import Artifact


def made(one: Artifact) -> Path:
    """The artifact's folder, once it and all that it descends from are there."""
    parents = {role: made(parent) for role, parent in one.parents.items()}
    with artifacts.building(Path(one.path), one.identity, one.stage.manifest) as build:
        if build is not None:
            one.stage.make(build, parents, one.environment)
    return Path(one.path)


def table_of(one: Artifact, name: str) -> dict[str, list[Any]]:
    """``<name>.parquet`` of the artifact, made first, as columns."""
    table: dict[str, list[Any]] = artifacts.read_table(made(one) / f"{name}.parquet").to_pydict()
    return table
