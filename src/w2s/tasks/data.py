"""The data stage: write a built task as ``examples.parquet``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from w2s import artifacts
from w2s.experiment import Sizes, WorldSize
from w2s.tasks import TASKS, sources
from w2s.tasks.build import PARTS, build


def make(build_: artifacts.Build, train: Path | None, test: Path | None) -> None:
    """Rows in, examples out. train, test: files in hub schema, where the rows are not of a micro-world."""
    spec = build_.identity.spec
    task = TASKS[spec["task"]]
    if "world" in spec["rows"]:
        rows = sources.from_world(task, WorldSize(**spec["rows"]["world"]))
    else:
        assert train is not None
        rows = sources.from_files(task, train, test)
    examples = build(task, rows, Sizes(**spec["sizes"]), spec["seed"])
    columns: dict[str, list[Any]] = {name: [] for name in ("id", "part", "group", "text", "label")}
    for name in PARTS:
        for example in examples.parts[name]:
            columns["id"].append(example.id)
            columns["part"].append(name)
            columns["group"].append(example.group)
            columns["text"].append(example.text)
            columns["label"].append(example.label)
    artifacts.write_table(build_.folder / "examples.parquet", columns)
    build_.measured |= {"counts": examples.counts}
    for name, described in examples.counts["parts"].items():
        print(f"{name:>10}: {described}")
