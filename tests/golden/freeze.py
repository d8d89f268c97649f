"""Golden keys: the paths of every artifact that the shipped experiments can make.

A path ends in a hash over everything that decides an artifact's content, so equal paths mean equal runs. The default
experiment is listed in full; the others are large, so they are listed by folder, with a count and a hash of the paths.
``python tests/golden/freeze.py`` rewrites the lists after a change that moves keys on purpose; CHANGELOG.md says why.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

from w2s.config.files import read_yaml
from w2s.experiments.plan import Plan
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
IN_FULL = "smoke"
BY_FOLDER = ("chess-open", "gpu-small", "nlp-paper")  # overlays that plan without data on this machine


def paths(plan: Plan) -> list[str]:
    """The paths of all artifacts of an experiment, sorted."""
    return sorted(artifact.path for artifact in with_ancestors(plan.everything()).values())


def by_folder(listed: Iterable[str]) -> list[str]:
    """``<setting>/<task> <count> <hash>`` (or ``models/<rung>``) for the paths below each such folder."""
    folders: dict[str, list[str]] = {}
    for path in listed:
        folder = "/".join(path.split("/")[1:3])
        folders.setdefault(re.sub(r"-[0-9a-f]{10}$", "", folder), []).append(path)
    return [f"{folder} {len(inside)} {_hash(inside)}" for folder, inside in sorted(folders.items())]


def _hash(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def current() -> dict[str, list[str]]:
    """Experiment -> the lines of its list, as the plan has them now."""
    workflow = Workflow(read_yaml(ROOT / "config.yaml"), ROOT)
    found = {IN_FULL: paths(workflow.plan())}
    return found | {name: by_folder(paths(workflow.plan(name))) for name in BY_FOLDER}


def file_of(experiment: str) -> Path:
    """Where an experiment's list is kept."""
    return HERE / f"{experiment}.txt"


if __name__ == "__main__":
    for experiment, lines in current().items():
        file_of(experiment).write_text("\n".join(lines) + "\n", encoding="utf-8")
        print(f"{file_of(experiment)}: {len(lines)} lines")
