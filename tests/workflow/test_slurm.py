"""profiles/slurm on a real Slurm: packs on one GPU each, cancelled and timed-out jobs, jobs that fail."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.workflow import slurm
from tests.workflow.slurm import Cluster
from tests.workflow.test_dag import checkout, edit_config, snakemake
from w2s.config.files import read_yaml
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact

pytestmark = [pytest.mark.skipif(bool(slurm.lacking()), reason=slurm.lacking()), pytest.mark.xdist_group("slurm")]

# The test's cluster keeps no accounts, and nobody wants to wait for the first look at a job.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2", "--slurm-no-account")
SECONDS = 900  # for a workflow to end


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    found = slurm.start(tmp_path_factory.mktemp("slurm") / "slurm")
    yield found
    found.stop()


class Call:
    """One call of snakemake with the profile, in the background. output: what it has said so far."""

    def __init__(self, cluster: Cluster, folder: Path, *arguments: str) -> None:
        self.log = folder / "snakemake.out"
        python = Path(sys.executable).parent
        environment = dict(cluster.environment) | {"PYTHONPATH": str(folder / "src")}
        environment["PATH"] = f"{cluster.folder}/bin:{python}:{os.environ['PATH']}"
        command = [sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm", *HERE, *arguments]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)

    @property
    def output(self) -> str:
        return self.log.read_text()

    def wait(self) -> int:
        """Its exit status; it is ended if it takes too long."""
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.terminate()
            raise AssertionError(f"no end after {SECONDS} seconds:\n{self.output[-3000:]}") from None


def jobs(cluster: Cluster) -> list[dict[str, str]]:
    """All jobs of the cluster, also those that have ended, as Slurm shows them."""
    lines = cluster.run("scontrol", "-o", "show", "job").splitlines()
    return [dict(part.split("=", 1) for part in line.split() if "=" in part) for line in lines if "=" in line]


def rule(job: dict[str, str]) -> str:
    """The rule, or the rule of a pack, that a job is of."""
    comment = job.get("Comment", "")
    return comment.removeprefix("rule_").split("_wildcards_")[0]


def test_figure_5_goes_through_sbatch_and_short_runs_share_a_gpu(cluster: Cluster, tmp_path: Path) -> None:
    """Two tasks, two rungs: eight runs are four packs, of one rung, kind of labels and method each."""
    folder = checkout(tmp_path / "checkout")
    edit_config(folder, lambda config: config["nlp"].update(methods=["naive"]))
    call = Call(cluster, folder, "figures/fig5.pdf")
    assert call.wait() == 0, call.output[-3000:]
    assert (folder / "figures" / "fig5.pdf").is_file()
    assert len(list(folder.glob("results/nlp/*/*/*/*/*/run.json"))) == 8
    mine = [job for job in jobs(cluster) if job["WorkDir"] == str(folder)]
    assert {job["JobState"] for job in mine} == {"COMPLETED"}
    packs = [job for job in mine if rule(job).startswith("runs_")]
    assert Counter(map(rule, packs)) == Counter(
        f"runs_{rung}_{labels}_naive_finetune" for rung in ("w8", "w16") for labels in ("truth", "from-w8")
    )
    on_gpu = [job for job in mine if rule(job) == "pretrain"] + packs
    assert len(on_gpu) == 2 + 4
    assert {job.get("TresPerJob") for job in on_gpu} == {"gres:gpu:1"}
    assert {job.get("TresPerJob") for job in mine if job not in on_gpu} == {None}
    (alone,) = {job["TimeLimit"] for job in mine if rule(job) == "corpus"}
    assert alone == "00:06:00"  # five minutes, and of what hardly takes one
    assert {job["TimeLimit"] for job in packs} == {"00:12:00"}  # two after each other
    assert {job["MinMemoryNode"] for job in packs} == {"4295M"}  # on one place, one at a time


def test_jobs_that_run_at_once_have_different_gpus(cluster: Cluster) -> None:
    command = ["srun", "--gpus=1", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES; sleep 2"]
    running = [subprocess.Popen(command, env=cluster.environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert {one.communicate(timeout=60)[0].strip() for one in running} == {"0", "1"}


def slow(config: dict[str, Any]) -> None:
    """Pretraining of some 400 steps, with a checkpoint at every one."""
    for rung in config["nlp"]["ladder"]:
        rung["tokens"] = 400_000
    config["execution"]["checkpoint_seconds"] = 0


@pytest.fixture(scope="module")
def plan(tiny_config: dict[str, Any]) -> Plan:
    """Of the slow experiment."""
    config = copy.deepcopy(tiny_config)
    slow(config)
    return plan_of(config, "slow")


@pytest.fixture(scope="module")
def models(plan: Plan) -> list[Artifact]:
    return [plan.nlp.model("w8"), plan.nlp.model("w16")]


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory, models: list[Artifact]) -> Path:
    """A checkout in which nobody disturbed the slow experiment's pretraining, on this machine alone."""
    folder = checkout(tmp_path_factory.mktemp("calm") / "checkout")
    edit_config(folder, slow)
    snakemake(folder, *(model.manifest for model in models))
    return folder


