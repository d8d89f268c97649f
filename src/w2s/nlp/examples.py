"""The examples that a data artifact holds, part by part; a text becomes a Python object only when it is read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from w2s.engine import artifacts

if TYPE_CHECKING:
    import pyarrow as pa

READ = 1000  # texts at a time


def by_part(data: Path) -> Iterator[tuple[str, pa.Table]]:
    """(part, its ``id``, ``text`` and ``label``), parts and rows in the order of the file."""
    import pyarrow.compute as pc

    table = artifacts.read_table(data / "examples.parquet").select(["id", "part", "text", "label"])
    for part in table["part"].unique().to_pylist():
        yield part, table.filter(pc.equal(table["part"], part)).drop_columns("part")


def groups_of(data: Path) -> dict[str, str]:
    """Example -> its group; examples of a group are never in different halves."""
    table = artifacts.read_table(data / "examples.parquet").select(["id", "group"]).to_pydict()
    return dict(zip(table["id"], table["group"], strict=True))


def texts_of(table: pa.Table) -> Iterator[str]:
    """The texts of a part, one after another."""
    for some in table.select(["text"]).to_batches(max_chunksize=READ):
        yield from some["text"].to_pylist()
