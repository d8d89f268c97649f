"""What figures will cost before anything is made: jobs, hours, memory and disk. Light, as the plan.

A job takes a fixed time to start, and its FLOP at a speed. Both are fitted to the finished jobs of its stage on the
same device; where there are none, the speed is an assumed share of the device's peak.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from statistics import fmean, median
from typing import NamedTuple

from w2s.errors import UserError, allowed
from w2s.experiments import settings
from w2s.graph.artifact import Artifact
from w2s.graph.stage import Stage
from w2s.jobs.records import MIB, Finished, Records

GIB = 1024 * MIB
STARTING = 0.2  # seconds, where nothing was measured
SMALL = 1e9  # parameters below which a GPU is not filled: its assumed speed falls with their square root
MARGIN = 1.2  # of memory, for activations
FOLDS = 10  # of finished jobs, each estimated from the others
ORDER = {name: place for place, name in enumerate(settings.STAGES)}
# Device -> FLOP a second that are assumed: 35% of a GPU's dense bfloat16 peak; of a CPU, what one core reached.
ASSUMED = {
    "cpu": 8e10,
    "a100": 0.35 * 312e12,
    "l40s": 0.35 * 362e12,
    "h100": 0.35 * 989e12,
    "h200": 0.35 * 989e12,
    "rtx4090": 0.35 * 165e12,
}


def is_kind(device: str, kind: str) -> bool:
    """Whether a device, as records name it, is of a kind of ``ASSUMED``."""
    return bool(re.search(rf"(?<![a-z0-9]){re.escape(kind)}(?![a-z0-9])", device.lower().replace("rtx ", "rtx")))


class Estimate(NamedTuple):
    """One job. memory: peak of host or of one GPU, host: of the host alone, disk: what it leaves, all in bytes."""

    seconds: float
    memory: float
    host: float
    disk: float
    gpus: int  # that share the work


class Model:
    """Estimates of jobs on a device: a kind of ``ASSUMED``, or one that records name; by default where most was made.

    without: keys of finished jobs to leave out.
    """

    def __init__(self, records: Records, device: str | None = None, without: Collection[str] = ()) -> None:
        spent = {name: sum(job.seconds for _, job in records.jobs if job.device == name) for name in records.devices}
        self.device = device or max(spent, key=lambda name: spent[name], default="cpu")
        known = {**ASSUMED, **spent}
        if self.device not in known:
            raise UserError(f"unknown device {self.device!r}; {allowed(self.device, known)}")
        self.records = records
        self.learned = self.device in spent
        self.is_gpu = self.device != "cpu"
        self.assumed = next((ASSUMED[kind] for kind in ASSUMED if is_kind(self.device, kind)), ASSUMED["a100"])
        self._jobs = [one for one in records.jobs if one[1].key not in without]
        self._fit, self._most = cache(self._fitted), cache(self._largest)

    def estimate(self, artifact: Artifact) -> Estimate:
        """What making an artifact takes, its parents given."""
        work, flop = settings.work(artifact), self.records.flop(artifact)
        gpus = int(artifact.environment.get("gpus", 1))
        start, speed = self._fit(artifact.stage, flop > 0)
        speed = speed or self.assumed * (min(1.0, math.sqrt(work.parameters / SMALL)) if self.is_gpu else 1.0)
        peak, host = self._most(artifact.stage, flop > 0, work.parameters)
        weights = MARGIN * work.parameters
        memory = max(peak, weights * work.memory / (gpus if self.is_gpu else 1))
        host = max(host, weights * work.host) if self.is_gpu else memory
        disk = 4 * work.parameters if artifact.stage.kind == "model" else 100_000.0
        return Estimate(start + (flop / gpus / speed if flop else 0.0), memory, host, disk, gpus)

    def _like(self, stage: Stage, computes: bool) -> list[tuple[Artifact, Finished]]:
        """Finished jobs of a stage: where a model computes, on this device."""
        return [one for one in self._jobs if one[0].stage == stage and (not computes or one[1].device == self.device)]

    def _largest(self, stage: Stage, computes: bool, parameters: float) -> tuple[float, float]:
        """The most memory that a job of a stage took, with a model that is not much larger: (peak, of the host)."""
        like = [job for one, job in self._like(stage, computes) if settings.work(one).parameters <= 2 * parameters]
        return max([GIB / 2, *(job.memory for job in like)]), max([GIB, *(job.host for job in like)])

    def _fitted(self, stage: Stage, computes: bool) -> tuple[float, float]:
        """(seconds to start, FLOP a second) of a stage's jobs; a speed of 0 where none tells it.

        Of some starts, each with the median speed that it leaves, the one with the smallest relative error.
        """
        like = self._like(stage, computes)
        points = [(self.records.flop(artifact) / job.processes, max(job.seconds, 1e-3)) for artifact, job in like]
        points = [(flop, seconds) for flop, seconds in points if (flop > 0) == computes]
        if not points or not computes:
            return median(seconds for _, seconds in points) if points else STARTING, 0.0
        tried = []
        for start in (share / 20 * median(seconds for _, seconds in points) for share in range(20)):
            speeds = [flop / (seconds - start) for flop, seconds in points if seconds > start]
            if speeds:
                speed = median(speeds)
                errors = [abs(math.log((start + flop / speed) / seconds)) for flop, seconds in points]
                tried.append((fmean(errors), start, speed))
        return min(tried)[1:]


def table(artifacts: Iterable[Artifact], model: Model, title: str) -> str:
    """For people: a line a stage and rung in the order of making, and the whole; only what is not there yet costs."""
    rows: dict[tuple[int, float, str, str], list[Estimate | None]] = {}
    for artifact in artifacts:
        rung = getattr(artifact, "rung", "") or (artifact.name[7:] if artifact.name.startswith("models/") else "")
        row = (ORDER[artifact.stage.name], settings.work(artifact).parameters, artifact.stage.name, rung)
        rows.setdefault(row, []).append(None if Path(artifact.manifest).is_file() else model.estimate(artifact))
    lines = [_line(*row[2:], rows[row]) for row in sorted(rows)]
    lines.append(_line("all", "", list(chain.from_iterable(rows.values()))))
    hours = f"{'GPU-h' if model.is_gpu else 'h'} in all"
    basis = f"times on {model.device!r} as measured by {len(model.records.jobs):,} finished jobs"
    if not model.learned:
        basis = f"no finished jobs on {model.device!r}: times assume {model.assumed:.2g} FLOP/s"
    header = ["stage", "rung", "jobs", "there", hours, "one job", "peak GiB", "disk"]
    return _aligned(title, header, lines, words=2) + f"\n({basis})"


def _line(stage: str, rung: str, jobs: Sequence[Estimate | None]) -> list[str]:
    left = [job for job in jobs if job]
    line = [stage, rung, f"{len(jobs):,}", f"{len(jobs) - len(left):,}"]
    if not left:
        return line + [""] * 4
    hours = sum(job.seconds * job.gpus for job in left) / 3600
    one_job = "" if stage == "all" else duration(fmean(job.seconds for job in left))
    peak = max(job.memory for job in left) / GIB
    return [*line, f"{hours:,.2f}", one_job, f"{peak:,.1f}", size(sum(job.disk for job in left))]


def check(artifacts: Iterable[Artifact], records: Records, device: str | None = None) -> str:
    """By stage: how many finished jobs took between half and twice what was estimated, in time and in memory.

    As recorded: by the estimate of the call that made them, if it was for this device. From others: by what nine tenths
    of all finished jobs, without the job itself, say today.
    """
    device, needed = Model(records, device).device, {artifact.key for artifact in artifacts}
    jobs = [one for one in records.jobs if one[1].key in needed and one[1].device in ("", device)]
    if not jobs:
        raise UserError(f"these figures have no finished jobs on {device!r} to compare with")
    ratios: dict[str, list[list[float]]] = {stage: [[], [], [], []] for stage in (*ORDER, "all")}
    for fold in (jobs[start::FOLDS] for start in range(FOLDS)):
        model = Model(records, device, without={job.key for _, job in fold})
        for artifact, job in fold:
            today, before = model.estimate(artifact), job.estimated
            for columns in (ratios[artifact.stage.name], ratios["all"]):
                if before.get("device") == device:
                    columns[0].append(job.seconds / before["seconds"])
                    columns[1].append(job.memory / (before["memory_mib"] * MIB))
                columns[2].append(job.seconds / today.seconds)
                columns[3].append(job.memory / today.memory)
    lines = []
    for stage, columns in ratios.items():
        if columns[2]:
            shares = [f"{fmean(0.5 <= one <= 2 for one in column):.0%}" if column else "" for column in columns]
            middle = f"{median(columns[2]):.2f}"
            lines.append([stage, f"{len(columns[2]):,}", f"{len(columns[0]):,}", *shares[:3], middle, shares[3]])
    title = f"within a factor of two of the estimate, on {device!r}; median: of measured / estimated"
    header = ["stage", "jobs", "recorded", "time", "memory", "from others: time", "median", "memory"]
    return _aligned(title, header, lines, words=1)


def _aligned(title: str, header: Sequence[str], rows: Sequence[Sequence[str]], *, words: int) -> str:
    """A table for a terminal, its last row apart; so many columns of words come first."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    sides = [str.ljust] * words + [str.rjust] * (len(widths) - words)
    first, *lines = (
        "  ".join(side(cell, width) for side, cell, width in zip(sides, row, widths, strict=True)).rstrip()
        for row in (header, *rows)
    )
    rule = "-" * len(first)
    return "\n".join([title, first, rule, *lines[:-1], rule, lines[-1]])


def duration(seconds: float) -> str:
    """In words: 3 s, 12 min, 5.2 h."""
    if seconds < 90:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes in words."""
    unit, one = next((named for named in (("GB", 1e9), ("MB", 1e6)) if count >= named[1]), ("kB", 1e3))
    return f"{count / one:,.{0 if unit == 'kB' else 1}f} {unit}"