@pytest.fixture
def begun(tmp_path: Path, calm: Path, plan: Plan) -> Path:
    """A checkout of the slow experiment, its corpus made."""
    folder = checkout(tmp_path / "checkout")
    edit_config(folder, slow)
    shutil.copytree(calm / plan.nlp.corpus().path, folder / plan.nlp.corpus().path)
    return folder


def held(call: Call, folder: Path, models: list[Artifact]) -> list[Path]:
    """The processes that train these models, stopped behind a checkpoint: they shall not be done too early."""
    found = []
    for model in models:
        until(lambda key=model.key: (folder / "work" / key / "checkpoint.pt").is_file(), call)
        process = until(lambda key=model.key: _making(key, folder), call)
        os.kill(int(process.name), signal.SIGSTOP)
        found.append(process)
    return found


def resumed(folder: Path, model: Artifact) -> bool:
    log = (folder / "logs" / "models" / f"{Path(model.path).name}.log").read_text()
    return re.search(r"resuming at step [1-9]", log) is not None


def test_jobs_that_slurm_ends_are_tried_again_and_go_on_from_their_checkpoints(
    cluster: Cluster, begun: Path, calm: Path, models: list[Artifact]
) -> None:
    """One is cancelled, the other runs out of time."""
    call = Call(cluster, begun, *(model.manifest for model in models))
    try:
        processes = held(call, begun, models)
        assert {_variables(process).get("CUDA_VISIBLE_DEVICES") for process in processes} == {"0", "1"}
        cancelled, late = (_variables(process)["SLURM_JOB_ID"] for process in processes)
        cluster.run("scancel", cancelled)
        cluster.run("scontrol", "update", f"JobId={late}", "TimeLimit=00:00:01")
        assert call.wait() == 0, call.output[-3000:]
    finally:
        call.process.terminate()
    mine = {job["JobId"]: job for job in jobs(cluster) if job["WorkDir"] == str(begun)}
    assert mine[cancelled]["JobState"] == "CANCELLED"
    assert mine[late]["JobState"] == "TIMEOUT"
    again = [job for name, job in mine.items() if name not in (cancelled, late)]
    assert [job["JobState"] for job in again] == ["COMPLETED"] * 2
    assert {job["TimeLimit"] for job in again} == {"00:11:00"}  # twice as much
    assert {job["MinMemoryNode"] for job in again} == {"8590M"}
    for model in models:
        assert resumed(begun, model)
        assert content(begun / model.manifest) == content(calm / model.manifest)


def test_a_node_that_dies_loses_nothing(cluster: Cluster, begun: Path, calm: Path, models: list[Artifact]) -> None:
    """Its jobs go on from their checkpoints when it is back, and end with the bytes of an undisturbed workflow."""
    call = Call(cluster, begun, *(model.manifest for model in models))
    try:
        held(call, begun, models)
        cluster.lose_node()
        assert not any(_making(model.key, begun) for model in models)
        cluster.start_node()
        for job in until(lambda: _queued_again(cluster, begun, len(models)), call):
            cluster.run("scontrol", "update", f"JobId={job}", "StartTime=now")  # Slurm would wait for two minutes
        assert call.wait() == 0, call.output[-3000:]
    finally:
        call.process.terminate()
    for model in models:
        assert resumed(begun, model)
        assert content(begun / model.manifest) == content(calm / model.manifest)


def _queued_again(cluster: Cluster, folder: Path, count: int) -> list[str]:
    """So many jobs of a checkout that wait to start once more; none as long as there are fewer."""
    mine = [job for job in jobs(cluster) if job["WorkDir"] == str(folder)]
    found = [job["JobId"] for job in mine if job["JobState"] == "PENDING" and job["Restarts"] == "1"]
    return found if len(found) == count else []


def content(manifest: Path) -> Any:
    """The digest of every file of an artifact."""
    return json.loads(manifest.read_text())["files"]


def until(there: Any, call: Call, seconds: float = 240) -> Any:
    """What a question answers as soon as that is something."""
    end = time.monotonic() + seconds
    while not (answer := there()):
        assert time.monotonic() < end, call.output[-3000:]
        assert call.process.poll() is None, call.output[-3000:]
        time.sleep(0.5)
    return answer


def _making(key: str, folder: Path) -> Path | None:
    """The process that makes an artifact of this checkout, as a folder of /proc."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            said, where = (place / "cmdline").read_bytes().split(b"\0"), (place / "cwd").readlink()
        except OSError:  # it has ended
            continue
        if where == folder.resolve() and b"make" in said[:4] and any(one.endswith(key.encode()) for one in said):
            return place
    return None


def _variables(process: Path) -> dict[str, str]:
    return dict(one.partition("=")[::2] for one in (process / "environ").read_text().split("\0"))


def test_a_job_that_fails_names_its_log_and_says_why(cluster: Cluster, begun: Path) -> None:
    edit_config(begun, lambda config: config["nlp"]["ladder"][0].update(pretraining_learning_rate=1e30))
    model = plan_of(read_yaml(begun / "config.yaml"), "diverging").nlp.model("w8")
    call = Call(cluster, begun, "--retries", "0", model.manifest)
    assert call.wait() == 1
    assert f"logs/models/w8-{model.key}.log" in call.output
    assert "w2s: diverged: pretraining loss" in call.output
