"""Rows of a large table, one after the other: csv, jsonl (both also compressed with zstandard) or parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from w2s.chess.streams import lines
from w2s.errors import UserError, first_line

ENDINGS = (".csv", ".csv.zst", ".jsonl", ".jsonl.zst", ".parquet")


def rows(path: Path) -> Iterator[dict[str, Any]]:
    """The rows of a file, in constant memory.

    Cells of a csv file are text. UserError, naming the file and row, where it is missing, truncated or corrupt.
    """
    name = path.name.removesuffix(".zst")
    if not path.name.endswith(ENDINGS):
        raise UserError(f"{path} is not a file of rows; allowed: {', '.join(ENDINGS)}")
    if name.endswith(".parquet"):
        yield from _parquet(path)
    else:
        yield from _csv(path) if name.endswith(".csv") else _jsonl(path)


def _csv(path: Path) -> Iterator[dict[str, Any]]:
    try:
        for number, row in enumerate(csv.DictReader(lines(path), strict=True), start=1):
            if None in row or None in row.values():
                raise UserError(f"{path}: row {number} has not as many fields as the header has columns")
            yield row
    except csv.Error as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None


def _jsonl(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(lines(path), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UserError(f"{path}:{number}: not a line of JSON ({error})") from None
        if not isinstance(row, dict):
            raise UserError(f"{path}:{number}: not an object with columns as keys")
        yield row


def _parquet(path: Path) -> Iterator[dict[str, Any]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=10_000):
                yield from batch.to_pylist()
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"{path}: not a readable parquet file ({first_line(error)})") from None
