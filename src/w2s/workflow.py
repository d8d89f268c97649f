"""Between the config and Snakemake: experiments by name, artifacts by key, figures by name.

The Snakefile and the commands use this; it is as light as the plan.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from w2s import figures
from w2s.artifacts import sha256
from w2s.errors import UserError, allowed
from w2s.experiment import Catalogue, Experiment, TaskChoice, load
from w2s.plan import Artifact, Plan, with_ancestors
from w2s.stages import sources
from w2s.tasks import TASKS
from w2s.tasks.sources import NO_SPLIT, split_file
from w2s.tasks.world import TOPICS
from w2s.training.objectives import OBJECTIVES, settings


@cache
def catalogue() -> Catalogue:
    """All tasks and objectives that a config can name."""
    return Catalogue(tuple(TASKS), tuple(TOPICS), {name: settings(name) for name in OBJECTIVES})


def plan_of(config: Mapping[str, Any], source: str) -> Plan:
    """The plan of a merged config; UserError in one line if the config is wrong."""
    experiment = load(config, catalogue(), source=source)
    return Plan(experiment, lambda task: fingerprint(experiment, task))


def fingerprint(experiment: Experiment, choice: TaskChoice) -> tuple[dict[str, Any], dict[str, str]]:
    """(what identifies a task's files: their content, where they are) for data in a directory."""
    task = TASKS[choice.name]
    directory = Path(experiment.data.directory or "")
    if not directory.is_dir():
        raise UserError(f"data.directory: {str(directory)!r} is not a directory; it should hold one folder a task")
    folder = directory / (choice.folder or task.folder)
    if not folder.is_dir():
        there = [path.name for path in directory.iterdir() if path.is_dir()]
        raise UserError(
            f"task {task.name!r}: no folder {str(folder)!r}; {allowed(folder.name, there, what='there are')}"
        )
    files = {"train": split_file(folder, choice.train or task.train)}
    test = choice.test or task.test
    if test != NO_SPLIT:
        files["test"] = split_file(folder, test)
    try:
        digests = {part: _digest(path) for part, path in files.items()}
    except OSError as error:
        raise UserError(f"task {task.name!r}: {error.filename} cannot be read ({error.strerror})") from None
    return digests, {part: str(path) for part, path in files.items()}


_digest = cache(sha256)  # many tasks and seeds ask for the same file


def deep_merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """Sections merge, everything else (lists too) is replaced: what Snakemake does with --configfile."""
    merged = dict(base)
    for key, value in overlay.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = deep_merge(merged[key], value) if both else value
    return merged


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a mapping; UserError with the line of a syntax error."""
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: should be a mapping of keys to values")
    return content


class Workflow:
    """All experiments of a checkout: the default one, and ``config/<name>.yaml`` laid over config.yaml."""

    def __init__(self, config: Mapping[str, Any], root: Path = Path()) -> None:
        self.root = root
        self.config = config
        self.default = plan_of(config, "config")
        self._plans = {self.default.experiment.experiment: self.default}
        self._artifacts: dict[str, Artifact] = {}
        self._indexed: set[str] = set()

    @property
    def overlays(self) -> list[str]:
        """Names of the experiments under config/."""
        return sorted(path.stem for path in (self.root / "config").glob("*.yaml"))

    def plan(self, name: str | None = None) -> Plan:
        """The plan of an experiment by name; the default one for None."""
        if name is None:
            return self.default
        if name not in self._plans:
            path = self.root / "config" / f"{name}.yaml"
            if not path.is_file():
                hint = allowed(name, {*self.overlays, *self._plans})
                raise UserError(f"unknown experiment {name!r} (no {path}); {hint}")
            overlay = read_yaml(path)
            if overlay.get("experiment", name) != name:
                raise UserError(f"{path}: experiment: {overlay['experiment']!r} is not allowed; allowed: {name}")
            self._plans[name] = plan_of(deep_merge(self.config, overlay) | {"experiment": name}, str(path))
        return self._plans[name]

    def figure(self, figure: str, experiment: str | None = None) -> list[Artifact]:
        """The runs that a figure of an experiment reads; UserError for an unknown figure."""
        plan = self.plan(experiment)
        runs: list[Artifact] = list(figures.module(figure).needs(plan))
        self._artifacts |= with_ancestors(runs)
        return runs

    def known(self) -> list[Artifact]:
        """Every artifact that the default experiment can make."""
        return list(with_ancestors(self.default.every_run()).values())

    def code(self, figure: str) -> list[str]:
        """The source files that a figure's numbers and picture come from; UserError for an unknown figure."""
        return [os.path.relpath(path) for path in sources(figures.module(figure).__name__)]

    def artifact(self, key: str) -> Artifact:
        """Any artifact by its key: of the experiments in use first, then of all the others."""
        if key in self._artifacts:
            return self._artifacts[key]
        mistakes = []
        for name in [*self._plans, *(name for name in self.overlays if name not in self._plans)]:
            if name in self._indexed:
                continue
            try:
                self._artifacts |= with_ancestors(self.plan(name).every_run())
                self._indexed.add(name)
            except UserError as error:  # another experiment's mistake is not this one's
                mistakes.append(str(error))
            if key in self._artifacts:
                return self._artifacts[key]
        skipped = f" (not searched: {'; '.join(mistakes)})" if mistakes else ""
        raise UserError(
            f"no run with key {key} in experiments {', '.join(sorted(self._indexed))}: the config that it belongs "
            f"to has changed since, or is not under config/{skipped}"
        )
