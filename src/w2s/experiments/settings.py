"""All settings, and the stages of all: one for each section of ``Experiment``, from the package of its name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from importlib import import_module
from typing import Any

from w2s.errors import UserError, allowed
from w2s.experiments import experiment
from w2s.graph.artifact import Artifact
from w2s.graph.setting import Setting
from w2s.graph.stage import Stage
from w2s.graph.work import Size, Work
from w2s.models.stages import STAGES as OF_MODELS
from w2s.models.work import WORK as BY_MODELS

SETTINGS: tuple[Setting, ...] = tuple(import_module(f"w2s.{name}").SETTING for name in experiment.settings())
STAGES: dict[str, Stage] = {
    stage.name: stage for stages in (OF_MODELS, *(one.stages for one in SETTINGS)) for stage in stages
}
WORK: dict[Stage, Callable[[Artifact], Work]] = {
    stage: work for works in (BY_MODELS, *(one.work for one in SETTINGS)) for stage, work in works.items()
}


def work(artifact: Artifact) -> Work:
    """What a job computes with a model."""
    return WORK[artifact.stage](artifact) if artifact.stage in WORK else Work()


def size(data: Artifact) -> Size:
    """How large data are that are not built yet."""
    return setting(data.name.split("/", 1)[0]).size(data)


def stage(name: str) -> Stage:
    """A stage by name; UserError if there is none."""
    if name not in STAGES:
        raise UserError(f"unknown stage {name!r}; {allowed(name, STAGES)}")
    return STAGES[name]


def with_id(identifier: str) -> Stage:
    """The stage that a manifest names; UserError for one of another version of the package."""
    for stage in STAGES.values():
        if stage.id == identifier:
            return stage
    raise UserError(f"unknown stage id {identifier!r}: another version of the package made this")


def setting(name: str) -> Setting:
    """A setting by name."""
    return next(one for one in SETTINGS if one.name == name)


def invented(about: Mapping[str, Any], names: Collection[str]) -> list[str]:
    """What is synthetic about the data of these settings, in words. about: the experiment as JSON."""
    return [
        words
        for one in SETTINGS
        if one.name in names and about.get(one.name) is not None and (words := one.is_synthetic(about))
    ]
