"""Rows of tables: in local files, or in the files of a hub repository at a pinned commit.

Parquet is streamed by the ``datasets`` library, without a copy in its cache. JSON and CSV are read here, because the
library's readers do not keep values (datasets 5.2.0): they infer one type a column, so that dates in text become
datetimes, an integer beside a fraction becomes a float, and a missing key becomes None; a CSV row with too few fields
is filled up, and a cut-off ``.zst`` file is taken for a whole one. Files of the hub come through ``w2s.engine.hub``:
without network, ``datasets.load_dataset`` of a repository takes the latest version in its cache, whatever the revision.
No code of a repository is ever run.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from w2s.engine import hub, streams
from w2s.errors import UserError, allowed, first_line, located

Row = Mapping[str, Any]
TEXTS = (".jsonl", ".csv", ".tsv", ".json")
ENDINGS = (".parquet", *TEXTS, *(text + packed for packed in streams.COMPRESSIONS for text in TEXTS))
BATCH = 1000  # rows of a parquet file in memory at once
NO_SPLIT = "none"  # as a test split: cut the test set from the training rows
REMEDY = "converting to .jsonl with the hub's columns (docs/tasks.md)"
SEPARATORS = {"\t": "tabs", ";": "semicolons"}  # of files that are called .csv all the same
NUMBERED = ("label", "idx", "id")  # columns of a CSV file that hold numbers, or the row is refused
NUMBER = re.compile(r"-?[0-9]+(\.0*)?|nan", re.IGNORECASE)
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")  # as JSON escapes it; a pair of them is one character


@dataclass(frozen=True, slots=True)
class Rows:
    """Raw rows by part (train, test), and in words where each came from."""

    parts: Mapping[str, Sequence[Row]]
    origins: Mapping[str, str]
    commit: str | None = None  # of a hub repository


# -- where rows lie ----------------------------------------------------------------------------------------


def splits(train: str, test: str) -> dict[str, str]:
    """Part -> split; without ``test`` if that is to be cut from the training rows."""
    return {"train": train} | ({} if test == NO_SPLIT else {"test": test})


def split_files(folder: Path, split: str, pattern: str | None = None) -> list[Path]:
    """The files of a split: ``<split>.parquet`` (or another of ``ENDINGS``), or those of a clone of a hub repository.

    split: * stands for anything. pattern: the repository's, with ``{split}``. UserError naming what is there instead.
    """
    for ending in ENDINGS:
        found = sorted(path for path in folder.glob(f"{split}{ending}") if path.is_file())
        if found:
            return found
    if pattern and (found := matching(folder, pattern.format(split=split))):
        return found
    files = sorted(path.name + "/" * path.is_dir() for path in folder.glob("[!.]*"))
    there = {name.removesuffix(ending) for name in files for ending in ENDINGS if name.endswith(ending)}
    unread = [name for name in files if not name.endswith(ENDINGS)]
    raise UserError(
        f"{folder}: no split {split!r} ({', '.join(ENDINGS)})"
        + (f"; {allowed(split, there, what='available')}" if there or not unread else "")
        + (f"; not read: {', '.join(unread[:5])}, whose rows need {REMEDY}" if unread else "")
    )


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files of a (clone or snapshot of a) hub repository that match, in order. As on the hub, * crosses folders."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in files if fnmatchcase(path.relative_to(folder).as_posix(), pattern))


def hub_files(place: Mapping[str, str], wanted_by: str, split: str | None = None) -> tuple[list[Path], str]:
    """(files, commit) of a hub repository, fetched unless an earlier call left them in the local cache.

    place: ``hub``, ``revision`` and ``files`` of a data spec. split: what ``{split}`` in ``files`` stands for.
    """
    pattern = place["files"] if split is None else place["files"].format(split=split)
    folder = hub.snapshot(place["hub"], "dataset", place["revision"], [pattern], wanted_by=wanted_by)
    files = matching(folder, pattern)
    if not files:
        whose = "" if split is None else f" for split {split!r}"
        raise UserError(f"{wanted_by}: {place['hub']} at {place['revision']} has no file {pattern}{whose}")
    return files, folder.name


def from_hub(place: Mapping[str, str], columns: Sequence[str], wanted_by: str) -> Rows:
    """Rows of the splits of a hub repository. place: as in a data spec. columns: what every file must have."""
    parts: dict[str, list[Row]] = {}
    commit = ""
    for part in ("train", "test"):
        if part in place:
            files, commit = hub_files(place, wanted_by, place[part])
            parts[part] = _all(files, columns, wanted_by)
    return Rows(parts, {part: f"{place['hub']} ({place[part]})" for part in parts}, commit)


def from_files(files: Mapping[str, Sequence[str | Path]], columns: Sequence[str], wanted_by: str) -> Rows:
    """Rows of the files of every part. columns: what every file must have."""
    parts = {part: _all([Path(path) for path in paths], columns, wanted_by) for part, paths in files.items()}
    return Rows(parts, {part: ", ".join(map(str, paths)) for part, paths in files.items()})


def _all(paths: Sequence[Path], columns: Sequence[str], wanted_by: str) -> list[Row]:
    rows: list[Row] = []
    with located(wanted_by):
        for path in paths:
            found = list(read(path))
            unnamed = "; its first line should name the columns" if {".csv", ".tsv"} & {*path.suffixes} else ""
            if not found:
                raise UserError(f"{path} has no rows{unnamed}")
            for column in columns:
                if column not in found[0]:
                    named = [str(one)[:40] for one in found[0]]
                    raise UserError(
                        f"{path} has no column {column!r}; {allowed(column, named, what='available')}{unnamed}"
                    )
            rows += found
    return rows


# -- reading -----------------------------------------------------------------------------------------------


def read(path: Path) -> Iterator[Row]:
    """The rows of a file in order, in constant memory (but for ``.json``). Cells of a CSV file are text.

    UserError, naming the file and row, if it is missing, truncated, corrupt or not a table.
    """
    if not path.name.endswith(ENDINGS):
        raise UserError(f"{path} is not a table of rows; allowed: {', '.join(ENDINGS)}")
    streams.refuse_pointer(path)
    readers = {".parquet": _parquet, ".jsonl": _jsonl, ".csv": _csv, ".tsv": _tsv, ".json": _json}
    yield from readers[next(suffix for suffix in reversed(path.suffixes) if suffix in readers)](path)


def _parquet(path: Path) -> Iterator[Row]:
    import logging
    from tempfile import TemporaryDirectory

    import datasets

    datasets.logging.set_verbosity(logging.CRITICAL)  # what is wrong is said below, once
    try:
        with TemporaryDirectory() as locks:  # nothing else is written, and the user's cache may be read-only
            stream = datasets.IterableDataset.from_parquet(
                str(path), split="train", cache_dir=locks, batch_size=BATCH
            ).with_format("arrow")
        tables = stream.iter(BATCH)
        try:
            for table in tables:
                yield from table.to_pylist()
        finally:  # threads of a reader that is left early can abort the process at its end (apache/arrow#45214)
            with suppress(Exception):
                deque(tables, maxlen=0)
    except Exception as error:  # of many libraries, pyarrow's and fsspec's among them
        raise UserError(f"{path}: not a readable parquet file ({first_line(error)})") from None


def _csv(path: Path) -> Iterator[Row]:
    lines = _Last(streams.lines(path, ends=True))
    try:
        csv.field_size_limit(streams.LINE_AT_MOST)
        table = csv.reader(lines, strict=True)
        rows = filter(None, table)  # an empty line is no row
        header = next(rows, [])
        _refuse_columns_twice(header, path)
        for mark, words in SEPARATORS.items():
            if len(header) == 1 and mark in header[0]:
                raise UserError(
                    f"{path}: its columns are separated by {words}; allowed: commas, or tabs in a .tsv file"
                )
        for cells in rows:
            if len(cells) > len(header) and '"' not in lines.last:
                cells = _with_commas(cells, header)
            if len(cells) != len(header):
                raise UserError(f"{path}:{table.line_num}: the row and the header differ in their number of fields")
            yield dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}: not a readable CSV file ({error})") from None


class _Last:
    """Lines, of which the last one read is kept."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines, self.last = iter(lines), ""

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        self.last = next(self._lines)
        return self.last


