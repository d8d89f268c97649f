"""Trackers get a run's parameters and measurements, each step once, and change nothing about the run."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.engine import trackers
from w2s.engine import artifacts, tracking
from w2s.engine.artifacts import Build
from w2s.errors import UserError
from w2s.graph.artifact import Identity

SPEC = {"training": {"batch": 32, "epochs": 2}, "objective": {"name": "naive", "parameters": {}}, "seed": 3}
IDENTITY = Identity("finetune", 3, SPEC, {"data": "0123456789"})
KEY = IDENTITY.key
OUT = Path(f"results/nlp/sst2/w16/from-w8/naive/s3-{KEY}")
HISTORY = [
    {"step": step, "epoch": step / 5, "train_loss": 1 / step, "validation_truth": step / 16}
    for step in (2, 4, 6, 8, 10)
]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")


def reporter(name: str) -> tracking.Reporter:
    return tracking.Reporter(name, IDENTITY, OUT)


def train(name: str, rows: int, *, known: int = 0) -> tracking.Reporter:
    """Report the evaluations up to a row; those before ``known`` come from a checkpoint."""
    reports = reporter(name)
    for number in range(known, rows):
        reports.evaluated(HISTORY[: number + 1], 50.0)
    return reports


def killed(do: Callable[[], object]) -> None:
    """Do it in a process that then ends without a word."""
    process = os.fork()
    if process == 0:
        try:
            do()
        finally:
            os._exit(9)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 9


def finish(reports: tracking.Reporter, folder: Path) -> None:
    from w2s.training.records import write_history

    write_history(folder / "history.csv", HISTORY)
    reports.finished(folder, {"test_accuracy": 0.75, "steps": 10, "device": "cpu", "compiled": True})


def steps(values: trackers.Values, name: str) -> list[int]:
    return [step for step, _ in values[name]]


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_a_run_is_there_with_its_parameters_every_evaluation_and_its_result(name: str, tmp_path: Path) -> None:
    finish(train(name, 5), tmp_path)
    parameters, values = trackers.of(name, KEY)
    wanted = {"setting": "nlp", "task": "sst2", "rung": "w16", "labels": "from-w8", "method": "naive", "seed": 3}
    wanted |= {"stage": "finetune", "key": KEY, "training.batch": 32, "training.epochs": 2}
    wanted |= {"objective.name": "naive", "objective.parameters": "{}"}
    assert {one: str(value) for one, value in parameters.items()} == {one: str(value) for one, value in wanted.items()}
    for column in ("epoch", "train_loss", "validation_truth"):
        assert steps(values, column) == [2, 4, 6, 8, 10]
        assert [value for _, value in values[column]] == pytest.approx([row[column] for row in HISTORY], rel=1e-6)
    assert [value for _, value in values["examples_per_second"]] == [50.0] * 5
    final = {one: [value for _, value in found] for one, found in values.items() if one.startswith("final/")}
    assert final == {"final/test_accuracy": [0.75], "final/steps": [10.0]}
    assert trackers.runs(name) == {KEY}


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_a_run_that_goes_on_after_a_kill_has_each_step_once(name: str, tmp_path: Path) -> None:
    killed(lambda: train(name, 4))  # after step 8, with a checkpoint of step 4
    assert trackers.runs(name) == {KEY}
    finish(train(name, 5, known=2), tmp_path)
    _, values = trackers.of(name, KEY)
    assert steps(values, "train_loss") == steps(values, "epoch") == [2, 4, 6, 8, 10]
    assert len(values["final/test_accuracy"]) == 1
    finish(reporter(name), tmp_path)  # of which only publishing was left to do
    _, values = trackers.of(name, KEY)
    assert steps(values, "train_loss") == [2, 4, 6, 8, 10]
    assert len(values["final/test_accuracy"]) == 1


def test_mlflow_knows_how_a_run_ended(tmp_path: Path) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed: its tracker")
    reports = train("mlflow", 2)
    assert trackers.status(KEY) == "RUNNING"
    reports.failed()
    assert trackers.status(KEY) == "FAILED"
    finish(train("mlflow", 3, known=2), tmp_path)
    assert trackers.status(KEY) == "FINISHED"


def test_a_server_that_is_away_is_one_line_and_the_job_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed: its tracker")
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://alice:s3cret@127.0.0.1:{port}")
    finish(train("mlflow", 5), tmp_path)
    said = capfd.readouterr()
    assert "s3cret" not in said.out + said.err
    (line,) = (line for line in said.out.splitlines() if line.startswith("tracker mlflow: "))
    assert line.endswith("; the job goes on without it")


def test_a_tracker_that_cannot_write_is_one_line_and_the_job_goes_on(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its tracker")
    Path("tracking").write_text("a file, not a folder")
    finish(train("tensorboard", 5), tmp_path)
    assert capfd.readouterr().out.count("the job goes on without it") == 1


def test_a_job_without_a_history_opens_no_tracker(tmp_path: Path) -> None:
    reporter("no-such-tracker").finished(tmp_path, {"rows": 10})
    assert not Path("tracking").exists()


def test_the_tracker_is_the_environments_else_the_configs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(tracking.VARIABLE, raising=False)
    assert tracking.asked() is None
    assert tracking.asked("mlflow") == "mlflow"
    monkeypatch.setenv(tracking.VARIABLE, "none")
    assert tracking.asked("mlflow") is None
    monkeypatch.setenv(tracking.VARIABLE, "tensorbord")
    with pytest.raises(UserError, match="W2S_TRACKER='tensorbord' is not allowed; allowed: none, tensorboard, mlflow"):
        tracking.asked()


def test_a_package_that_is_missing_is_one_line_that_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, "wandb", raising=False)
    (tmp_path / "wandb").mkdir()  # a folder of results, say
    with pytest.raises(UserError) as caught:
        tracking.check("wandb")
    assert str(caught.value) == 'tracker wandb is not installed; run: pip install -c constraints.txt -e ".[wandb]"'


def test_only_the_first_of_several_workers_reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(tracking.VARIABLE, "tensorboard")
    for rank, reports in ((0, True), (1, False)):
        monkeypatch.setenv("W2S_WORKER", f'{{"rank": {rank}, "size": 2, "meeting": "", "folder": ""}}')
        build = Build(IDENTITY, tmp_path, tmp_path)
        with tracking.tracked(build, OUT):
            assert (build.reporter is not None) is reports


# -- stages ------------------------------------------------------------------------------------------------


def files_of(run: Path) -> dict[str, Any]:
    return {name: (run / name).read_bytes() for name in ("predictions.parquet", "history.csv")}


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["nlp", "chess", "reward", "vision"])
def test_runs_of_every_setting_are_tracked_and_keep_their_bytes(
    setting: str, tiny: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its tracker")
    from tests.chess.test_finetune import make

    plan = getattr(tiny, setting)
    run = plan.truth(plan.tasks[0], plan.config.ladder[0].name, 0)
    monkeypatch.setenv(tracking.VARIABLE, "none")
    without = files_of(make(run))
    assert not Path("tracking").exists()
    for path in Path(run.path).iterdir():
        path.unlink()
    monkeypatch.setenv(tracking.VARIABLE, "tensorboard")
    assert files_of(make(run)) == without
    parameters, values = trackers.of("tensorboard", run.key)
    assert {name: parameters[name] for name in ("setting", "task", "rung", "labels", "method")} == {
        "setting": setting,
        "task": run.task,
        "rung": run.rung,
        "labels": run.labels,
        "method": run.method,
    }
    history = tracking.read_history(Path(run.path) / "history.csv")
    assert steps(values, "test_truth") == [row["step"] for row in history]
    assert [value for _, value in values["test_truth"]] == pytest.approx([row["test_truth"] for row in history])
    assert all(speed > 0 for _, speed in values["examples_per_second"])
    accuracy = artifacts.read(Path(run.path))["measured"]["test_accuracy"]
    assert values["final/test_accuracy"][0][1] == pytest.approx(accuracy)
