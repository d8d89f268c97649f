"""Which GPU a job takes, where no scheduler says so: jobs of this machine spread over all that they can see.

Every GPU has ``W2S_JOBS_PER_GPU`` places, each a locked file; a job takes the first place of a GPU that has the most
left, and waits where all are taken; one that needs several GPUs takes whole ones. The system lets go of a place when
its process ends, however it ends. The files lie in the user's own directory (``w2s.engine.private``). Where there can
be none, jobs do not know of one another, and say so.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from w2s.engine import private

PLACES = 4  # jobs that share a GPU, by default
POLL = 0.5  # seconds between two looks while all places are taken

_held: list[int] = []  # descriptors of locked files


def visible(count: int) -> list[str]:
    """Names of the GPUs that a process sees, in its own order: what CUDA_VISIBLE_DEVICES says, or 0, 1, ..."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if named else [str(number) for number in range(count)]


def take(names: Sequence[str], places: int, where: Path | None = None) -> int:
    """Take a place on one of the GPUs; returns its number among the names. Waits, saying so, while all are taken.

    where: the folder of the locks, by default in the user's own directory.
    """

    def one(folder: Path) -> list[int]:
        for place in range(places):  # a second job goes to a GPU only when every GPU has one
            for number, name in enumerate(names):
                file = _lock(folder, name, place)
                if file is not None:
                    _held.append(file)
                    return [number]
        return []

    waiting = f"waiting for one of {len(names)} GPUs: {places} jobs have each (W2S_JOBS_PER_GPU)"
    return _wait(one, where, waiting, otherwise=[os.getpid() % len(names)])[0]


def take_whole(names: Sequence[str], count: int, places: int, where: Path | None = None) -> list[int]:
    """Take all places of so many GPUs, of all or of none; returns their numbers. Waits while fewer are free."""

    def several(folder: Path) -> list[int]:
        found: list[int] = []
        files: list[int] = []
        try:
            for number, name in enumerate(names):
                locked = _all_places(folder, name, places)
                files += locked
                if locked:
                    found.append(number)
                if len(found) == count:
                    _held.extend(files)
                    files = []
                    return found
            return []
        finally:
            _close(files)

    waiting = f"waiting for {count} of {len(names)} GPUs without other jobs"
    return _wait(several, where, waiting, otherwise=list(range(count)))


def _wait(find: Callable[[Path], list[int]], where: Path | None, waiting: str, *, otherwise: list[int]) -> list[int]:
    """What ``find`` finds in the folder of locks, as soon as that is something; ``otherwise`` without such a folder."""
    said = False
    while True:
        try:
            with contextlib.nullcontext(where) if where else _folder() as folder:
                found = find(folder)
        except OSError as error:
            reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            print(f"GPUs are taken without regard to other jobs ({reason}); set {private.RUNTIME}", flush=True)
            _held.append(os.open(os.devnull, os.O_RDONLY))  # as good as a place: it is asked for once
            return otherwise
        if found:
            return found
        if not said:
            print(waiting, flush=True)
            said = True
        time.sleep(POLL)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with private.opened() as descriptor:
        yield private.path(descriptor)


def _lock(folder: Path, name: str, place: int) -> int | None:
    """A place of a GPU of this machine, locked; None where another job has it."""
    machine = os.uname().nodename  # the project's folder may be shared with others
    file = private.file(folder, f"gpu-{machine}-{name}.{place}".replace("/", "-"))
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        return None
    except OSError:
        os.close(file)
        raise
    return file


def _all_places(folder: Path, name: str, places: int) -> list[int]:
    """Every place of a GPU, locked; nothing where a job has one of them."""
    files: list[int] = []
    try:
        for place in range(places):
            file = _lock(folder, name, place)
            if file is None:
                return []
            files.append(file)
        locked, files = files, []
        return locked
    finally:
        _close(files)


def _close(files: list[int]) -> None:
    while files:
        os.close(files.pop())


def release() -> None:
    """Give back what this process took: its job is done."""
    _close(_held)


def held() -> bool:
    """Whether this process has a place."""
    return bool(_held)
