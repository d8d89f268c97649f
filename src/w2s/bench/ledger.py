"""Every score that was given, in one CSV file: a line a submission, only ever appended. Several files can be merged."""

from __future__ import annotations

import csv
import errno
import fcntl
import io
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from w2s.bench.verdict import holm
from w2s.engine import space
from w2s.errors import UserError

COLUMNS = (
    *("id", "time", "experiment", "protocol", "method", "code", "submission", "of_this_method", "sealed", "tasks"),
    *("accuracy", "gain", "gain_low", "gain_high", "p", "pgr", "cpu_seconds", "commit"),
)
CORRECTED = "p_holm"
DIGITS = 6

Line = dict[str, str]


def read(path: Path) -> list[Line]:
    """All lines; none if there is no file. UserError for a file that is no ledger."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return _lines(file, path)


def _lines(file: Iterable[str], path: Path) -> list[Line]:
    reader = csv.DictReader(file)
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        missing = sorted(set(COLUMNS) - set(reader.fieldnames or ()))
        raise UserError(f"{path}: not a ledger of the bench: no column {missing[0]}")
    return [{name: row[name] for name in COLUMNS} for row in reader]


def append(path: Path, entry: Mapping[str, object]) -> list[Line]:
    """Add a score, numbered; returns all lines, the new one last. Concurrent calls take turns."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8", newline="") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        lines = _lines(file, path) if os.fstat(file.fileno()).st_size else []
        same = sum(line["method"] == entry["method"] for line in lines)
        numbered = {**entry, "submission": len(lines) + 1, "of_this_method": same + 1}
        lines.append({name: _text(numbered[name]) for name in COLUMNS})
        line = as_csv(lines[-1:], COLUMNS, header=len(lines) == 1).encode()
        before = os.fstat(file.fileno()).st_size
        try:
            with space.room_for(path, len(line)):
                if os.write(file.fileno(), line) < len(line):  # what fits of it
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
        except UserError:
            os.truncate(path, before)  # no half line, which no later call could read
            raise
    return lines


def merged(ledgers: Iterable[Sequence[Line]]) -> list[Line]:
    """The lines of several ledgers, each id once."""
    return list({line["id"]: line for lines in ledgers for line in lines}.values())


def leaderboard(lines: Sequence[Line]) -> list[Line]:
    """The last score of each code under each protocol, best gain first, with p corrected by Holm.

    All codes that were ever scored under a protocol are the hypotheses of its correction: trying ten versions of a
    method counts as ten.
    """
    latest = {(line["protocol"], line["code"]): line for line in sorted(lines, key=lambda line: line["time"])}
    found: list[Line] = []
    for protocol in dict.fromkeys(line["protocol"] for line in latest.values()):
        family = [line for line in latest.values() if line["protocol"] == protocol]
        corrected = holm(float(line["p"]) for line in family)
        ranked = [line | {CORRECTED: _text(p)} for line, p in zip(family, corrected, strict=True)]
        found += sorted(ranked, key=lambda line: float(line["gain"]), reverse=True)
    return found


def as_csv(lines: Iterable[Line], columns: Sequence[str], *, header: bool = True) -> str:
    """Lines as CSV text."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    if header:
        writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def _text(value: object) -> str:
    return f"{value:.{DIGITS}g}" if isinstance(value, float) else str(value)
