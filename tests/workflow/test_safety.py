"""Whatever interrupts a job, nothing is lost and nothing half-written is taken for a result."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.crash import Point, run, start
from w2s.config.files import deep_merge
from w2s.engine import artifacts
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, Run, canonical

pytestmark = pytest.mark.xdist_group("crash")  # the process that is forked, and what is made, are made once
TASK, RUNG = "sciq", "w8"
MANY = {"W2S_CHECKPOINT_SECONDS": "0"}  # a checkpoint after every step


@pytest.fixture(scope="module")
def plan(tiny_config: dict[str, Any]) -> Plan:
    """One whose runs take some 30 steps."""
    return plan_of(deep_merge(tiny_config, {"nlp": {"training": {"batch": 2}}}), "tiny")


def arguments(artifact: Artifact) -> list[str]:
    parents = [f"{role}={parent.path}" for role, parent in artifact.parents.items()]
    spec = ["--spec", canonical(artifact.spec), "--environment", canonical(artifact.environment)]
    return ["make", artifact.stage.name, *spec, "--out", artifact.path, "--parents", *parents]


def the_run(plan: Plan) -> Run:
    return plan.nlp.truth(TASK, RUNG, 0)


@pytest.fixture(scope="module")
def made(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one run was made without interruption."""
    folder = tmp_path_factory.mktemp("whole")
    for artifact in (plan.nlp.corpus(), plan.nlp.model(RUNG), plan.nlp.data(TASK, 0), the_run(plan)):
        assert run(arguments(artifact), folder) == 0, (folder / "log").read_text()
    return folder


@pytest.fixture
def folder(made: Path, plan: Plan, tmp_path: Path) -> Path:
    """The same before the run was made."""
    shutil.copytree(made / "results", tmp_path / "results")
    shutil.rmtree(tmp_path / the_run(plan).path)
    return tmp_path


def results(folder: Path, artifact: Artifact) -> dict[str, bytes]:
    """What must come out the same, whatever happened on the way."""
    names = {"finetune": ("predictions.parquet", "history.csv"), "pretrain": ("model.safetensors",)}
    return {name: (folder / artifact.path / name).read_bytes() for name in names[artifact.stage.name]}


def leftovers(folder: Path) -> list[str]:
    """What a finished job must not leave: parts of artifacts, locks, checkpoints."""
    hidden = [str(path) for path in (folder / "results").rglob(".*")]
    return hidden + [str(path) for path in (folder / "work").rglob("*")]


def ends_well(folder: Path, made: Path, artifact: Artifact) -> None:
    assert run(arguments(artifact), folder, environment=MANY) == 0, (folder / "log").read_text()
    assert results(folder, artifact) == results(made, artifact)
    artifacts.read(folder / artifact.path, expect=artifact.key)
    assert leftovers(folder) == []


LOOP, CHECKPOINTS, ARTIFACTS = "w2s.training.loop", "w2s.engine.checkpoints", "w2s.engine.artifacts"
POINTS = [
    Point(LOOP, "backward", 1),
    Point(LOOP, "backward", 7),
    Point(LOOP, "backward", 16, "behind"),
    Point("torch", "save", 5, "half"),  # a checkpoint half written
    Point(CHECKPOINTS, "Path.replace", 3, "before"),  # written, but not in its place
    Point(CHECKPOINTS, "Path.replace", 3, "behind"),
    Point("pyarrow.parquet", "write_table", 1, "behind"),  # predictions there, nothing else
    Point(ARTIFACTS, "write_json", 1, "before"),  # all but the manifest
    Point(ARTIFACTS, "Path.rename", 1, "before"),  # whole, but not in its place
]


@pytest.mark.parametrize("point", POINTS, ids=str)
def test_killed_at_any_point_and_run_again_gives_the_same_bytes(
    folder: Path, made: Path, plan: Plan, point: Point
) -> None:
    artifact = the_run(plan)
    assert run(arguments(artifact), folder, point=point, environment=MANY) == -signal.SIGKILL
    assert not (folder / artifact.path).exists()
    ends_well(folder, made, artifact)
    resumed = "resuming at step" in (folder / "log").read_text()
    assert resumed == (point not in POINTS[:1])  # before the first step there is nothing to resume from


