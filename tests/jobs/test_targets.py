"""What the rules ask: names of files, of figures and pages, and a job's artifact under its own path only."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from w2s.config.execution import Execution
from w2s.errors import UserError
from w2s.jobs import targets
from w2s.jobs.workflow import Workflow


@pytest.fixture
def workflow(smoke_config: dict[str, object], tmp_path: Path) -> Workflow:
    """The smoke experiment, and two others beside it."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config/small.yaml").write_text("settings: [chess]\n")
    (tmp_path / "config/slow.yaml").write_text("seeds: [0, 1, 2, 3, 4]\n")
    return Workflow(smoke_config, tmp_path)


@pytest.mark.parametrize("name", ["plain", "a b", "a;touch x;b", "$(touch x)", "it's `x`", '{brace} "quote"'])
def test_commands_find_the_checkouts_library_and_settings_that_the_caller_may_change(tmp_path: Path, name: str) -> None:
    tmp_path /= name
    prefix = targets.shell_prefix(tmp_path / "src", Execution()).format()
    variable, value = next(iter(Execution().variables().items()))
    command = f'{prefix}echo "$PYTHONPATH" ${variable}'
    said = [
        subprocess.run(command, shell=True, env=environment, capture_output=True, text=True, check=True).stdout
        for environment in ({}, {variable: "the caller's"})
    ]
    assert said == [f"{tmp_path / 'src'} {value}\n", f"{tmp_path / 'src'} the caller's\n"]


def test_an_artifact_is_found_under_its_own_path_only(workflow: Workflow) -> None:
    plan = workflow.default
    run = plan.nlp.truth(plan.nlp.config.tasks[0].name, plan.nlp.config.ladder[0].name, 0)
    workflow.figure("fig12")
    for names in ([run.key], [run.task, run.rung, "truth", "naive", "0", run.key]):
        assert targets.artifact(workflow, run.key, names).path == run.path
    with pytest.raises(UserError, match=f"key {run.key} belongs to {run.path}, not to elsewhere"):
        targets.artifact(workflow, run.key, ["elsewhere", run.key])


def test_a_changed_experiment_has_another_file_and_how_it_is_executed_changes_nothing(workflow: Workflow) -> None:
    file = targets.experiment_file(workflow, None)
    assert file.startswith("results/figures/smoke/experiment-")
    assert targets.experiment_file(workflow, "smoke") == file
    assert targets.experiment_file(workflow, "slow").startswith("results/figures/slow/experiment-")
    changed = {**workflow.config, "overlay_paper": True}
    assert targets.experiment_file(Workflow(changed, workflow.root), None) != file
    elsewhere = {**workflow.config, "execution": {"longest_job": 60}}
    assert targets.experiment_file(Workflow(elsewhere, workflow.root), None) == file


def test_pictures_of_other_experiments_have_a_folder_of_their_own(workflow: Workflow) -> None:
    folders = [targets.pictures(workflow, name) for name in (None, "smoke", "small")]
    assert folders == ["figures", "figures", "figures/small"]


def test_a_report_is_made_from_every_figure_that_its_experiment_can_have(workflow: Workflow) -> None:
    for name, tables, pictures in (
        (None, "results/figures/smoke", "figures"),
        ("small", "results/figures/small", "figures/small"),
    ):
        parts = targets.report_parts(workflow, name)
        figures = workflow.drawable(name)
        expected = {f"{tables}/{one}.csv" for one in figures}
        expected |= {f"{pictures}/{one}.{kind}" for one in figures for kind in ("svg", "png")}
        assert set(parts) == expected | {os.path.relpath(path) for path in (ROOT / "docs").glob("*.md")}
        assert len(parts) == len(set(parts))


def test_claims_are_tested_by_tables_of_their_experiment(workflow: Workflow) -> None:
    assert "results/figures/smoke/fig5.csv" in targets.claim_tables(workflow, None)
    tables = targets.claim_tables(workflow, "small")
    assert tables
    assert all(table.startswith("results/figures/small/") for table in tables)


def test_a_comparison_is_made_from_the_figures_that_both_experiments_have(workflow: Workflow) -> None:
    parts = targets.compared_parts(workflow, ("smoke", "small"), None)
    figures = workflow.shared("smoke", "small")
    assert len(parts) == 2 * 3 * len(figures)
    assert {"results/figures/small/fig15.csv", "figures/fig15.svg", "figures/small/fig15.png"} <= set(parts)
    assert targets.compared_parts(workflow, ("smoke", "small"), "fig15") == [
        "results/figures/smoke/fig15.csv",
        "results/figures/small/fig15.csv",
        "figures/fig15.svg",
        "figures/fig15.png",
        "figures/small/fig15.svg",
        "figures/small/fig15.png",
    ]
