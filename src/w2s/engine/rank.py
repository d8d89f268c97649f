"""The rank of a process among the workers of one job (``w2s.engine.launcher`` starts them). Light: no torch."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from w2s.errors import UserError

WORKER = "W2S_WORKER"  # rank and size, as JSON
WAIT = "W2S_WAIT_SECONDS"  # for the other workers in one collective operation, before a worker gives up
WAIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Worker:
    """One of ``size`` processes. meeting: a folder that all share; folder: where rank 0 writes the artifact's files."""

    rank: int
    size: int
    meeting: str
    folder: str

    @property
    def report(self) -> Path:
        """The file in which it reports to the launcher when it ends."""
        return Path(self.meeting) / f"report-{self.rank}.json"


SINGLE = Worker(0, 1, "", "")


def worker() -> Worker:
    """This process."""
    variable = os.environ.get(WORKER)
    return Worker(**json.loads(variable)) if variable else SINGLE


def wait_seconds() -> float:
    """Time limit of one collective operation, in seconds."""
    text = os.environ.get(WAIT) or str(WAIT_SECONDS)
    with contextlib.suppress(ValueError):
        if float(text) > 0:
            return float(text)
    raise UserError(f"{WAIT}={text!r} is not allowed; allowed: seconds, more than 0")


class MicroBatchTooLargeError(UserError):
    """A worker ran out of memory. It cannot continue with smaller micro-batches on its own."""

    def __init__(self, tokens: int) -> None:
        super().__init__(f"out of memory with micro-batches of {tokens} tokens")
        self.tokens = tokens
