"""Which GPU a job takes, where no scheduler says so: jobs of this machine spread over all that they can see.

Every GPU has ``W2S_JOBS_PER_GPU`` places, each a locked file; a job takes the first place of a GPU that has the most
left, and waits where all are taken; one that needs several GPUs takes whole ones. The system lets go of a place when
its process ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO

PLACES = 4  # jobs that share a GPU, by default
POLL = 0.5  # seconds between two looks while all places are taken

_held: list[IO[str]] = []


def folder() -> Path:
    """Where this machine's locks are, for this user."""
    return Path(tempfile.gettempdir()) / f"w2s-gpus-{os.getuid()}"


def visible(count: int) -> list[str]:
    """Names of the GPUs that a process sees, in its own order: what CUDA_VISIBLE_DEVICES says, or 0, 1, ..."""
    named = [name.strip() for name in os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if named else [str(number) for number in range(count)]


def take(names: Sequence[str], places: int, where: Path | None = None) -> int:
    """Take a place on one of the GPUs; returns its number among the names. Waits, saying so, while all are taken."""
    where = where or folder()
    where.mkdir(parents=True, exist_ok=True)
    said = False
    while True:
        for place in range(places):  # a second job goes to a GPU only when every GPU has one
            for number, name in enumerate(names):
                file = (where / f"{name.replace('/', '-')}.{place}").open("w")
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    file.close()
                    continue
                _held.append(file)
                return number
        if not said:
            print(f"waiting for one of {len(names)} GPUs: {places} jobs have each (W2S_JOBS_PER_GPU)", flush=True)
            said = True
        time.sleep(POLL)


def take_whole(names: Sequence[str], count: int, places: int, where: Path | None = None) -> list[int]:
    """Take all places of so many GPUs, of all or of none; returns their numbers. Waits while fewer are free."""
    where = where or folder()
    where.mkdir(parents=True, exist_ok=True)
    said = False
    while True:
        found: list[int] = []
        mine: list[IO[str]] = []
        for number, name in enumerate(names):
            files = _all_places(where, name, places)
            if files:
                found.append(number)
                mine += files
            if len(found) == count:
                _held.extend(mine)
                return found
        for file in mine:
            file.close()
        if not said:
            print(f"waiting for {count} of {len(names)} GPUs without other jobs", flush=True)
            said = True
        time.sleep(POLL)


def _all_places(where: Path, name: str, places: int) -> list[IO[str]]:
    """Every place of a GPU, locked; nothing where a job has one of them."""
    files: list[IO[str]] = []
    for place in range(places):
        files.append((where / f"{name.replace('/', '-')}.{place}").open("w"))
        try:
            fcntl.flock(files[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            for file in files:
                file.close()
            return []
    return files


def release() -> None:
    """Give back what this process took: its job is done."""
    while _held:
        _held.pop().close()


def held() -> bool:
    """Whether this process has a place."""
    return bool(_held)
