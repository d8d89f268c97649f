"""Snakemake's lock on the working directory, released when its owner is dead.

A workflow that was killed (out of memory, power, kill -9) leaves a lock behind that makes the next call fail
until somebody runs ``snakemake --unlock``. Here every workflow holds an operating system's lock on a file
beside it for as long as it lives, so a lock left by a dead one is known for what it is and dropped; the lock
of a living one is left alone, and so is everything where that cannot be known (another machine's).
"""

from __future__ import annotations

import fcntl
import socket
from pathlib import Path
from typing import IO

LOCKS = Path(".snakemake/locks")
OWNER = Path(".snakemake/w2s-owner")

_held: IO[str] | None = None  # open, and so locked, until this process ends however it ends


def claim() -> None:
    """Hold the owner's file from now on; if nobody else did, drop the lock that a dead workflow left."""
    global _held
    if _held is not None:
        return
    OWNER.parent.mkdir(exist_ok=True)
    file = OWNER.open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # a living workflow holds it, or the file system cannot lock
        file.close()
        return
    _held = file
    file.seek(0)
    last_host = file.read()
    if last_host == socket.gethostname():
        left = list(LOCKS.glob("*"))
        for lock in left:
            lock.unlink(missing_ok=True)
        if left:
            print("released the lock of a workflow that was killed", flush=True)
    file.truncate(0)
    file.write(socket.gethostname())
    file.flush()
