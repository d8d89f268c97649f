"""Snakemake's lock on the working directory, released when its owner is dead.

A workflow that was killed (out of memory, power, kill -9) leaves a lock behind that makes the next call fail
until somebody runs ``snakemake --unlock``. Here the owner of the lock is written down beside it, so that the
same command simply works again; a lock whose owner lives is left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path

import psutil

LOCKS = Path(".snakemake/locks")
OWNER = Path(".snakemake/w2s-owner.json")


def claim() -> None:
    """Note this process as the owner, unless a living workflow holds the lock; drop a dead one's lock."""
    held = list(LOCKS.glob("*")) if LOCKS.is_dir() else []
    if held and _is_alive():
        return
    for lock in held:
        lock.unlink(missing_ok=True)
    if held:
        print("released the lock of a workflow that was killed", flush=True)
    OWNER.parent.mkdir(exist_ok=True)
    OWNER.write_text(json.dumps(_identity(os.getpid())))


def _identity(process: int) -> dict[str, object]:
    started = psutil.Process(process).create_time()
    return {"host": socket.gethostname(), "process": process, "started": started}


def _is_alive() -> bool:
    """Whether the noted owner still runs; True too where that cannot be known (no note, another machine)."""
    try:
        owner = json.loads(OWNER.read_text())
    except (OSError, ValueError):
        return True
    if owner.get("host") != socket.gethostname():
        return True
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(_identity(owner["process"]) == owner and psutil.Process(owner["process"]).status() != "zombie")
    return False
