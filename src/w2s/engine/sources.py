"""What lies outside of results/: files and a user's own code, and what identifies them in a run's key.

An *identity* goes into the spec, and so into the key; a *location* goes into the environment of the job, and is part of
no key: the same file at another place is the same data.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from glob import escape, glob
from pathlib import Path
from typing import Any, NamedTuple

from w2s.config import user_code
from w2s.engine import hashes
from w2s.errors import UserError, allowed

CHANGED = "has changed since this job was planned; run the same command again"


class Source(NamedTuple):
    """Raw data or weights. identity: what decides their content; location: where a job finds them."""

    identity: Mapping[str, Any]
    location: Mapping[str, Any]


class Sources:
    """Resolves what a config names. root: the project's folder, where a user's own code and relative paths lie."""

    def __init__(self, root: Path = Path()) -> None:
        self.root = root

    def code(self, reference: str) -> Source:
        """A user's own ``module:function``."""
        return Source(*user_code.described(reference, self.root))


@contextmanager
def readable(where: str) -> Iterator[None]:
    """UserError, naming ``where``, for a file that cannot be read."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{where}: {error.filename} cannot be read ({error.strerror})") from None


def unchanged(files: Sequence[str | Path], digests: str | Sequence[str], where: str) -> None:
    """UserError unless files have the content that the job's key speaks of. digests: as ``of_files`` gives them."""
    paths, planned = [Path(file) for file in files], [digests] if isinstance(digests, str) else digests
    with readable(where):
        found = hashes.of_files(paths)
    for path, one, expected in zip(paths, found, planned, strict=True):
        if one != expected:
            raise UserError(f"{where}: {path} {CHANGED}")


def split_contents(files: Mapping[str, Sequence[Path]], where: str) -> Source:
    """The files of a task's splits. files: part -> files."""
    with readable(where):
        digests = {part: hashes.of_files(paths) for part, paths in files.items()}
    return Source(digests, {part: [str(path) for path in paths] for part, paths in files.items()})


def at(path: str | None, root: Path) -> Path:
    """A path of a config: relative to the project's folder, or to the user's home with ~."""
    return root / os.path.expanduser(path or "")  # which leaves an unknown user's ~ as it is


def folder_in(key: str, directory: str | None, name: str, task: str, root: Path) -> Path:
    """A task's folder in a directory of data sets. UserError if it is not there."""
    parent = at(directory, root)
    if not parent.is_dir():
        raise UserError(f"{key}: {str(parent)!r} is not a directory; expected one with a folder per task")
    folder = parent / name
    if not folder.is_dir():
        there = [path.name for path in parent.iterdir() if path.is_dir()]
        raise UserError(f"task {task!r}: no folder {str(folder)!r}; {allowed(name, there, what='available')}")
    return folder


def contents(key: str, patterns: Sequence[str], root: Path) -> tuple[list[str], list[str]]:
    """(what identifies each file, the files) that match, in order. UserError for a pattern that matches none."""
    files: list[str] = []
    for pattern in patterns:
        found = sorted(glob(str(at(pattern, Path(escape(str(root))))), recursive=True))
        if not found:
            raise UserError(f"{key}: no file matches {pattern!r}; allowed: the path of a file, or a glob")
        files += found
    with readable(key):
        return hashes.of_files([Path(file) for file in files]), files
