"""What an artifact is, what it is made from, and how it differs from its nearest neighbour."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.errors import UserError
from w2s.experiments.settings import with_id
from w2s.graph.artifact import KEY_LENGTH, Artifact, flat
from w2s.graph.stage import MANIFESTS
from w2s.jobs.workflow import Workflow

KEY_IN_PATH = re.compile(rf"(?P<name>.+)-(?P<key>[0-9a-f]{{{KEY_LENGTH}}})$")


@dataclass(frozen=True)
class Known:
    """An artifact as a plan or a manifest tells of it. parents: role -> path or key."""

    path: str
    stage: str
    spec: Mapping[str, Any]
    parents: Mapping[str, str]
    keys: Mapping[str, str]
    message: str

    def fields(self) -> dict[str, Any]:
        """Everything that decides its key, flat: ``training.batch``, ``parent labels``."""
        return dict(flat(self.spec)) | {f"parent {role}": key for role, key in self.keys.items()}


def explain_path(path: Path, workflow: Workflow) -> str:
    """A few lines about the artifact at a path (its directory or a file in it); UserError if it is none."""
    directory = _directory(path)
    key = directory.name[-KEY_LENGTH:]
    here = _planned(directory, key, workflow)
    lines = [here.path, f"  {here.message}", f"  stage {here.stage}, key {key}", _state(directory), "  spec:"]
    lines += [f"    {name} = {json.dumps(value)}" for name, value in flat(here.spec)]
    lines += ["  parents:"] + [f"    {role}: {parent}" for role, parent in here.parents.items()] if here.parents else []
    neighbour = _nearest(here, directory, workflow)
    if neighbour:
        lines += [f"  nearest neighbour: {neighbour.path}"]
        lines += [f"    {line}" for line in _differences(here, neighbour)]
    return "\n".join(lines)


def _directory(path: Path) -> Path:
    for candidate in (path, path.parent):
        if KEY_IN_PATH.match(candidate.name):
            return candidate
    raise UserError(f"{path}: not an artifact's path; it should end in -<key>, {KEY_LENGTH} hex digits")


def _planned(directory: Path, key: str, workflow: Workflow) -> Known:
    try:
        artifact = workflow.artifact(key)
    except UserError:
        if not directory.is_dir():
            raise
        return _from_manifest(directory)
    if Path(artifact.path) != directory and directory.is_relative_to("results"):
        raise UserError(f"{directory}: key {key} belongs to {artifact.path}")
    return _from_plan(artifact)


def _from_plan(artifact: Artifact) -> Known:
    parents = artifact.parents.items()
    return Known(
        artifact.path,
        artifact.stage.name,
        artifact.spec,
        {role: parent.path for role, parent in parents},
        {role: parent.key for role, parent in parents},
        artifact.message,
    )


def _from_manifest(directory: Path) -> Known:
    from w2s.engine import artifacts

    record = artifacts.read(directory)
    message = "made by an experiment that is not (or no longer) configured"
    return Known(
        str(directory), with_id(record["stage"]).name, record["spec"], record["parents"], record["parents"], message
    )


def _state(directory: Path) -> str:
    from w2s.engine import artifacts

    if not any((directory / name).is_file() for name in MANIFESTS):
        return "  not made yet"
    try:
        record = artifacts.read(directory)
    except UserError as error:
        return f"  damaged: {error}"
    return (
        f"  made in {record['measured']['seconds']} s at commit {record['made_with']['commit']}; every file is intact"
    )


def _nearest(here: Known, directory: Path, workflow: Workflow) -> Known | None:
    """The artifact with the fewest differing fields: at the same readable path first, then anywhere planned."""
    same_name = list(_siblings(directory))
    candidates = same_name or [
        _from_plan(one) for one in workflow.known() if one.stage.name == here.stage and one.path != here.path
    ]
    return min(candidates, key=lambda other: (len(_differences(here, other)), other.path), default=None)


def _siblings(directory: Path) -> Iterator[Known]:
    match = KEY_IN_PATH.match(directory.name)
    for other in sorted(directory.parent.glob(f"{match['name']}-*" if match else "")):
        if other != directory and KEY_IN_PATH.match(other.name):
            try:
                yield _from_manifest(other)
            except UserError:
                continue


def _differences(here: Known, other: Known) -> list[str]:
    ours, theirs = here.fields(), other.fields()
    return [
        f"{name}: {json.dumps(ours.get(name))} here, {json.dumps(theirs.get(name))} there"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]
