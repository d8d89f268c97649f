"""Between the config and Snakemake: experiments by name, artifacts by key, figures by name.

The Snakefile and the commands use this; it is as light as the plan.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from w2s import figures
from w2s.claims.needed import available
from w2s.config.files import deep_merge, read_yaml
from w2s.errors import UserError, allowed
from w2s.experiments.loading import plan_of, shipped
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.graph.lock import CLAIMS, PACKAGE, sources
from w2s.jobs import records
from w2s.jobs.resources import Resources


class Workflow:
    """All experiments of a checkout: the default one, and ``config/<name>.yaml`` laid over config.yaml.

    look: whether resources follow from all that was measured till now, or (in a job) from what its workflow found.
    """

    def __init__(self, config: Mapping[str, Any], root: Path = Path(), *, look: bool = True) -> None:
        self.root = root
        self._look = look
        self.config = config
        self.default = plan_of(config, "config", root)
        self._plans = {self.default.experiment.experiment: self.default}
        self._artifacts: dict[str, Artifact] = {}
        self._indexed: set[str] = set()

    @cached_property
    def resources(self) -> Resources:
        """What jobs ask a scheduler for."""
        root, look = self.root, self._look
        execution = self.default.experiment.execution
        return Resources(execution, lambda: records.read(root / "results", root / records.CACHE, look=look))

    @property
    def overlays(self) -> list[str]:
        """Names of the experiments under config/."""
        return sorted(path.stem for path in (self.root / "config").glob("*.yaml"))

    def plan(self, name: str | None = None) -> Plan:
        """The plan of an experiment by name; the default one for None."""
        if name is None:
            return self.default
        if name not in self._plans:
            (source, overlay), _ = self.layers(name)
            self._plans[name] = plan_of(deep_merge(self.config, overlay) | {"experiment": name}, source, self.root)
        return self._plans[name]

    def layers(self, name: str | None = None) -> list[tuple[str, Mapping[str, Any]]]:
        """(file, content) of an experiment's overlay and of config.yaml, which it is laid over."""
        base: tuple[str, Mapping[str, Any]] = ("config.yaml", self.config)
        if name is None or name == self.default.experiment.experiment:
            return [base]
        path = self.root / "config" / f"{name}.yaml"
        if not path.is_file():
            hint = allowed(name, {*self.overlays, *self._plans})
            raise UserError(f"unknown experiment {name!r} (no {path}); {hint}")
        overlay = read_yaml(path)
        if "execution" in overlay:
            raise UserError(f"{path}: execution: applies to all experiments of a call; set it in config.yaml")
        if overlay.get("experiment", name) != name:
            raise UserError(f"{path}: experiment: {overlay['experiment']!r} is not allowed; allowed: {name}")
        return [(str(path), overlay), base]

    def shipped_rungs(self) -> list[str]:
        """Names of the rungs in config/ladders."""
        return list(shipped(self.root).rungs)

    def figure(self, figure: str, experiment: str | None = None) -> list[Artifact]:
        """The runs that a figure of an experiment reads; UserError for an unknown figure."""
        plan = self.plan(experiment)
        runs: list[Artifact] = list(figures.module(figure).needs(plan))
        self._artifacts |= with_ancestors(runs)
        return runs

    def drawable(self, experiment: str | None = None) -> list[str]:
        """The figures that an experiment has what it takes for; says which it lacks something for."""
        found, lacking = figures.available(self.plan(experiment))
        for name, why in lacking.items():
            print(f"omitting {name}: {why}", file=sys.stderr)
        self._artifacts |= with_ancestors(run for runs in found.values() for run in runs)
        return list(found)

    def known(self) -> list[Artifact]:
        """Every artifact that the default experiment can make."""
        return list(with_ancestors(self.default.everything()).values())

    def code(self, figure: str) -> list[str]:
        """The source files that a figure's numbers and picture come from; UserError for an unknown figure."""
        return [os.path.relpath(path) for path in sources(figures.module(figure).__name__)]

    def claim_tables(self, experiment: str | None = None) -> list[str]:
        """The figures whose numbers test the paper's claims, of those that an experiment can have."""
        return available(self.plan(experiment))[0]

    def claim_code(self) -> list[str]:
        """The source files that verdicts and their page come from."""
        return self._page_code("claims")

    def report_code(self) -> list[str]:
        """The source files that reports come from, those of figures aside."""
        return self._page_code("page")

    def shared(self, first: str, second: str, only: str | None = None) -> list[str]:
        """The figures that both of two experiments can have, or the one asked for."""
        ours, theirs = (figures.available(self.plan(name))[0] for name in (first, second))
        found = [name for name in ours if name in theirs]
        if only is None:
            return found
        if only not in found:
            hint = allowed(only, found, what="both have")
            raise UserError(f"experiments {first!r} and {second!r} do not both have {only!r}; {hint}")
        return [only]

    def comparison_code(self) -> list[str]:
        """The source files that comparisons of experiments come from."""
        return self._page_code("comparison")

    def _page_code(self, module: str) -> list[str]:
        files = [*sources("w2s.claims.evaluate", CLAIMS), *sources(f"w2s.report.{module}", CLAIMS)]
        files += sorted((PACKAGE / "report" / "templates").glob("*.*"))  # *.j2 and *.css
        return [os.path.relpath(path) for path in dict.fromkeys(files)]

    def artifact(self, key: str) -> Artifact:
        """Any artifact by its key: of the experiments in use first, then of all the others."""
        if key in self._artifacts:
            return self._artifacts[key]
        mistakes = []
        for name in [*self._plans, *(name for name in self.overlays if name not in self._plans)]:
            if name in self._indexed:
                continue
            try:
                self._artifacts |= with_ancestors(self.plan(name).everything())
                self._indexed.add(name)
            except UserError as error:  # another experiment's mistake is not this one's
                mistakes.append(str(error))
            if key in self._artifacts:
                return self._artifacts[key]
        skipped = f" (not searched: {'; '.join(mistakes)})" if mistakes else ""
        raise UserError(
            f"no run with key {key} in experiments {', '.join(sorted(self._indexed))}: its config "
            f"has changed since, or is not in config/{skipped}"
        )