def _with_commas(cells: list[str], header: Sequence[str]) -> list[str]:
    """The cells of a row whose text has commas without quotation marks, where all other columns are numbers by name.

    Unchanged where the commas may belong to another column as well.
    """
    texts = [place for place, name in enumerate(header) if name not in NUMBERED]
    if len(texts) != 1:
        return cells
    first, behind = texts[0], len(header) - 1 - texts[0]
    last = len(cells) - behind
    numbers = cells[:first] + cells[last:]
    edges = cells[first : first + 1] * (first > 0) + cells[last - 1 : last] * (behind > 0)  # would belong to either
    if not all(map(NUMBER.fullmatch, numbers)) or any(map(NUMBER.fullmatch, edges)):
        return cells
    return [*cells[:first], ",".join(cells[first:last]), *cells[last:]]


def _tsv(path: Path) -> Iterator[Row]:
    """Cells of a file with tabs are taken as they are. Whether quotation marks around one belong to it is not known."""
    rows = (line.split("\t") for line in streams.lines(path) if line.strip())
    header = next(rows, [])
    _refuse_columns_twice(header, path)
    for number, cells in enumerate(rows, start=2):
        if len(cells) != len(header):
            raise UserError(f"{path}: row {number} and the header differ in their number of fields")
        for cell in cells:
            if len(cell) > 1 and cell[0] == cell[-1] == '"':
                raise UserError(f"{path}: row {number}: {cell[:40]} may be quoted or not; the file needs {REMEDY}")
        yield dict(zip(header, cells, strict=True))


