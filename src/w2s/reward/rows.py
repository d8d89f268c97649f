"""Rows of preference data sets: files in a directory in the hub's own columns, or the hub itself."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from w2s.engine import hub
from w2s.errors import UserError, allowed
from w2s.nlp.rows import NO_SPLIT
from w2s.reward.formatters import Row
from w2s.reward.tasks import PreferenceTask

ENDINGS = (".parquet", ".jsonl", ".jsonl.gz")


@dataclass(frozen=True, slots=True)
class Rows:
    """Raw rows by part (train, test), and in words where each came from."""

    parts: dict[str, list[Row]]
    origins: dict[str, str]
    commit: str | None = None  # of a hub repository


def splits(task: PreferenceTask, train: str | None, test: str | None) -> dict[str, str]:
    """Part -> split; without ``test`` where that is to be cut from the training rows."""
    named = {"train": train or task.train, "test": test or task.test}
    return {part: split for part, split in named.items() if split != NO_SPLIT}


def split_files(folder: Path, split: str, task: PreferenceTask) -> list[Path]:
    """The files of a split: ``<split>.parquet`` (jsonl, jsonl.gz; * stands for anything), or as in a clone of the hub.

    UserError naming what is there instead.
    """
    for ending in ENDINGS:
        found = sorted(folder.glob(f"{split}{ending}"))
        if found:
            return found
    found = hub_files(folder, task.hub.files, split)
    if found:
        return found
    there = sorted({path.name.split(".")[0] for path in folder.glob("*") if path.name.endswith(ENDINGS)})
    raise UserError(f"{folder}: no split {split!r} ({', '.join(ENDINGS)}); {allowed(split, there, what='there are')}")


def hub_files(folder: Path, pattern: str, split: str) -> list[Path]:
    """The files of a split in a (clone or snapshot of a) hub repository, in order."""
    wanted = pattern.format(split=split)
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if fnmatchcase(str(path.relative_to(folder)), wanted))


def from_hub(task: PreferenceTask, place: Mapping[str, str]) -> Rows:
    """Rows from the hub, or from what an earlier fetch left in the local cache. place: as in the data's spec."""
    parts: dict[str, list[Row]] = {}
    commit, repository = "", place["hub"]
    for part in ("train", "test"):
        if part in place:
            pattern = place["files"].format(split=place[part])
            wanted_by = f"task {task.name!r}"
            folder = hub.snapshot(repository, "dataset", place["revision"], [pattern], wanted_by=wanted_by)
            commit = folder.name
            files = hub_files(folder, place["files"], place[part])
            if not files:
                raise UserError(
                    f"{wanted_by}: {repository} at {place['revision']} has no file {pattern} for split {place[part]!r}"
                )
            parts[part] = _read_all(task, files)
    origins = {part: f"{repository} ({place[part]})" for part in parts}
    return Rows(parts, origins, commit)


def from_files(task: PreferenceTask, files: Mapping[str, Sequence[Path]]) -> Rows:
    """Rows of the files of every part."""
    parts = {part: _read_all(task, paths) for part, paths in files.items()}
    return Rows(parts, {part: ", ".join(map(str, paths)) for part, paths in files.items()})


def _read_all(task: PreferenceTask, paths: Sequence[Path]) -> list[Row]:
    rows: list[Row] = []
    for path in paths:
        found = list(_read(path))
        if not found:
            raise UserError(f"task {task.name!r}: {path} has no rows")
        for column in task.columns:
            if column not in found[0]:
                hint = allowed(column, found[0], what="it has")
                raise UserError(f"task {task.name!r}: {path} has no column {column!r}; {hint}")
        rows += found
    return rows


def _read(path: Path) -> Iterator[Row]:
    if path.suffix == ".parquet":
        from w2s.engine.artifacts import read_table

        yield from read_table(path).to_pylist()
        return
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                row = json.loads(line)
            except ValueError as error:
                raise UserError(f"{path}:{number}: not a line of JSON ({error})") from None
            if not isinstance(row, dict):
                raise UserError(f"{path}:{number}: not an object with columns as keys")
            yield row


def _text(path: Path) -> str:
    try:
        content: Any = path.read_bytes()
        return (gzip.decompress(content) if path.suffix == ".gz" else content).decode("utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:  # BadGzipFile is an OSError
        raise UserError(f"{path}: not readable as text ({error})") from None
