"""How far a workflow is: done, running, failed and waiting are told apart by what lies on the disk."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from w2s import cli
from w2s.engine import artifacts
from w2s.graph.artifact import Artifact
from w2s.jobs import status
from w2s.jobs.workflow import Workflow


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tiny_config: dict[str, Any]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(json.dumps(tiny_config))


def log(artifact: Artifact, text: str) -> None:
    path = status.log_of(artifact)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_the_four_states(tiny_config: dict[str, Any]) -> None:
    plan = Workflow(tiny_config).default
    done, running, failed, waiting = (
        plan.nlp.truth("sciq", "w8", 0),
        plan.nlp.truth("sciq", "w16", 0),
        plan.nlp.truth("sst2", "w8", 0),
        plan.nlp.truth("sst2", "w16", 0),
    )
    Path(done.manifest).parent.mkdir(parents=True)
    Path(done.manifest).write_text("{}")
    log(done, "test accuracy 0.9\n")
    log(running, " 40% | 12 examples/s | 9 s left | loss 0.6\n\n")
    log(failed, "40%\nw2s: out of memory\n")
    (artifacts.WORK / failed.key).mkdir(parents=True)
    (artifacts.WORK / failed.key / "lock").touch()  # left behind, held by none
    with artifacts.locked(artifacts.WORK / running.key):
        states = [status.state_of(run) for run in (done, running, failed, waiting)]
        assert [state.what for state in states] == ["done", "running", "failed", "waiting"]
        text = status.overview({"fig5": [done, running, failed, waiting]})
    assert "1 of 9 done, 1 running, 1 failed, 6 waiting\n" in text  # with their data, corpus and models
    assert f"running:\n  {running.message}: 40% | 12 examples/s | 9 s left | loss 0.6" in text
    assert f"failed:\n  {failed.message}: w2s: out of memory\n    {status.log_of(failed)}" in text
    assert status.state_of(running).what == "failed"  # its process is gone


def test_the_work_that_is_left_is_that_of_jobs_that_are_not_done(tiny_config: dict[str, Any]) -> None:
    run = Workflow(tiny_config).default.nlp.truth("sciq", "w8", 0)
    Path(run.parents["data"].manifest).parent.mkdir(parents=True)
    Path(run.parents["data"].manifest).write_text("{}")
    text = status.overview(
        {"fig5": [run]}, lambda artifact: {"data": 1000.0, "finetune": 30.0}.get(artifact.stage.name, 5.0)
    )
    assert text.endswith("1 of 4 done, 3 waiting; 40 s of work left")  # the run, the corpus and the base model


def test_of_a_long_log_the_end_is_read(tiny_config: dict[str, Any]) -> None:
    run = Workflow(tiny_config).default.nlp.truth("sciq", "w8", 0)
    log(run, "first\n" + "x\n" * 10_000 + "w2s: the end\n\n")
    assert status.state_of(run).said == "w2s: the end"


def test_a_job_writes_its_log_where_status_looks(tiny_config: dict[str, Any]) -> None:
    """As the rules say: logs/ beside results/, the same path."""
    plan = Workflow(tiny_config).default
    assert str(status.log_of(plan.nlp.model("w8"))) == f"logs/models/w8-{plan.nlp.model('w8').key}.log"
    assert str(status.log_of(plan.nlp.data("sciq", 0))) == f"logs/nlp/sciq/data-{plan.nlp.data('sciq', 0).key}.log"
    run = plan.chess.truth("puzzles", "c8", 0)
    assert str(status.log_of(run)) == f"logs/chess/puzzles/c8/truth/naive/s0-{run.key}.log"


def test_the_command_shows_all_figures_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} >= {"fig2", "fig5", "fig15", "table1"}
    assert cli.main(["status", "fig5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fig5"]["done"] == 0
