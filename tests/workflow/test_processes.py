"""A run in two processes (on the CPU, by gloo): as one alone, whatever is killed, and no half of it."""

from __future__ import annotations

import json
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import load_file

from tests.open_models import save
from tests.workflow.crash import run
from tests.workflow.test_safety import arguments, leftovers
from w2s.config.files import deep_merge
from w2s.engine import artifacts, gpus, rank, warm
from w2s.engine import launcher as processes
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, Run
from w2s.models.base import describe

pytestmark = pytest.mark.xdist_group("crash")  # the process that is forked, and what is made, are made once

TWO = {"W2S_PROCESSES_ON": "cpu", "W2S_CHECKPOINT_SECONDS": "0"}
# An objective that needs the whole batch's logits, and does something bad at a call where a file says so.
MISBEHAVING = '''"""As the confidence loss; what fault.json says happens in one process at one call."""
import json
import os
import signal
import time
from pathlib import Path

import torch

calls = 0


def loss(logits, labels, *, progress):
    misbehave()
    margin = (logits[:, 1] - logits[:, 0]).detach()
    surer = (margin > margin.median()).float()
    target = 0.7 * labels + 0.3 * torch.stack([1 - surer, surer], dim=-1)
    return -(target * logits.log_softmax(-1)).sum(-1)


def misbehave():
    global calls
    calls += 1
    rank = json.loads(os.environ.get("W2S_WORKER", '{"rank": 0}'))["rank"]
    Path(f"pid-{rank}").write_text(str(os.getpid()))
    if not Path("fault.json").exists():
        return
    fault = json.loads(Path("fault.json").read_text())
    if (fault["rank"], fault["call"]) != (rank, calls):
        return
    if fault["what"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault["what"] == "kill caller":
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(60)
    if fault["what"] == "memory":
        Path("fault.json").unlink()
        raise torch.OutOfMemoryError("CUDA out of memory, or so")
    if fault["what"] == "sleep":
        time.sleep(600)
    raise ValueError("a mistake in here")
'''


