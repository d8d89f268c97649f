"""Finished artifacts need no jobs in the graph, unless something is forced or all jobs are shown."""

from __future__ import annotations

import asyncio
import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from snakemake.settings.types import DAGSettings, RerunTrigger

from w2s.jobs.planning import plan_what_is_missing

importlib.import_module("snakemake.api")  # loads all, in an order that works
DAG: Any = sys.modules["snakemake.dag"].DAG
rules: Any = sys.modules["snakemake.rules"]

RUN = "results/nlp/boolq/tiny/truth/naive/s0-0123456789/run.json"
MISSING = RUN.replace("s0", "s1")
TABLE = "results/figures/smoke/fig5.csv"
EXPERIMENT = "results/figures/smoke/experiment-0123456789.json"
PROFILE = frozenset({RerunTrigger.INPUT, RerunTrigger.MTIME})  # profiles/shared.yaml


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one finished run and one table, and Snakemake as it is before a workflow changes it."""
    monkeypatch.setattr(DAG, "collect_potential_dependencies", _original())
    monkeypatch.setattr(rules, "get_function_params", rules.get_function_params)
    monkeypatch.chdir(tmp_path)
    for name in (RUN, TABLE, EXPERIMENT):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def _original() -> Any:
    found = DAG.collect_potential_dependencies
    return getattr(found, "__wrapped__", found)


def made(settings: DAGSettings, *, executes: bool = True, is_main: bool = True) -> list[str]:
    """The files for which Snakemake makes jobs, of those that one job needs."""
    asked = []

    async def file2jobs(file: str, wildcards_dict: object = None) -> list[str]:
        asked.append(file)
        return [file]

    workflow = SimpleNamespace(
        dag_settings=settings, execution_settings=object() if executes else None, is_main_process=is_main
    )
    graph = SimpleNamespace(workflow=workflow, file2jobs=file2jobs, is_batch_rule=lambda rule: False)
    job = SimpleNamespace(unique_input=[RUN, MISSING, TABLE, EXPERIMENT], rule=None, dependencies={}, wildcards_dict={})

    async def collect() -> list[Any]:
        collected: Any = DAG.collect_potential_dependencies
        return [found async for found in collected(graph, job, known_producers={})]

    files = [found.file for found in asyncio.run(collect())]
    assert files == [RUN, MISSING, TABLE, EXPERIMENT]
    return asked


def test_a_finished_artifact_needs_no_job_and_everything_else_does(project: Path) -> None:
    assert made(DAGSettings(rerun_triggers=PROFILE)) == [RUN, MISSING, TABLE, EXPERIMENT]
    plan_what_is_missing()
    plan_what_is_missing()
    assert made(DAGSettings(rerun_triggers=PROFILE)) == [MISSING, TABLE, EXPERIMENT]


@pytest.mark.parametrize(
    "settings",
    [
        DAGSettings(rerun_triggers=PROFILE, forceall=True),
        DAGSettings(rerun_triggers=PROFILE, forcetargets=True),
        DAGSettings(rerun_triggers=PROFILE, forcerun={"finetune"}),
        DAGSettings(rerun_triggers=PROFILE, until={"finetune"}),
        DAGSettings(rerun_triggers=PROFILE, omit_from={"finetune"}),
        DAGSettings(rerun_triggers=PROFILE | {RerunTrigger.PARAMS}),
    ],
)
def test_what_is_forced_has_its_jobs(project: Path, settings: DAGSettings) -> None:
    plan_what_is_missing()
    assert RUN in made(settings)


def test_reports_and_summaries_and_jobs_of_their_own_see_all_jobs(project: Path) -> None:
    plan_what_is_missing()
    assert RUN in made(DAGSettings(rerun_triggers=PROFILE), executes=False)
    assert RUN in made(DAGSettings(rerun_triggers=PROFILE), is_main=False)


def test_an_input_functions_signature_is_read_once(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(rules, "get_function_params", lambda function: asked.append(function))
    plan_what_is_missing()
    parameters: Any = rules.get_function_params
    for _ in range(3):
        parameters(made)
    assert asked == [made]


def test_manifests_of_the_plan_are_known_by_their_paths(smoke: Any) -> None:
    from w2s.graph.artifact import with_ancestors
    from w2s.jobs.planning import MANIFEST

    for artifact in with_ancestors(smoke.everything()).values():
        assert MANIFEST.fullmatch(artifact.manifest), artifact.manifest
