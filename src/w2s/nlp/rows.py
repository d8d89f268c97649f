"""Rows from where the experiment says they are: the micro-world, the hub, or files in hub schema."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.engine import hub
from w2s.errors import UserError, allowed
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp.task import Task

Row = dict[str, Any]
ENDINGS = (".parquet", ".jsonl", ".csv")
NO_SPLIT = "none"  # as a test split: cut the test set from the training rows


@dataclass(frozen=True, slots=True)
class Rows:
    """Raw rows by part (train, test), and in words where each came from."""

    parts: dict[str, list[Row]]
    origins: dict[str, str]
    commit: str | None = None  # of a hub repository


def split_files(folder: Path, split: str, task: Task) -> list[Path]:
    """The files of a split: ``<split>.parquet`` (jsonl, csv), or as in a clone of the task's hub repository.

    UserError naming what is there instead.
    """
    for ending in ENDINGS:
        if (folder / f"{split}{ending}").is_file():
            return [folder / f"{split}{ending}"]
    found = hub_files(folder, task.hub.files, split) if task.hub else []
    if found:
        return found
    there = sorted({path.stem for path in folder.glob("*") if path.suffix in ENDINGS})
    raise UserError(f"{folder}: no split {split!r} ({', '.join(ENDINGS)}); {allowed(split, there, what='there are')}")


def hub_files(folder: Path, template: str, split: str) -> list[Path]:
    """The files of a split in a (clone or snapshot of a) hub repository, in order."""
    return sorted(folder.glob(template.format(split=split)))


def from_world(task: Task, size: WorldSize) -> Rows:
    """Rows of the micro-world."""
    parts = synthetic.rows(World(size), task.name)
    return Rows(parts, dict.fromkeys(parts, "the micro-world"))


def from_hub(task: Task, place: Mapping[str, str]) -> Rows:
    """Rows from the hub, or from what an earlier fetch left in the local cache. place: as in the data's spec."""
    parts: dict[str, list[Row]] = {}
    commit = ""
    for part in ("train", "test"):
        if part in place:
            split, repository = place[part], place["hub"]
            pattern = place["files"].format(split=split)
            folder = hub.snapshot(repository, "dataset", place["revision"], [pattern], wanted_by=f"task {task.name!r}")
            commit = folder.name
            files = hub_files(folder, place["files"], split)
            if not files:
                raise UserError(
                    f"task {task.name!r}: {repository} at {place['revision']} has no file {pattern} for split {split!r}"
                )
            parts[part] = _read_all(task, files)
    origins = {part: f"{place['hub']} ({place[part]})" for part in parts}
    return Rows(parts, origins, commit)


def from_files(task: Task, files: Mapping[str, Sequence[Path]]) -> Rows:
    """Rows of the files of every part."""
    parts = {part: _read_all(task, paths) for part, paths in files.items()}
    return Rows(parts, {part: ", ".join(map(str, paths)) for part, paths in files.items()})


def _read_all(task: Task, paths: Sequence[Path]) -> list[Row]:
    return [row for path in paths for row in _read(task, path)]


def _read(task: Task, path: Path) -> list[Row]:
    readers = {".parquet": _read_parquet, ".jsonl": _read_jsonl, ".csv": _read_csv}
    if path.suffix not in readers:
        raise UserError(f"task {task.name!r}: {path} is not a file of rows; allowed: {', '.join(ENDINGS)}")
    try:
        rows = readers[path.suffix](path)
    except UserError as error:
        raise UserError(f"task {task.name!r}: {error}") from None
    if not rows:
        raise UserError(f"task {task.name!r}: {path} has no rows")
    if not all(isinstance(row, dict) for row in rows):
        raise UserError(f"task {task.name!r}: {path} should hold one object a line, with columns as keys")
    for column in task.columns:
        if column not in rows[0]:
            raise UserError(
                f"task {task.name!r}: {path} has no column {column!r}; {allowed(column, rows[0], what='it has')}"
            )
    return rows


def _read_parquet(path: Path) -> list[Row]:
    from w2s.engine.artifacts import read_table

    return list(read_table(path).to_pylist())


def _read_jsonl(path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(_text(path).split("\n"), start=1):
        if line.strip():
            try:
                rows.append(json.loads(line))
            except ValueError as error:
                raise UserError(f"{path}:{number}: not a line of JSON ({error})") from None
    return rows


def _read_csv(path: Path) -> list[Row]:
    import csv
    import io

    try:
        rows: list[Row] = list(csv.DictReader(io.StringIO(_text(path), newline=""), strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None
    for number, row in enumerate(rows):
        if None in row or None in row.values():
            raise UserError(f"{path}: row {number} has not as many fields as the header has columns")
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as UTF-8 text ({error})") from None
