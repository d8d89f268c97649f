"""Keep Snakemake's scheduler from waking itself more and more often.

To respect `max-jobs-per-timespan`, which cannot be turned off, Snakemake (9.27) starts a timer after each scheduling
pass that had ready jobs, and each timer starts another pass. Every finished job adds such a chain, so a workflow with a
thousand ready jobs soon makes a hundred passes a second. One timer at a time is enough.
"""

from __future__ import annotations

import threading
from typing import Any

METHOD = "_schedule_reevalutation"


def wake_once() -> None:
    """Let a scheduler wait for one timer at a time. Calling it again changes nothing."""
    try:
        from snakemake.scheduling.job_scheduler import JobScheduler
    except ImportError:  # a later Snakemake that schedules elsewhere
        return
    if hasattr(JobScheduler, METHOD):
        setattr(JobScheduler, METHOD, _reevaluate_once)


def _reevaluate_once(self: Any, delay: float) -> None:
    """Start another scheduling pass after so many seconds, unless one is to start anyway."""
    pending = getattr(self, "_reevaluation", None)
    if pending is not None and pending.is_alive():
        return

    def wake() -> None:
        self._reevaluation = None  # the pass that begins now may need another
        self._open_jobs.release()

    self._reevaluation = threading.Timer(delay, wake)
    self._reevaluation.start()
