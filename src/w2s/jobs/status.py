"""How far a workflow is, at a glance: what is done, running, failed and waiting for each figure. Light, as the plan."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from w2s.engine.artifacts import WORK, is_locked
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.cost import duration

BAR = 24  # characters
SHOWN = 8  # running and failed jobs that are named
STATES = ("done", "running", "failed", "waiting")
END = 4096  # bytes of a log in which its last line is looked for

Figures = Mapping[str, Sequence[Artifact]]  # name -> the runs that it reads


@dataclass(frozen=True)
class State:
    """What has become of an artifact. what: done, running, failed or waiting. said: its log's last line."""

    artifact: Artifact
    what: str
    said: str = ""


def log_of(artifact: Artifact) -> Path:
    """Where its job writes what it does."""
    return Path("logs") / f"{artifact.path.removeprefix('results/')}.log"


def state_of(artifact: Artifact, root: Path = Path()) -> State:
    """Done: its manifest is there. Running: a process holds its lock. Failed: its log is there, and neither is so.

    root: the checkout's folder.
    """
    if (root / artifact.manifest).is_file():
        return State(artifact, "done")
    said = last_line(root / log_of(artifact))
    if is_locked(root / WORK / artifact.key):
        return State(artifact, "running", said)
    return State(artifact, "failed" if said else "waiting", said)


def last_line(path: Path) -> str:
    """The last line of a log that says something; empty where there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - END))
            lines = file.read().decode("utf-8", errors="replace").split("\n")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(lines) if line.strip()), "")


def overview(figures: Figures, seconds: Callable[[Artifact], float] = lambda artifact: 0.0) -> str:
    """A bar a figure, then what runs and what failed, each with its log.

    seconds: what a job is expected to take, for the work that is left.
    """
    by_figure = _states(figures)
    width = max(map(len, figures), default=0)
    lines = []
    for name, states in by_figure.items():
        counts = Counter(state.what for state in states.values())
        done, total = counts["done"], len(states)
        bar = "#" * (BAR * done // total if total else BAR)
        more = "".join(f", {counts[what]:,} {what}" for what in STATES[1:] if counts[what])
        left = sum(seconds(state.artifact) for state in states.values() if state.what != "done")
        more += f"; {duration(left)} of work left" if left else ""
        lines.append(f"{name:<{width}}  [{bar:<{BAR}}]  {done:,} of {total:,} done{more}")
    every = {key: state for states in by_figure.values() for key, state in states.items()}
    for what in ("running", "failed"):
        named = [state for state in every.values() if state.what == what]
        lines += ["", f"{what}:"] if named else []
        lines += [f"  {state.artifact.message}: {state.said}\n    {log_of(state.artifact)}" for state in named[:SHOWN]]
        lines += [f"  and {len(named) - SHOWN} more"] if len(named) > SHOWN else []
    return "\n".join(lines)


def as_json(figures: Figures) -> str:
    """The same for programs: figure -> its counts."""
    counts = {name: Counter(state.what for state in states.values()) for name, states in _states(figures).items()}
    return json.dumps({name: {what: count[what] for what in STATES} for name, count in counts.items()})


def _states(figures: Figures) -> dict[str, dict[str, State]]:
    """Figure -> key -> what has become of it, looked at once however many figures share it."""
    needed = {name: with_ancestors(runs) for name, runs in figures.items()}
    every = {key: artifact for artifacts in needed.values() for key, artifact in artifacts.items()}
    states = {key: state_of(artifact) for key, artifact in every.items()}
    return {name: {key: states[key] for key in artifacts} for name, artifacts in needed.items()}
