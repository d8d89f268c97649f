"""A workflow whose jobs report to a tracker, several of them in one warm process."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import trackers
from tests.workflow.test_dag import checkout, edit_config, snakemake
from w2s.engine.tracking import VARIABLE, read_history
from w2s.experiments.plan import Plan


def test_every_training_of_a_workflow_is_tracked_by_one_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny: Plan
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its tracker")
    monkeypatch.delenv(VARIABLE, raising=False)
    folder = checkout(tmp_path / "checkout")
    edit_config(folder, lambda config: config["execution"].update(tracker="tensorboard"))
    runs = [
        tiny.vision.truth("digits", rung, 0, schedule)
        for rung in ("v2", "v4")
        for schedule in tiny.vision.config.schedules
    ]
    snakemake(folder, *(run.manifest for run in runs))
    monkeypatch.chdir(folder)
    networks = {run.parents["features"].parents["model"].key for run in runs}
    assert trackers.runs("tensorboard") == {run.key for run in runs} | networks
    for run in runs:
        parameters, values = trackers.of("tensorboard", run.key)
        assert (parameters["rung"], parameters["method"]) == (run.rung, run.method)
        history = read_history(Path(run.path) / "history.csv")
        assert [step for step, _ in values["test_truth"]] == [row["step"] for row in history]
    assert "Nothing to be done" in snakemake(folder, *(run.manifest for run in runs))


def test_a_tracker_that_there_is_not_is_one_line_before_any_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = checkout(tmp_path / "checkout")
    monkeypatch.setenv(VARIABLE, "tensorbord")
    output = snakemake(folder, "-n", "figures/table3.pdf", check=False)
    assert "W2S_TRACKER='tensorbord' is not allowed; allowed: none, tensorboard, mlflow, wandb" in output
    assert "Traceback" not in output
    assert "Job stats" not in output
