"""Full disks: one line that names the file, how much it needed, and how much there is."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from w2s.errors import UserError

FULL = (errno.ENOSPC, errno.EDQUOT)
# How libraries say so that lose the system's number: Rust's, torch's, numpy's
SAID = re.compile(
    r"No space left|Disk quota exceeded|os error (28|122)\b|PytorchStreamWriter failed|requested and \d+ written"
)


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk is full, or a quota used up."""
    return (isinstance(error, OSError) and error.errno in FULL) or bool(SAID.search(str(error)))


@contextlib.contextmanager
def room_for(path: Path, size: int) -> Iterator[None]:
    """Write a file of about ``size`` bytes; UserError where there is no room for it."""
    try:
        yield
    except Exception as error:  # of whatever library writes it
        if not is_full(error):
            raise
        raise UserError(said(path, size)) from None


def said(path: Path, size: int | None = None) -> str:
    """The line. size: of the file in bytes; None where it is not known, and what is there of it is told instead."""
    needs = f"it needs {amount(size)}, " if size is not None else ""
    if size is None and path.is_file():
        needs = f"it has {amount(path.stat().st_size)} and needs more, "
    there = f"{needs}{amount(free(path))} are free"
    return f"{path}: no space left on the disk: {there}; make room and run the same command again"


def free(path: Path) -> int:
    """Bytes that a user can still write where a path is, or would be."""
    while not path.exists() and path != path.parent:
        path = path.parent
    disk = os.statvfs(path)
    return disk.f_bavail * disk.f_frsize


def amount(size: int) -> str:
    """Bytes in words."""
    for unit, name in ((2**30, "GiB"), (2**20, "MiB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 2**10:.1f} KiB"