@pytest.fixture(scope="module")
def plan(tiny_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """One with a weak rung and a strong one that needs two GPUs, or says so."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "misbehaving.py").write_text(MISBEHAVING)
    ladder = []
    for number, name in enumerate(("gpt2", "llama"), start=1):
        place = save(folder / name, name)
        rung = {"name": name, "source": str(place), "parameters": describe(place, name)["parameters"]}
        ladder.append({**rung, "tokens": 10**6 * number, "learning_rate": 1e-2, "gpus": number})
    methods = {"naive": {"objective": "naive"}, "mine": {"objective": "misbehaving:loss"}}
    nlp = {"ladder": ladder, "tasks": ["sciq"], "training": {"batch": 8, "max_length": 48}}
    changes = {"nlp": {**nlp, "methods": list(methods)}, "methods": methods, "reward": {"ladder": ladder}}
    return plan_of(deep_merge(tiny_config, changes), "x", folder)


def the_run(plan: Plan) -> Run:
    return plan.nlp.student("sciq", "gpt2", "llama", "mine", 0)


def in_one_process(artifact: Artifact) -> list[str]:
    """The same artifact, key and all, by a machine whose one GPU holds it."""
    return [one.replace('"gpus":2', '"gpus":1') for one in arguments(artifact)]


@pytest.fixture(scope="module")
def made(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the run was made by two processes without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "misbehaving.py").write_text(MISBEHAVING)
    artifact = the_run(plan)
    weak = plan.nlp.truth("sciq", "gpt2", 0)
    for one in (plan.nlp.data("sciq", 0), plan.nlp.model("gpt2"), plan.nlp.model("llama"), weak, artifact):
        assert run(arguments(one), folder, environment=TWO) == 0, (folder / "log").read_text()
    return folder


@pytest.fixture
def folder(made: Path, plan: Plan, tmp_path: Path) -> Path:
    """The same before the run was made."""
    shutil.copytree(made / "results", tmp_path / "results")
    shutil.copy(made / "misbehaving.py", tmp_path)
    shutil.rmtree(tmp_path / the_run(plan).path)
    return tmp_path


def fault(folder: Path, what: str, rank: int, call: int) -> None:
    (folder / "fault.json").write_text(json.dumps({"what": what, "rank": rank, "call": call}))


def files(folder: Path, artifact: Artifact) -> dict[str, bytes]:
    return {name: (folder / artifact.path / name).read_bytes() for name in ("predictions.parquet", "history.csv")}


def near(folder: Path, other: Path, artifact: Artifact) -> bool:
    """Whether two folders have the same predictions, to rounding."""
    one, two = (pq.read_table(place / artifact.path / "predictions.parquet").to_pydict() for place in (folder, other))
    assert [one[name] for name in ("id", "part", "truth", "label")] == [
        two[name] for name in ("id", "part", "truth", "label")
    ]
    return bool(one["probability"] == pytest.approx(two["probability"], abs=1e-5))


def said(folder: Path) -> list[str]:
    return (folder / "log").read_text().splitlines()


def ends_well(folder: Path, made: Path, artifact: Artifact) -> None:
    (folder / "fault.json").unlink(missing_ok=True)
    assert run(arguments(artifact), folder, environment=TWO) == 0, (folder / "log").read_text()
    assert any(line.startswith("resuming at step") for line in said(folder))
    assert files(folder, artifact) == files(made, artifact)
    assert leftovers(folder) == []


def gone(folder: Path, seconds: float = 30) -> bool:
    """Whether no process of the run is left, or will be in a moment."""
    deadline = time.monotonic() + seconds
    numbers = [int(path.read_text()) for path in folder.glob("pid-*")]
    assert len(numbers) == 2
    while any(warm.alive(number) for number in numbers):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_two_processes_make_what_one_makes(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    record = artifacts.read(made / artifact.path, expect=artifact.key)
    assert record["measured"]["processes"] == 2
    assert record["made_with"]["peak_memory_mib"] > 2 * 150  # of both: each has torch
    assert sorted(record["files"]) == ["history.csv", "predictions.parquet"]
    assert leftovers(made) == []
    assert run(in_one_process(artifact), folder) == 0, (folder / "log").read_text()
    assert "processes" not in artifacts.read(folder / artifact.path)["measured"]
    assert near(folder, made, artifact)
    assert files(folder, artifact)["history.csv"].count(b"\n") == files(made, artifact)["history.csv"].count(b"\n")


def test_two_processes_write_one_whole_model(plan: Plan, tmp_path: Path) -> None:
    """Generative finetuning: what comes out is a base model like any other."""
    data, base, written = plan.reward.data("hh", 0), plan.nlp.model("llama"), plan.reward.generative("hh", "llama", 0)
    for artifact in (data, base, written):
        assert run(arguments(artifact), tmp_path, environment=TWO) == 0, (tmp_path / "log").read_text()
    record = artifacts.read(tmp_path / written.path, expect=written.key)
    assert record["measured"]["processes"] == 2
    assert leftovers(tmp_path) == []
    (tmp_path / written.path).rename(tmp_path / "by-two")
    assert run(in_one_process(written), tmp_path) == 0, (tmp_path / "log").read_text()
    one, two, before = (
        load_file(place / "model.safetensors")
        for place in (tmp_path / written.path, tmp_path / "by-two", Path(base.environment["directory"]))
    )
    assert one.keys() == two.keys()
    assert any(not torch.allclose(one[name], before[name], atol=1e-3) for name in one)
    for name, weight in one.items():
        torch.testing.assert_close(two[name], weight, atol=2e-5, rtol=2e-4)
    assert sorted(record["files"]) == sorted(artifacts.read(tmp_path / written.path)["files"])


def test_one_of_them_killed_ends_the_other_and_the_same_command_goes_on(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    fault(folder, "kill", rank=1, call=5)
    assert run(arguments(artifact), folder, environment=TWO) == 1
    assert said(folder)[-1].startswith("w2s: worker 2 of 2 was killed (SIGKILL)")
    assert "Traceback" not in (folder / "log").read_text()
    assert not (folder / artifact.path).exists()
    assert gone(folder, 0)
    ends_well(folder, made, artifact)


def test_all_of_them_killed_by_their_caller_and_the_same_command_goes_on(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    fault(folder, "kill caller", rank=0, call=4)
    assert run(arguments(artifact), folder, environment=TWO) == -signal.SIGKILL
    assert gone(folder)
    assert not (folder / artifact.path).exists()
    ends_well(folder, made, artifact)


def test_memory_that_runs_out_in_one_lets_all_go_on_with_half(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    fault(folder, "memory", rank=1, call=3)
    assert run(arguments(artifact), folder, environment=TWO | {"W2S_TOKENS_AT_ONCE": "400"}) == 0
    assert "out of memory: restarting with micro-batches of 200 tokens, same result" in said(folder)
    assert any(line.startswith("resuming at step 2") for line in said(folder))
    measured = artifacts.read(folder / artifact.path)["measured"]
    assert (measured["out_of_memory_at"], measured["tokens_at_once"]) == ([400], 200)
    assert near(folder, made, artifact)


def test_memory_that_is_too_small_for_one_text_is_one_line(folder: Path, plan: Plan) -> None:
    fault(folder, "memory", rank=0, call=1)
    assert run(arguments(the_run(plan)), folder, environment=TWO | {"W2S_TOKENS_AT_ONCE": "1"}) == 1
    assert said(folder)[-1].startswith("w2s: out of memory even with one text at a time; use a smaller rung")
    assert "Traceback" not in (folder / "log").read_text()


def test_a_process_that_does_not_answer_is_not_waited_for_for_ever(folder: Path, plan: Plan) -> None:
    fault(folder, "sleep", rank=1, call=2)
    assert run(arguments(the_run(plan)), folder, environment=TWO | {"W2S_WAIT_SECONDS": "15"}) == 1
    assert "waited for them longer than 15 s (W2S_WAIT_SECONDS)" in said(folder)[-1]
    assert gone(folder, 0)


def test_a_mistake_in_one_is_told_once(folder: Path, plan: Plan) -> None:
    fault(folder, "raise", rank=1, call=2)
    assert run(arguments(the_run(plan)), folder, environment=TWO) == 1
    assert said(folder)[-1] == "w2s: worker 2 of 2 failed: ValueError: a mistake in here"
    assert sum(line.startswith("Traceback") for line in said(folder)) == 1


def test_gpus_that_are_not_there_are_one_line_and_nothing_is_started(folder: Path, plan: Plan) -> None:
    assert run(arguments(the_run(plan)), folder) == 1
    (line,) = said(folder)
    assert line.startswith("w2s: this rung needs 2 GPUs (gpus in its ladder), but this machine has 0;")
    assert leftovers(folder) == []


def test_a_job_in_several_processes_leaves_warm_ones_alone(plan: Plan) -> None:
    assert warm.several(arguments(the_run(plan)))
    assert not warm.several(in_one_process(the_run(plan)))
    assert not warm.several(arguments(plan.nlp.data("sciq", 0)))
    for odd in (["make", "finetune"], ["make", "finetune", "--environment"], ["make", "data", "--environment", "[1"]):
        assert not warm.several(odd)


def test_several_gpus_are_taken_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "POLL", 0.01)
    names = ["0", "1", "2"]
    assert gpus.take(names, 2, tmp_path) == 0
    assert gpus.take_whole(names, 2, 2, tmp_path) == [1, 2]
    gpus.release()

    def stop(seconds: float) -> None:
        raise InterruptedError

    assert gpus.take(names, 2, tmp_path) == 0
    monkeypatch.setattr(time, "sleep", stop)
    with pytest.raises(InterruptedError):
        gpus.take_whole(names, 3, 2, tmp_path)
    assert [gpus.take(names, 1, tmp_path) for _ in range(2)] == [1, 2]  # nothing of them is held
    gpus.release()


@pytest.mark.parametrize(("variable", "value"), [("W2S_PROCESSES_ON", "gpu"), ("W2S_WAIT_SECONDS", "soon")])
def test_a_wrong_setting_is_one_line(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(UserError, match=f"{variable}='{value}' is not allowed"):
        processes._devices(2) if variable == "W2S_PROCESSES_ON" else rank.wait_seconds()
