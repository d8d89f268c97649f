"""Rows from where the experiment says they are: the micro-world, or files in hub schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from w2s.errors import UserError, allowed
from w2s.experiment import WorldSize
from w2s.tasks import world
from w2s.tasks.task import Task

Row = dict[str, Any]
ENDINGS = (".parquet", ".jsonl", ".csv")
NO_SPLIT = "none"  # as a test split: cut the test set from the training rows


def split_file(folder: Path, split: str) -> Path:
    """The one file of a split; UserError naming what is there instead."""
    found = [folder / f"{split}{ending}" for ending in ENDINGS if (folder / f"{split}{ending}").is_file()]
    if found:
        return found[0]
    there = sorted(path.stem for path in folder.glob("*") if path.suffix in ENDINGS)
    raise UserError(f"{folder}: no split {split!r} ({', '.join(ENDINGS)}); {allowed(split, there, what='there are')}")


def from_world(task: Task, size: WorldSize) -> dict[str, list[Row]]:
    """``{"train": rows, "test": rows}`` of the micro-world."""
    return world.rows(world.World(size), task.name)


def from_files(task: Task, train: Path, test: Path | None) -> dict[str, list[Row]]:
    """Rows of the training and the test file; only the columns that the task reads."""
    files = {"train": train} | ({"test": test} if test else {})
    return {part: _read(task, path) for part, path in files.items()}


def _read(task: Task, path: Path) -> list[Row]:
    readers = {".parquet": _read_parquet, ".jsonl": _read_jsonl, ".csv": _read_csv}
    rows = readers[path.suffix](path)
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
    from w2s.artifacts import read_table

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
        rows: list[Row] = [dict(row) for row in csv.DictReader(io.StringIO(_text(path), newline=""), strict=True)]
    except csv.Error as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None
    for row in rows:
        for column in ("label", "answer"):  # numbers, where the hub has numbers
            if isinstance(row.get(column), str) and row[column].lstrip("-").isdigit():
                row[column] = int(row[column])
    return rows


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as UTF-8 text ({error})") from None
