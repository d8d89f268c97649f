"""Snakemake's scheduler waits for one timer at a time."""

import threading
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from w2s.jobs.scheduling import METHOD, wake_once


def test_one_timer_at_a_time_wakes_the_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JobScheduler, METHOD, getattr(JobScheduler, METHOD))  # put back afterwards
    wake_once()
    wake_once()
    scheduler = SimpleNamespace(_open_jobs=threading.Semaphore(0))
    reevaluate = getattr(JobScheduler, METHOD)
    for _ in range(10):
        reevaluate(scheduler, 0.05)
    assert scheduler._open_jobs.acquire(timeout=60)
    assert not scheduler._open_jobs.acquire(timeout=0.5)
    reevaluate(scheduler, 0)  # the timer has gone off: another may start
    assert scheduler._open_jobs.acquire(timeout=60)