def _refuse_columns_twice(header: Sequence[str], path: Path) -> None:
    for name in header:
        if header.count(name) > 1:
            raise UserError(f"{path}: two columns are called {name[:40]!r}; allowed once")


def _jsonl(path: Path) -> Iterator[Row]:
    yield from _objects(streams.lines(path), path)


def _objects(lines: Iterable[str], path: Path) -> Iterator[Row]:
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                row = _parsed(line)
            except ValueError as error:
                raise UserError(f"{path}:{number}: not valid JSON ({error})") from None
            yield _checked(row, f"{path}:{number}")


def _json(path: Path) -> Iterator[Row]:
    """One list of objects, or one object a line."""
    text = streams.text(path)
    if not text.lstrip().startswith("["):
        yield from _objects(text.split("\n"), path)
        return
    try:
        rows = _parsed(text)
    except ValueError as error:
        raise UserError(f"{path}: not readable as JSON ({error})") from None
    for number, row in enumerate(rows):
        yield _checked(row, f"{path}: row {number}")


def _parsed(text: str) -> Any:
    """ValueError for what is not JSON, or has half of a character in it."""
    try:
        content = json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if SURROGATE.search(text):
        try:
            json.dumps(content, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            half = ascii(str(error.object)[error.start])
            raise ValueError(f"it has {half}, half of a character (a lone surrogate)") from None
    return content


def _checked(row: object, where: str) -> Row:
    if not isinstance(row, dict):
        raise UserError(f"{where}: not an object with columns as keys; the file needs {REMEDY}")
    return row


# -- values ------------------------------------------------------------------------------------------------


def whole(value: Any) -> Any:
    """The value as an int where it stands for a whole number, None where it is missing, else the value.

    Text and floats are numbers too: a column that lacks a value is read as floats by many tools, and the lack as NaN.
    """
    if isinstance(value, str):
        value = {"true": "1", "false": "0", "": "nan"}.get(value.strip().lower(), value.strip())
        value = float(value) if NUMBER.fullmatch(value) else value
    if isinstance(value, float):
        return None if math.isnan(value) else int(value) if value.is_integer() else value
    return value
