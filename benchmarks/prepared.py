"""A tiny experiment for benchmarks: its data and base models made, its runs as commands."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from w2s.config.files import deep_merge, read_yaml
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, canonical

from common import ROOT

TASK, RUNG = "sciq", "w32"
# W2S_WARM: a process of its own. Python keeps compiled code, as it usually does, whatever the shell's variables say.
ENVIRONMENT = {"W2S_WARM": "0", "PYTHONPATH": str(ROOT / "src"), "PYTHONDONTWRITEBYTECODE": ""}
TOKENS = 100_000  # of pretraining: how long it was pretrained changes no speed


def prepare(folder: Path) -> Plan:
    """Make data and a base model of the smoke experiment's shapes in ``folder``; returns the plan."""
    config = read_yaml(ROOT / "config.yaml")
    ladder: list[dict[str, Any]] = [dict(rung, tokens=TOKENS) for rung in config["nlp"]["ladder"]]
    plan = plan_of(deep_merge(config, {"nlp": {"ladder": ladder}}), "benchmark")
    for artifact in (plan.nlp.corpus(), plan.nlp.model(RUNG), plan.nlp.data(TASK, 0)):
        run(folder, arguments_of(artifact))
    return plan


def commands_of(plan: Plan, seeds: Sequence[int]) -> list[list[str]]:
    """Arguments of ``w2s`` that make ground-truth runs of one rung and task, all on the data of seed 0."""
    made = []
    for seed in seeds:
        artifact = plan.nlp.truth(TASK, RUNG, 0)
        spec = {**artifact.spec, "seed": seed}
        made.append(arguments_of(Artifact(artifact.stage, f"nlp/{TASK}/{RUNG}/s{seed}", "", spec, artifact.parents)))
    return made


def arguments_of(artifact: Artifact) -> list[str]:
    """Arguments of ``w2s`` that make an artifact."""
    parents = [f"{role}={parent.path}" for role, parent in artifact.parents.items()]
    arguments = ["make", artifact.stage.name, "--spec", canonical(artifact.spec), "--out", artifact.path]
    return [*arguments, "--parents", *parents, "--environment", canonical(artifact.environment)]


def run(folder: Path, arguments: Sequence[str], **environment: str) -> None:
    """``w2s`` with these arguments, in a process of its own unless the environment names a warm one."""
    everything = {**os.environ, **ENVIRONMENT, **environment}
    command = [sys.executable, "-m", "w2s", *arguments]
    subprocess.run(command, cwd=folder, env=everything, check=True, stdout=subprocess.DEVNULL)
