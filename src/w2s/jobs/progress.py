"""How far a running workflow is, in one line, and what it made in the end: events and times in, text out.

Every event costs the same, however many jobs there are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from w2s.jobs.cost import duration

SPEED = re.compile(r"\| ([\d.,]+ \w+/s) \|")  # in the lines of w2s.engine.progress
LEAST = 10.0  # seconds; a shorter time left is given as this
KNOWN = 0.5  # of the work left: the share whose kinds of jobs must have been measured before a time is given
NAME = 20  # characters; a job whose name has less room is not named
NAMED = 3  # files that are named at the end
CUT = ".."


@dataclass(frozen=True)
class Job:
    """One job of the workflow. kind: its rule; seconds: what it is expected to take; log: its file, if it has one."""

    name: str
    kind: str
    seconds: float
    log: str = ""


class Progress:
    """What became of a workflow's jobs. Times are in seconds, of any one clock; jobs are named by their numbers."""

    def __init__(self, jobs: Mapping[int, Job], now: float) -> None:
        self.jobs = jobs
        self.done = 0
        self.running: dict[int, float] = {}  # since when
        self.failed: dict[int, Job] = {}
        self._began = now
        self._over: set[int] = set()
        # Seconds by kind of job: expected of those that wait, expected of those that are done, and taken by these.
        self._waiting: defaultdict[str, float] = defaultdict(float)
        self._expected: defaultdict[str, float] = defaultdict(float)
        self._taken: defaultdict[str, float] = defaultdict(float)
        self._lost = 0.0  # seconds of failed jobs
        for job in jobs.values():
            self._waiting[job.kind] += job.seconds

    def start(self, number: int, now: float) -> None:
        """A job starts, perhaps once more after a failure."""
        if number in self.jobs and number not in self._over and number not in self.running:
            if not self.failed.pop(number, None):
                self._waiting[self.jobs[number].kind] -= self.jobs[number].seconds
            self.running[number] = now

    def finish(self, number: int, now: float) -> None:
        """A job is done."""
        if number not in self.jobs or number in self._over:
            return
        self._over.add(number)
        self.done += 1
        job, began = self.jobs[number], self.running.pop(number, None)
        if began is None:  # a rule without a command
            self._waiting[job.kind] -= job.seconds
        else:
            self._expected[job.kind] += job.seconds
            self._taken[job.kind] += now - began

    def fail(self, number: int, now: float) -> None:
        """A job failed."""
        began = self.running.pop(number, None)
        if began is not None:
            self.failed[number] = self.jobs[number]
            self._lost += now - began

    @property
    def oldest(self) -> Job | None:
        """The job that has run for longest."""
        return self.jobs[min(self.running, key=lambda number: self.running[number])] if self.running else None

    def left(self, now: float) -> float | None:
        """Seconds until the end; None while too little was measured.

        Jobs take what they are expected to, times what finished jobs of their kind took; and as many run at a time as
        did so far.
        """
        running = [(self.jobs[number], now - began) for number, began in self.running.items()]
        waiting = {kind: seconds for kind, seconds in self._waiting.items() if seconds > 0}
        work = defaultdict(float, waiting)
        for job, _ in running:
            work[job.kind] += job.seconds
        measured = sum(seconds for kind, seconds in work.items() if self._expected[kind])
        busy = self._lost + sum(self._taken.values()) + sum(elapsed for _, elapsed in running)
        if not work or not busy or measured < KNOWN * sum(work.values()):
            return None
        left = sum(seconds * self._factor(kind) for kind, seconds in waiting.items())
        left += sum(max(0.0, job.seconds * self._factor(job.kind) - elapsed) for job, elapsed in running)
        return left / (busy / (now - self._began))

    def _factor(self, kind: str) -> float:
        return self._taken[kind] / self._expected[kind] if self._expected[kind] else 1.0

    def line(self, now: float, *, said: str = "", width: int | None = None, verb: str = "running") -> str:
        """In one line of at most ``width`` characters; the name of a running job gives way first.

        said: the last line in the log of the job that has run for longest. verb: what started jobs do.
        """
        parts = [f"{self.done:,} of {len(self.jobs):,} jobs"]
        left = self.left(now)
        ends = [f"about {duration(max(LEAST, round(left, -1)))} left"] if left is not None else []
        ends += [f"{len(self.failed):,} failed"] if self.failed else []
        if oldest := self.oldest:
            speed = SPEED.search(said)
            parts.append(f"{len(self.running):,} {verb}")
            room = None if width is None else width - len(" · ".join([*parts, *ends]))
            parts[-1] += _fitting(f": {oldest.name}", f", {speed[1]}" if speed else "", room)
        return _cut(" · ".join([*parts, *ends]), width)


def _fitting(name: str, speed: str, room: int | None) -> str:
    """A job's name and speed, or as much of them as is of use in so many characters."""
    if room is None:
        return name + speed
    if room < NAME + len(speed):
        speed = ""
    return _cut(name, room - len(speed)) + speed if room >= NAME else ""


def _cut(text: str, width: int | None) -> str:
    return text if width is None or len(text) <= width else text[: max(0, width - len(CUT))] + CUT[:width]


def conclusion(made: Sequence[str], jobs: int, seconds: float, default: str) -> list[str]:
    """Lines for the end: where what was asked for lies, how long it took, and what to look at next.

    made: the files that were asked for and made. default: the name of the default experiment.
    """
    took = f"in {clock(seconds)} ({jobs:,} {'job' if jobs == 1 else 'jobs'})"
    figures = [path for path in made if path.startswith("figures/")]
    if not made:
        return [f"done {took}"]
    where = f"{len(made):,} files, such as {made[0]}" if len(made) > NAMED else ", ".join(made)
    lines = [f"{where}: {'drawn' if len(figures) == len(made) else 'made'} {took}"]
    page = next((path for path in made if path.endswith(".html")), None)
    if page:
        lines.append(f"next: open {page} in a browser")
    elif len(made) == 1 and figures:
        path = Path(made[0])
        experiment = path.parts[1] if len(path.parts) > 2 else default
        lines.append(
            f"next: `w2s table results/figures/{experiment}/{path.stem}.csv` shows the numbers; "
            f"docs/figures/{path.stem}.md says how to read it"
        )
    elif figures:
        lines.append("next: `snakemake report` puts them on one page, with verdicts on the paper's claims")
    return lines


def failures(progress: Progress, seconds: float) -> list[str]:
    """Lines for the end of a workflow that failed: which jobs did, with their logs."""
    count = f"{len(progress.failed):,} of {len(progress.jobs):,} jobs failed, {progress.done:,} are done"
    shown = [f"  {job.name}: {job.log or 'no log'}" for job in progress.failed.values()]
    more = [f"  and {len(shown) - 2 * NAMED:,} more"] if len(shown) > 2 * NAMED else []
    return [f"{count}, after {clock(seconds)}", *shown[: 2 * NAMED], *more, "the same command tries them again"]


def clock(seconds: float) -> str:
    """In words, to the second: 50 s, 21 min 50 s, 2 h 5 min."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