def test_killed_right_after_publication_it_is_not_made_again(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    point = Point(ARTIFACTS, "Path.rename", 1, "behind")
    assert run(arguments(artifact), folder, point=point, environment=MANY) == -signal.SIGKILL
    assert results(folder, artifact) == results(made, artifact)
    ends_well(folder, made, artifact)
    assert "is already complete" in (folder / "log").read_text()


def test_killed_at_random_moments_until_it_is_done(folder: Path, made: Path, plan: Plan) -> None:
    """By the clock, again and again, each time a little later."""
    artifact, chance, kills = the_run(plan), random.Random(0), 0
    for attempt in range(1, 60):
        process = start(arguments(artifact), folder, environment=MANY)
        process.join(chance.uniform(0, 0.06 * attempt))
        if process.exitcode == 0:
            break
        process.kill()
        process.join()
        kills += process.exitcode == -signal.SIGKILL
    assert kills >= 3
    ends_well(folder, made, artifact)


@pytest.mark.parametrize(
    "point", [Point("w2s.models.pretraining", "loss_of", 6), Point("torch", "save", 4, "half")], ids=str
)
def test_killed_while_pretraining_and_run_again_gives_the_same_bytes(
    folder: Path, made: Path, plan: Plan, point: Point
) -> None:
    artifact = plan.nlp.model(RUNG)
    shutil.rmtree(folder / artifact.path)
    assert run(arguments(artifact), folder, point=point, environment=MANY) == -signal.SIGKILL
    assert not (folder / artifact.path).exists()
    ends_well(folder, made, artifact)
    assert "resuming at step" in (folder / "log").read_text()


def test_a_harmed_checkpoint_starts_from_the_beginning(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    assert run(arguments(artifact), folder, point=POINTS[1], environment=MANY) == -signal.SIGKILL
    (checkpoint,) = (folder / "work").glob("*/checkpoint.pt")
    checkpoint.write_bytes(checkpoint.read_bytes()[:-500])
    ends_well(folder, made, artifact)
    assert f"{checkpoint.relative_to(folder)}: damaged" in (folder / "log").read_text()


# -- disks -------------------------------------------------------------------------------------------------


@contextmanager
def mounted(place: Path, kibibytes: int) -> Iterator[None]:
    """A small disk of its own, for the while."""
    place.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_too_full_for_checkpoints_does_not_stop_a_run(folder: Path, made: Path, plan: Plan) -> None:
    with mounted(folder / "work", 20):
        assert run(arguments(the_run(plan)), folder, environment=MANY) == 0
    said = (folder / "log").read_text()
    assert "checkpoint.pt: cannot be saved (" in said
    assert "continuing without" in said
    assert "Traceback" not in said
    assert results(folder, the_run(plan)) == results(made, the_run(plan))


@pytest.mark.parametrize("stage", ["finetune", "pretrain"])
def test_a_full_disk_is_one_line_and_costs_nothing(folder: Path, made: Path, plan: Plan, stage: str) -> None:
    """Where the result does not fit, what was trained stays in work/ and is published when there is room."""
    artifact = the_run(plan) if stage == "finetune" else plan.nlp.model(RUNG)
    shutil.rmtree(folder / artifact.path, ignore_errors=True)
    with mounted((folder / artifact.path).parent, 8):
        for parent in artifact.parents.values():
            if not (folder / parent.path).exists():  # the small disk covers it
                (folder / parent.path).symlink_to(made / parent.path)
        assert run(arguments(artifact), folder, environment=MANY) == 1
        assert not (folder / artifact.path).exists()
    said = (folder / "log").read_text()
    file = f"{Path(artifact.path).parent}/.*"
    line = f"w2s: {file}: no space left on the disk: it needs .* are free; make room and run the same command again"
    assert re.fullmatch(line, said.splitlines()[-1]), said
    assert "Traceback" not in said
    assert list((folder / "work").glob("*/checkpoint.pt"))
    steps = Point(LOOP, "backward", 1) if stage == "finetune" else Point("w2s.models.pretraining", "loss_of", 1)
    assert run(arguments(artifact), folder, point=steps) == 0, "it was trained again"
    assert results(folder, artifact) == results(made, artifact)
    assert leftovers(folder) == []


def test_a_read_only_results_folder_is_one_line(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    place = (folder / artifact.path).parent
    with mounted(place, 100):
        subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)
        assert run(arguments(artifact), folder, environment=MANY) == 1
    said = (folder / "log").read_text().splitlines()
    assert len(said) == 1
    assert said[0].startswith("w2s: results/")
    assert "Read-only file system" in said[0]
    ends_well(folder, made, artifact)


# -- divergence --------------------------------------------------------------------------------------------


def test_a_run_that_diverges_fails_with_step_and_loss_and_is_no_result(
    folder: Path, plan: Plan, tiny_config: dict[str, Any]
) -> None:
    ladder = [dict(rung, learning_rate=1e30) for rung in tiny_config["nlp"]["ladder"]]
    wild = plan_of(deep_merge(tiny_config, {"nlp": {"training": {"batch": 2}, "ladder": ladder}}), "tiny")
    artifact = the_run(wild)
    assert run(arguments(artifact), folder, environment=MANY) == 1
    last = (folder / "log").read_text().splitlines()[-1]
    assert last.startswith("w2s: diverged: ")
    assert "step" in last
    assert "loss" in last
    assert "Traceback" not in (folder / "log").read_text()
    assert not (folder / artifact.path).exists()
    assert run(arguments(artifact), folder, environment=MANY) == 1  # and its checkpoint does not make it one


# -- two at once -------------------------------------------------------------------------------------------


def wait(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def one_at_work_and_one_waiting(artifact: Artifact, folder: Path, release: Path) -> tuple[Any, Any]:
    """Two jobs that make the same: the first stands still in its seventh step until ``release`` is there."""
    first = start(arguments(artifact), folder, point=POINTS[1], wait_for=release, log="first", environment=MANY)
    wait(lambda: Path(f"{release}.reached").exists())
    second = start(arguments(artifact), folder, log="second", environment=MANY)
    wait(
        lambda: (folder / "second").exists() and "another process is working on this" in (folder / "second").read_text()
    )
    return first, second


def test_a_run_that_goes_on_after_its_workflow_was_killed_is_waited_for(folder: Path, made: Path, plan: Plan) -> None:
    artifact, release = the_run(plan), folder / "release"
    both = one_at_work_and_one_waiting(artifact, folder, release)
    assert not (folder / artifact.path).exists()
    release.touch()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    assert "step" not in (folder / "second").read_text()  # it trained nothing
    assert "is already complete" in (folder / "second").read_text()
    assert results(folder, artifact) == results(made, artifact)
    assert leftovers(folder) == []


def test_whoever_waits_takes_over_when_the_other_is_killed(folder: Path, made: Path, plan: Plan) -> None:
    artifact = the_run(plan)
    first, second = one_at_work_and_one_waiting(artifact, folder, folder / "release")
    os.kill(first.pid, signal.SIGKILL)
    second.join(60)
    assert second.exitcode == 0
    assert "resuming at step" in (folder / "second").read_text()
    assert results(folder, artifact) == results(made, artifact)
