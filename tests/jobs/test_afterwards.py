"""Finished runs are sent to a tracker once, as they would have been while they were trained; mistakes are one line."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from tests.engine import trackers
from w2s import cli
from w2s.engine import artifacts, tracking
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact
from w2s.training.records import write_history

HISTORY = [{"step": step, "epoch": step / 5, "train_loss": 1 / step, "test_truth": step / 16} for step in (2, 4, 6)]
MEASURED = {"test_accuracy": 0.75, "steps": 6, "device": "cpu"}


@pytest.fixture
def plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_config: dict[str, Any]) -> Plan:
    """Of the experiment in the working directory, which is empty otherwise."""
    monkeypatch.chdir(tmp_path)
    names = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT")
    for name in (*names, tracking.VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    Path("config.yaml").write_text(json.dumps(tiny_config))
    return plan_of(tiny_config, "config.yaml")


def supervisor(plan: Plan) -> Artifact:
    return plan.nlp.truth(plan.nlp.tasks[0], "w8", 0)


def student(plan: Plan) -> Artifact:
    return plan.nlp.student(plan.nlp.tasks[0], "w8", "w16", "naive", 0)


def finish(*finished: Artifact, history: bool = True) -> None:
    for artifact in finished:
        with artifacts.building(Path(artifact.path), artifact.identity, artifact.stage.manifest) as build:
            assert build is not None
            build.measured |= MEASURED
            if history:
                write_history(build.folder / "history.csv", HISTORY)


def track(*arguments: str) -> int:
    return cli.main(["track", *arguments])


def files(folder: Path) -> dict[str, str]:
    return {str(one): hashlib.sha256(one.read_bytes()).hexdigest() for one in folder.rglob("*") if one.is_file()}


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_a_run_is_there_as_if_it_had_been_tracked(
    name: str, plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(supervisor(plan), student(plan))
    finish(supervisor(plan).parents["data"], history=False)
    assert track("--tracker", name) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"experiment 'tiny': 2 runs sent to {name}, 0 there before"
    assert trackers.runs(name) == {supervisor(plan).key, student(plan).key}
    parameters, values = trackers.of(name, student(plan).key)
    assert [step for step, _ in values["test_truth"]] == [2, 4, 6]
    assert [value for _, value in values["test_truth"]] == pytest.approx([row["test_truth"] for row in HISTORY])
    assert [value for _, value in values["final/test_accuracy"]] == [0.75]
    live = tracking.Reporter(name, student(plan).identity, Path(student(plan).path), Path("live/tracking"))
    live.finished(Path(student(plan).path), MEASURED)
    monkeypatch.chdir("live")
    taken = {name: values.pop(name) for name in ("final/seconds", "final/processor_seconds")}  # known at the end alone
    assert all(taken.values())
    assert trackers.of(name, student(plan).key) == (parameters, values)


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_nothing_is_sent_twice_and_what_is_new_is_added(
    name: str, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(supervisor(plan))
    assert track("--tracker", name) == 0
    before = files(Path("tracking"))
    assert track("--tracker", name) == 0
    assert files(Path("tracking")) == before
    assert "0 runs sent" in capsys.readouterr().out
    finish(student(plan))
    assert track("--tracker", name) == 0
    assert f"1 run sent to {name}, 1 there before" in capsys.readouterr().out
    assert trackers.runs(name) == {supervisor(plan).key, student(plan).key}


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_a_run_that_was_tracked_is_left_alone_and_a_part_of_one_is_completed(name: str, plan: Plan) -> None:
    whole, part = supervisor(plan), student(plan)
    finish(whole, part)
    for run, rows in ((whole, 3), (part, 2)):
        reporter = tracking.Reporter(name, run.identity, Path(run.path))
        reporter.evaluated(HISTORY[:rows], 50.0)
        if run is whole:
            reporter.finished(Path(run.path), MEASURED)
        elif name == "wandb":  # ends its process, as a kill would
            reporter.failed()
    assert track("--tracker", name) == 0
    _, values = trackers.of(name, whole.key)
    assert [step for step, _ in values["examples_per_second"]] == [6]
    _, values = trackers.of(name, part.key)
    assert [step for step, _ in values["train_loss"]] == [2, 4, 6]
    assert len(values["final/test_accuracy"]) == 1


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_runs_go_to_the_folder_that_is_named(name: str, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    finish(supervisor(plan))
    assert track("tiny", "--tracker", name, "--to", "some/where") == 0
    assert not Path("tracking").exists()
    monkeypatch.setattr(trackers, "FOLDER", Path("some/where"))
    assert trackers.runs(name) == {supervisor(plan).key}


def test_the_tracker_is_the_configs_by_default(
    plan: Plan, tiny_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its tracker")
    finish(supervisor(plan))
    assert track() == 1
    assert capsys.readouterr().err == "w2s: no tracker; name one: --tracker tensorboard, mlflow, wandb\n"
    Path("config.yaml").write_text(json.dumps(tiny_config | {"execution": {"tracker": "tensorboard"}}))
    assert track() == 0
    assert trackers.runs("tensorboard") == {supervisor(plan).key}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("smok", "--tracker", "mlflow"), "unknown experiment 'smok'"),
        (("--tracker", "tensorbord"), "tracker 'tensorbord': did you mean 'tensorboard'? allowed: mlflow, tensorboard"),
        (("--tracker", "mlflow", "--to", "x"), "--to x and the variable MLFLOW_TRACKING_URI name two places"),
    ],
)
def test_mistakes_are_one_line(
    arguments: tuple[str, ...],
    said: str,
    plan: Plan,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    finish(supervisor(plan))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "file:elsewhere")
    assert track(*arguments) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


def test_a_missing_package_is_one_line(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(supervisor(plan))
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    assert track("--tracker", "wandb") == 1
    said = capsys.readouterr().err
    assert said == 'w2s: tracker wandb is not installed; run: pip install -c constraints.txt -e ".[wandb]"\n'


@pytest.mark.parametrize("name", trackers.INSTALLED)
def test_an_experiment_without_finished_runs_is_one_line(
    name: str, plan: Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    finish(supervisor(plan).parents["data"], history=False)
    assert track("--tracker", name) == 1
    assert capsys.readouterr().err == "w2s: experiment 'tiny' has no finished run with a history here\n"


def test_a_damaged_run_is_not_sent(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its tracker")
    finish(supervisor(plan))
    history = Path(supervisor(plan).path) / "history.csv"
    history.chmod(0o644)
    history.write_text(history.read_text().replace("0.5", "0.6"))
    assert track("--tracker", "tensorboard") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "history.csv: truncated or edited" in line
    assert not Path("tracking").exists()


def test_a_server_that_is_away_is_one_line_without_its_password(
    plan: Plan, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("mlflow", reason="mlflow is not installed: its tracker")
    finish(supervisor(plan))
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://alice:s3cret@127.0.0.1:{port}")
    assert track("--tracker", "mlflow") == 1
    said = capfd.readouterr()
    assert "s3cret" not in said.out + said.err
    (line,) = (line for line in said.err.splitlines() if line.startswith("w2s: "))
    assert line.startswith("w2s: tracker mlflow: ")


def test_a_tracker_that_cannot_write_is_one_line(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tensorboard", reason="tensorboard is not installed: its tracker")
    finish(supervisor(plan))
    Path("tracking").write_text("a file, not a folder")
    assert track("--tracker", "tensorboard") == 1
    assert capsys.readouterr().err.startswith("w2s: tracker tensorboard: ")
