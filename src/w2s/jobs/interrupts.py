"""Ctrl-C: a workflow stops at once, with one line that says how to go on.

Snakemake waits for its local jobs and reports each as a failure, with stack traces. Jobs may be stopped at any moment
(``w2s.engine.artifacts``), so there is nothing to wait for and nothing to report.
"""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from pathlib import Path
from traceback import walk_stack
from types import FrameType

import psutil

LINE = "stopped; run the same command to go on"
STATUS = 130  # of a command that Ctrl-C ended, as shells have it
RETRY = 0.02  # seconds after which an interrupt is tried again
GRACE = 2.0  # seconds in which jobs may tidy up before they are killed
JOB = "-m w2s "  # in the command of every local job


class Interrupts:
    """What Ctrl-C does. display: closed first. running: whether jobs may run, which Snakemake then has to cancel."""

    def __init__(self) -> None:
        self.display: logging.Handler | None = None
        self.running = False
        self._stopped = False

    def install(self) -> None:
        """From now on. Only in the main thread, where Python allows it."""
        with contextlib.suppress(ValueError):
            signal.signal(signal.SIGINT, self._stop)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        if self._stopped:  # the second Ctrl-C
            os._exit(STATUS)
        self._stopped = True
        logging.disable(logging.CRITICAL)
        if self.display:
            self.display.close()
        sys.stdout.flush()
        print(LINE, file=sys.stderr, flush=True)
        jobs = local_jobs()
        if not self.running:
            os._exit(STATUS)
        for job in jobs:
            _send(job, signal.SIGINT)
        threading.Thread(target=_kill, daemon=True).start()
        signal.signal(signal.SIGALRM, _interrupt)
        _interrupt(number, frame)


def _interrupt(number: int, frame: FrameType | None) -> None:
    """End Snakemake's scheduler, which then cancels what it has submitted elsewhere.

    Its log handler ignores KeyboardInterrupt: a workflow that happens to write a line would run on. So this waits for
    the end of that line.
    """
    if _writes_a_line(frame):
        signal.setitimer(signal.ITIMER_REAL, RETRY)
        return
    raise KeyboardInterrupt


def _writes_a_line(frame: FrameType | None) -> bool:
    return any(
        Path(inner.f_code.co_filename).parts[-2:] == ("snakemake", "logging.py") for inner, _ in walk_stack(frame)
    )


def local_jobs() -> list[psutil.Process]:
    """The processes of this workflow's jobs on this machine."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if JOB in " ".join(process.cmdline()):
                found.append(process)
    return found


def _send(job: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.Error):
        job.send_signal(number)


def _kill() -> None:
    time.sleep(GRACE)
    for job in local_jobs():  # those that began after the signal as well
        _send(job, signal.SIGKILL)
