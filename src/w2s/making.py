"""The stages: the version of each, the file that vouches for it, the module that makes it, and what that is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One kind of artifact.

    version: to be raised when a change to its code changes its results; see ``w2s stages``. manifest: the file in its
    directory that is written last and vouches for the others. module: its ``make`` takes the build and then
    ``arguments``, names with spaces between: a parent's role, with ``?`` behind one that may be absent; ``parents``
    for all of them by role, ``directories`` for all without roles, ``place`` for the environment.
    """

    version: int
    manifest: str
    module: str
    arguments: str


STAGES = {
    "data": Stage(2, "manifest.json", "w2s.tasks.data", "place"),
    "corpus": Stage(2, "manifest.json", "w2s.models.corpus", "directories"),
    "pretrain": Stage(2, "manifest.json", "w2s.models.pretraining", "corpus"),
    "open": Stage(1, "source.json", "w2s.models.base", "place"),
    "finetune": Stage(3, "run.json", "w2s.training.finetune", "data model labels? place subset? assistant?"),
    "puzzles": Stage(1, "manifest.json", "w2s.tasks.chess.data", "place"),
    "games": Stage(1, "manifest.json", "w2s.models.games", "place"),
    "generate": Stage(1, "run.json", "w2s.training.generate", "data model labels? place"),
    "levels": Stage(1, "manifest.json", "w2s.studies.levels", "parents"),
    "judge": Stage(1, "manifest.json", "w2s.studies.judge", "data model? place"),
    "flip": Stage(1, "manifest.json", "w2s.studies.flips", "parents"),
    "images": Stage(1, "manifest.json", "w2s.tasks.vision.images", "place"),
    "vision_model": Stage(1, "manifest.json", "w2s.training.vision_model", "images"),
    "vision_features": Stage(1, "manifest.json", "w2s.training.vision_features", "images model? place"),
    "vision_probe": Stage(1, "run.json", "w2s.training.vision_probe", "images features labels?"),
    "prompt": Stage(1, "prompt.json", "w2s.training.prompting", "data model labels?"),
    "features": Stage(1, "features.json", "w2s.training.features", "data model run? labels? place"),
    "probe": Stage(1, "probe.json", "w2s.training.probes", "features labels?"),
    "errors": Stage(1, "errors.json", "w2s.training.simulable", "features"),
    "preferences": Stage(1, "manifest.json", "w2s.tasks.reward.data", "place"),
    "dialogues": Stage(1, "manifest.json", "w2s.models.dialogues", "directories"),
    "writing": Stage(2, "manifest.json", "w2s.training.writing", "data model place"),
    "prefer": Stage(1, "run.json", "w2s.training.prefer", "data model labels? place"),
}


def make(build: Any, parents: Mapping[str, Path], place: Mapping[str, Any]) -> None:
    """Make one artifact into a build. parents: role -> directory; place: where its raw files are, and the like."""
    stage = STAGES[build.identity.stage]
    whole: dict[str, Any] = {"parents": parents, "directories": list(parents.values()), "place": place}

    def argument(name: str) -> Any:
        if name in whole:
            return whole[name]
        return parents.get(name[:-1]) if name.endswith("?") else parents[name]

    import_module(stage.module).make(build, *map(argument, stage.arguments.split()))
