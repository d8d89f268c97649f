"""A directory that only its user can enter, for what other users of the machine must neither write nor reach.

Sockets, locks and caches under a predictable name in a folder that others can write, as ``/tmp``, can be planted there
by anybody. The directory is ``$XDG_RUNTIME_DIR/w2s`` where that is sound, else ``work/.w2s-UID`` in the project. What
somebody else put in its place (a link, a file, a directory of theirs or open to others) is neither followed, changed
nor removed. This module is light: every job of a workflow pays for its imports.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

RUNTIME = "XDG_RUNTIME_DIR"
PROJECT = Path("work")  # beside the locks and checkpoints of runs (``w2s.engine.artifacts.WORK``)
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
FILE = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW


@contextlib.contextmanager
def opened() -> Iterator[int]:
    """A descriptor of the directory, made if missing; OSError in one line where there can be none."""
    descriptor = _runtime()
    if descriptor is None:
        descriptor = _project()
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def path(descriptor: int) -> Path:
    """A directory by its descriptor: short enough for a socket's address, whatever becomes of the folders above it."""
    return Path(f"/proc/self/fd/{descriptor}")


def lasting(name: str) -> Path:
    """A subdirectory for caches, made if missing, as an absolute path; OSError in one line where there can be none.

    Always in the project: runtime directories are small and emptied when their user logs out.
    """
    above = _project()
    try:
        os.close(subdirectory(above, name))
    finally:
        os.close(above)
    return (PROJECT / _name() / name).absolute()


def subdirectory(above: int, name: str, *, shown: str = "") -> int:
    """A descriptor of a directory in one that is open, made if missing.

    PermissionError, calling it ``shown``, unless it is a directory of this user that nobody else can enter.
    """
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)
    _refuse(os.stat(name, dir_fd=above, follow_symlinks=False), shown or name)
    descriptor = os.open(name, DIRECTORY, dir_fd=above)
    try:
        _refuse(os.fstat(descriptor), shown or name)  # what was opened: it may have been exchanged in between
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def file(folder: Path, name: str, *, append: bool = False) -> int:
    """A descriptor of a file, made if missing, for this user alone. Never a link, and nothing is truncated."""
    return os.open(folder / name, FILE | (os.O_APPEND if append else 0), 0o600)


def _runtime() -> int | None:
    """The directory in the user's runtime directory, if that is one and nothing else lies in its place."""
    runtime = os.environ.get(RUNTIME, "")
    if not os.path.isabs(runtime):
        return None
    with contextlib.suppress(OSError):
        above = os.open(runtime, DIRECTORY)
        try:
            _refuse(os.fstat(above), runtime)
            return subdirectory(above, "w2s")
        finally:
            os.close(above)
    return None


def _project() -> int:
    PROJECT.mkdir(exist_ok=True)
    above = os.open(PROJECT, os.O_RDONLY | os.O_DIRECTORY)  # may be a link to another disk
    try:
        return subdirectory(above, _name(), shown=str(PROJECT / _name()))
    finally:
        os.close(above)


def _name() -> str:
    return f".w2s-{os.geteuid()}"


def _refuse(found: os.stat_result, shown: str) -> None:
    mode = stat.S_IMODE(found.st_mode) & 0o777
    if not stat.S_ISDIR(found.st_mode):
        kind = "a link" if stat.S_ISLNK(found.st_mode) else "a file"
        raise PermissionError(errno.EPERM, f"{kind}, not a directory; remove it", shown)
    if found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, f"belongs to another user (uid {found.st_uid}); remove it", shown)
    if mode != 0o700:
        raise PermissionError(errno.EPERM, f"open to others (mode {mode:04o}); remove it or set mode 0700", shown)
