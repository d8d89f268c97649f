"""Finished runs, sent to an experiment tracker afterwards: what they would have reported while they were trained."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from w2s.engine import artifacts, tracking
from w2s.engine.trackers import TRACKERS
from w2s.errors import UserError, allowed
from w2s.graph.artifact import Artifact


@dataclass(frozen=True)
class Counts:
    """Finished runs with a history: how many were sent now, and how many the tracker had."""

    sent: int
    known: int


def chosen(name: str | None, configured: str | None, folder: Path | None) -> tuple[str, Path]:
    """The tracker to use and its folder. UserError for a name that is none, or two places.

    name, folder: as the user says; configured: ``execution.tracker``.
    """
    found = name or tracking.asked(configured)
    if found is None:
        raise UserError(f"no tracker; name one: --tracker {', '.join(TRACKERS)}")
    if found not in TRACKERS:
        raise UserError(f"tracker {found!r}: {allowed(found, TRACKERS)}")
    variable = TRACKERS[found].elsewhere
    if folder and os.environ.get(variable):
        raise UserError(f"--to {folder} and the variable {variable} name two places; leave out one of them")
    return found, folder or tracking.FOLDER


def send(finished: Iterable[Artifact], name: str, folder: Path, root: Path = Path()) -> Counts:
    """Send the runs that a tracker does not have. UserError if it fails, or if a run's record is damaged.

    finished: artifacts whose manifests are there; those without a history are left out. root: the checkout's folder.
    """
    tracking.check_installed(name)
    known = tracking.finished(name, folder)
    sent = there = 0
    for artifact in finished:
        place = root / artifact.path
        if not (place / tracking.HISTORY).is_file():
            continue
        if artifact.key in known:
            there += 1
            continue
        measured = artifacts.read(place, expect=artifact.key)["measured"]
        reporter = tracking.Reporter(name, artifact.identity, Path(artifact.path), folder, afterwards=True)
        reporter.finished(place, measured)
        sent += 1
    return Counts(sent, there)
