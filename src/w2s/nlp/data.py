"""The data stage: write a built task as ``examples.parquet``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from w2s.engine import artifacts
from w2s.engine.rows import Rows, from_files, from_hub
from w2s.engine.sources import unchanged
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp import user_tasks as own
from w2s.nlp.build import PARTS, build
from w2s.nlp.config import Sizes
from w2s.nlp.task import Task
from w2s.nlp.tasks import TASKS


def make(build_: artifacts.Build, files: Mapping[str, Sequence[str]]) -> None:
    """Rows in, examples out. files: part -> files in hub schema, where rows lie in a directory."""
    spec = build_.identity.spec
    task = own.of_spec(spec) if "own" in spec else TASKS[spec["task"]]
    rows = rows_of(task, spec["rows"], files)
    yields = spec.get("test_yields", False)
    examples = build(task, rows.parts, Sizes(**spec["sizes"]), spec["seed"], rows.origins, test_yields=yields)
    columns: dict[str, list[Any]] = {name: [] for name in ("id", "part", "group", "text", "label")}
    for name in PARTS:
        for example in examples.parts[name]:
            columns["id"].append(example.id)
            columns["part"].append(name)
            columns["group"].append(example.group)
            columns["text"].append(example.text)
            columns["label"].append(example.label)
    artifacts.write_table(build_.folder / "examples.parquet", columns)
    build_.measured |= {"counts": examples.counts, "guards": examples.guards}
    if rows.commit:
        build_.measured["commit"] = rows.commit
    for name, described in examples.counts["parts"].items():
        print(f"{name:>10}: {described}")
    for name, found in examples.guards.items():
        print(f"guard {name.replace('_', ' ')}: {found}")


def rows_of(task: Task, place: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> Rows:
    """Raw rows from where a data spec says they are."""
    if "world" in place:
        world, held_out_of = World(WorldSize(**place["world"])), place.get("held_out_of")
        parts = synthetic.rows(world, task.name, held_out_of=held_out_of)
        return Rows(parts, dict.fromkeys(parts, "the micro-world"))
    if "hub" in place:
        return from_hub(place, task.columns, f"task {task.name!r}")
    for part, paths in files.items():
        unchanged(paths, place[part], f"task {task.name!r}")
    return from_files(files, task.columns, f"task {task.name!r}")
