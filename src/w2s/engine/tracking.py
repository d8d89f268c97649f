"""Experiment trackers: a training's parameters and measurements, sent to the one that ``execution.tracker`` names.

No result depends on a tracker. An error of one is a line in the job's log; the job goes on without it. Light: no torch.
"""

from __future__ import annotations

import contextlib
import csv
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from w2s.engine import space
from w2s.engine.artifacts import Build
from w2s.engine.hub import without_secrets
from w2s.engine.rank import worker
from w2s.engine.trackers import FINAL, TRACKERS, Subject, Tracker
from w2s.errors import UserError, first_line
from w2s.graph.artifact import Identity, flat

VARIABLE = "W2S_TRACKER"  # of a job's environment; "none" overrides the config
FOLDER = Path("tracking")  # beside results/
HISTORY = "history.csv"
PATH = ("setting", "task", "rung", "labels", "method")  # of a run, before its seed and key


def asked(configured: str | None = None) -> str | None:
    """The tracker's name from the environment, else as configured; UserError if there is no such tracker."""
    name = os.environ.get(VARIABLE) or configured or "none"
    if name != "none" and name not in TRACKERS:
        raise UserError(f"{VARIABLE}={name!r} is not allowed; allowed: none, {', '.join(TRACKERS)}")
    return None if name == "none" else name


def check(configured: str | None) -> None:
    """UserError if the tracker that is asked for is not installed. Nothing is imported."""
    if name := asked(configured):
        check_installed(name)


def check_installed(name: str) -> None:
    """UserError if a tracker's package is not there. Nothing is imported."""
    found = find_spec(name)
    if found is None or found.origin is None:  # a folder of that name is no package
        raise UserError(f'tracker {name} is not installed; run: pip install -c constraints.txt -e ".[{name}]"')


class Reporter:
    """What a job reports to its tracker. The tracker is opened by the first report, and dropped after an error.

    afterwards: the job has ended, so an error is a UserError.
    """

    def __init__(
        self, name: str, identity: Identity, out: Path, folder: Path = FOLDER, *, afterwards: bool = False
    ) -> None:
        self.name = name
        self._folder = folder
        self._afterwards = afterwards
        self._subject = subject_of(identity, out)
        self._tracker: Tracker | None = None
        self._steps: set[int] = set()
        self._dropped = False

    def evaluated(self, history: Sequence[Mapping[str, float]], examples_per_second: float | None = None) -> None:
        """Report the rows of a history that the tracker does not have. examples_per_second: up to the last row."""

        def report(tracker: Tracker) -> None:
            for row in history:
                step = int(row["step"])
                if step in self._steps:
                    continue
                values = dict(row)
                if row is history[-1] and examples_per_second is not None:
                    values["examples_per_second"] = examples_per_second
                tracker.write(step, numbers(values, without=("step",)))
                self._steps.add(step)

        self._attempt(report)

    def finished(self, folder: Path, measured: Mapping[str, Any]) -> None:
        """Report what is left of a run's files, and what its record says; nothing for a job without a history."""
        path = folder / HISTORY
        if path.is_file():
            self.evaluated(read_history(path))
        if self._tracker is not None:
            final = {FINAL + name: value for name, value in numbers(measured).items()}
            self._attempt(lambda tracker: tracker.close(max(self._steps, default=0), final, failed=False))

    def failed(self) -> None:
        """Say that the job ended with an error; the same job may go on later."""
        if self._tracker is not None:
            self._attempt(lambda tracker: tracker.close(max(self._steps, default=0), {}, failed=True))

    def _attempt(self, do: Callable[[Tracker], None]) -> None:
        if self._dropped:
            return
        try:
            if self._tracker is None:
                check_installed(self.name)
                self._tracker = TRACKERS[self.name](self._subject, self._folder)
                self._steps |= self._tracker.steps
            do(self._tracker)
        except Exception as error:  # whatever libraries and servers do: results do not depend on them
            self._dropped = True
            said = space.said(self._folder) if space.is_full(error) else without_secrets(first_line(error)).rstrip(".")
            if self._afterwards:
                raise UserError(f"tracker {self.name}: {said}") from error
            print(f"tracker {self.name}: {said}; the job goes on without it", flush=True)


def finished(name: str, folder: Path) -> frozenset[str]:
    """Keys of the runs that a tracker has, and that have ended well. folder: where its runs are by default."""
    try:
        return TRACKERS[name].finished(folder)
    except Exception as error:  # whatever libraries and servers do
        raise UserError(f"tracker {name}: {without_secrets(first_line(error)).rstrip('.')}") from error


@contextlib.contextmanager
def tracked(build: Build, out: Path) -> Iterator[None]:
    """Give a build the reporter that its job is asked to have, and tell it how the block ends."""
    name = asked() if worker().rank == 0 else None
    if name is None:
        yield
        return
    build.reporter = Reporter(name, build.identity, out)
    try:
        yield
    except Exception:
        build.reporter.failed()
        raise
    build.reporter.finished(build.folder, build.measured)


def subject_of(identity: Identity, out: Path) -> Subject:
    """What a tracker is told about a job. out: the artifact's folder, results/..."""
    parts = _below_results(out)
    *folders, last = parts
    last = last.removesuffix(f"-{identity.key}")
    names = {"stage": identity.stage, "key": identity.key} | names_of(out, identity.key)
    return Subject(
        key=identity.key,
        path="/".join(parts),
        name=" ".join([*folders[1:], last]),
        group="/".join(folders[:2]),
        parameters={name: _plain(value) for name, value in flat(identity.spec)} | names,
    )


def names_of(out: Path, key: str) -> dict[str, str | int]:
    """Setting, task, rung, labels, method and seed in a run's path; nothing for another artifact's."""
    *folders, last = _below_results(out)
    seed = last.removesuffix(f"-{key}").removeprefix("s")
    if len(folders) != len(PATH) or not seed.removeprefix("-").isdigit():
        return {}
    return {**dict(zip(PATH, folders, strict=True)), "seed": int(seed)}


def _below_results(out: Path) -> tuple[str, ...]:
    """Parts of an artifact's path from results/ on; its name alone elsewhere."""
    places = [place for place, part in enumerate(out.parts) if part == "results"]
    return out.parts[places[-1] + 1 :] if places else out.parts[-1:]


def _plain(value: Any) -> str | int | float | bool:
    return value if isinstance(value, str | int | float) else json.dumps(value)


def numbers(values: Mapping[str, Any], *, without: Sequence[str] = ()) -> dict[str, float]:
    """Those of the values that are finite numbers."""
    kept = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and name not in without
    }
    return {name: value for name, value in kept.items() if math.isfinite(value)}


def read_history(path: Path) -> list[dict[str, float]]:
    """The rows of a run's ``history.csv``."""
    with path.open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
