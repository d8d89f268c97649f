"""The preferences stage: write a built task as ``examples.parquet``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s.engine import artifacts
from w2s.engine.rows import Rows, from_files, from_hub
from w2s.engine.sources import unchanged
from w2s.reward import world as dialogues
from w2s.reward.build import build
from w2s.reward.config import Dialogues, PairSizes
from w2s.reward.tasks import PREFERENCES, PreferenceTask

COLUMNS = ("id", "part", "group", "prefix", "first", "second", "label")


def make(build_: artifacts.Build, files: Mapping[str, Sequence[str]]) -> None:
    """Rows in, pairs out. files: part -> files in hub schema, where rows lie in a directory."""
    spec = build_.identity.spec
    task = PREFERENCES[spec["task"]]
    rows = rows_of(task, spec["rows"], files)
    built = build(task, rows.parts, PairSizes(**spec["sizes"]), spec["seed"], rows.origins)
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for name, part in built.parts.items():
        columns["part"] += [name] * len(part)
        for column in COLUMNS:
            if column != "part":
                columns[column] += [getattr(pair, column) for pair in part]
    artifacts.write_table(build_.folder / "examples.parquet", columns)
    build_.measured |= {"counts": built.counts}
    if rows.commit:
        build_.measured["commit"] = rows.commit
    for split in rows.parts:
        print(f"{split}: {built.counts[split]}")
    for name, described in built.counts["parts"].items():
        print(f"{name:>10}: {described}")


def rows_of(task: PreferenceTask, place: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> Rows:
    """Raw rows from where a data spec says they are."""
    if "world" in place:
        parts = dialogues.rows(Dialogues(**place["world"]), task.name)
        return Rows(parts, dict.fromkeys(parts, "the micro-world"))
    if "hub" in place:
        return from_hub(place, task.columns, f"task {task.name!r}")
    for part, paths in files.items():
        unchanged(paths, place[part], f"task {task.name!r}")
    return from_files(files, task.columns, f"task {task.name!r}")
