"""What a process knows of those that do the same job with it (``w2s.engine.launcher`` starts them). Light."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from w2s.errors import UserError

MEMBER = "W2S_MEMBER"  # who a process is, as JSON
WAIT = "W2S_WAIT_SECONDS"  # for the others in one exchange, before a process gives up
WAIT_SECONDS = 1800.0


@dataclass(frozen=True)
class Member:
    """One of ``size`` processes. meeting: a folder that all see; folder: where the first puts the artifact's files."""

    rank: int
    size: int
    meeting: str
    folder: str

    @property
    def report(self) -> Path:
        """What it leaves for its caller when it ends."""
        return Path(self.meeting) / f"report-{self.rank}.json"


ALONE = Member(0, 1, "", "")


def member() -> Member:
    """Who this process is."""
    told = os.environ.get(MEMBER)
    return Member(**json.loads(told)) if told else ALONE


def wait_seconds() -> float:
    """How long one exchange with the others may take."""
    text = os.environ.get(WAIT) or str(WAIT_SECONDS)
    with contextlib.suppress(ValueError):
        if float(text) > 0:
            return float(text)
    raise UserError(f"{WAIT}={text!r} is not allowed; allowed: seconds, more than 0")


class TooMuchAtOnceError(UserError):
    """Memory ran out in one of several processes, which cannot go on with less on its own."""

    def __init__(self, tokens: int) -> None:
        super().__init__(f"out of memory with {tokens} tokens at once")
        self.tokens = tokens
