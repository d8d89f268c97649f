"""Hashes of whole files, which identify a user's data and models in keys, remembered until a file changes.

They are remembered by path, size, times of change and inode in a directory of the project that only its user can enter
(``w2s.engine.private``), one small file each, so that a plan reads gigabytes once. What is damaged there, or written
for an earlier state of a file, counts for nothing. Light: plans and jobs import it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from w2s.engine import private
from w2s.engine.artifacts import sha256, written

REMEMBERED = "hashes"  # of the private directory
SMALL = 2**20  # bytes; less is read anew, which takes no longer than to remember it
LARGE = 2**30  # bytes; before it reads more, a plan says so
RECENT = 2_000_000_000  # ns; a file that changed just now may change again without another time of change

_known: dict[tuple[str, str], str] = {}  # (what, its state) -> hash, in this process


def of_files(paths: Sequence[Path]) -> list[str]:
    """The sha256 of each file's content. OSError for a file that cannot be read."""
    names = [str(path.resolve()) for path in paths]
    digests = [_recalled(name, [path.stat()]) for name, path in zip(names, paths, strict=True)]
    _announce([path for path, digest in zip(paths, digests, strict=True) if digest is None])
    return [
        digest or _remembering(name, [path], partial(sha256, path))
        for name, path, digest in zip(names, paths, digests, strict=True)
    ]


def of_folder(root: Path, names: Sequence[str]) -> str:
    """One hash of the names and contents of some files of a folder. OSError for a file that cannot be read."""
    paths, whole = [root / name for name in names], "\0".join([str(root.resolve()), *names])
    if digest := _recalled(whole, [path.stat() for path in paths]):
        return digest
    _announce(paths)

    def read() -> str:
        total = hashlib.sha256()
        for name, path in zip(names, paths, strict=True):
            total.update(f"{name}\0{sha256(path)}\n".encode())
        return total.hexdigest()

    return _remembering(whole, paths, read)


def _remembering(name: str, paths: Sequence[Path], read: Callable[[], str]) -> str:
    """Read, and remember the hash if no file changed meanwhile or just before."""
    started, before = time.time_ns(), [path.stat() for path in paths]
    digest = read()
    settled = max(one.st_ctime_ns for one in before) < started - RECENT
    state = _state(before)
    if settled and state == _state([path.stat() for path in paths]):
        _known[name, state] = digest
        if _size(before) >= SMALL:
            _remember(name, state, digest)
    return digest


def _recalled(name: str, found: Sequence[os.stat_result]) -> str | None:
    state = _state(found)
    if (name, state) in _known or _size(found) < SMALL:
        return _known.get((name, state))
    try:
        content = _place(name).read_text(encoding="ascii")
    except (OSError, ValueError):
        return None
    remembered = re.fullmatch(rf"{state} ([0-9a-f]{{64}}) ([0-9a-f]{{64}})\n", content)
    if remembered is None or remembered[2] != _seal(name, state, remembered[1]):
        return None
    _known[name, state] = remembered[1]
    return remembered[1]


def _state(found: Sequence[os.stat_result]) -> str:
    """What changes with the content of files: a hash of their sizes, times of change and inodes."""
    values = [(one.st_size, one.st_mtime_ns, one.st_ctime_ns, one.st_ino) for one in found]
    return hashlib.sha256(repr(values).encode()).hexdigest()


def _size(found: Sequence[os.stat_result]) -> int:
    return sum(one.st_size for one in found)


def _remember(name: str, state: str, digest: str) -> None:
    """Best effort: a project that cannot be written can still be planned."""
    try:
        with written(_place(name)) as file:
            file.write(f"{state} {digest} {_seal(name, state, digest)}\n")
    except OSError:
        return


def _place(name: str) -> Path:
    return private.lasting(REMEMBERED) / hashlib.sha256(os.fsencode(name)).hexdigest()


def _seal(name: str, state: str, digest: str) -> str:
    return hashlib.sha256(os.fsencode(f"{name}\n{state} {digest}")).hexdigest()


def _announce(paths: Sequence[Path]) -> None:
    """One line on stderr before much is read, as it takes a while."""
    total = _size([path.stat() for path in paths])
    if total < LARGE:
        return
    others = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    again = "once, until they change"
    try:
        private.lasting(REMEMBERED)
    except OSError as error:
        again = f"every time ({error.filename}: {error.strerror})"
    print(f"w2s: reading {total / 1e9:.1f} GB to identify {paths[0]}{others} by content, {again}", file=sys.stderr)
