"""profiles/slurm on a real Slurm: packs on one GPU each, cancelled and timed-out jobs, jobs that fail."""

from __future__ import annotations

import json
import os
import re
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
from w2s.plan import Plan

pytestmark = [pytest.mark.skipif(bool(slurm.lacking()), reason=slurm.lacking()), pytest.mark.xdist_group("slurm")]

# The test's cluster keeps no accounts, and nobody wants to wait for the first look at a job.
HERE = ("--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2", "--slurm-no-account")
SECONDS = 540  # for a workflow to end


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
    """Two tasks, two rungs, two methods: 12 runs are six packs, of one rung, kind of labels and method each."""
    folder = checkout(tmp_path / "checkout")
    call = Call(cluster, folder, "figures/fig5.pdf")
    assert call.wait() == 0, call.output[-3000:]
    assert (folder / "figures" / "fig5.pdf").is_file()
    assert len(list(folder.glob("results/nlp/*/*/*/*/*/run.json"))) == 12
    mine = [job for job in jobs(cluster) if job["WorkDir"] == str(folder)]
    assert {job["JobState"] for job in mine} == {"COMPLETED"}
    packs = [job for job in mine if rule(job).endswith("_finetune")]
    methods = {"truth": ["naive"], "from-w8": ["naive", "confidence"]}
    assert Counter(map(rule, packs)) == Counter(
        f"runs_{rung}_{labels}_{method}_finetune"
        for rung in ("w8", "w16")
        for labels, several in methods.items()
        for method in several
    )
    on_gpu = [job for job in mine if rule(job) == "pretrain"] + packs
    assert len(on_gpu) == 2 + 6
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


@pytest.mark.parametrize("how", ["cancelled", "out of time"])
def test_a_job_that_slurm_ends_is_tried_again_and_goes_on_from_its_checkpoint(
    how: str, cluster: Cluster, tmp_path: Path, tiny: Plan
) -> None:
    folder = checkout(tmp_path / "checkout")
    edit_config(folder, slow)
    from w2s.workflow import plan_of, read_yaml

    model = plan_of(read_yaml(folder / "config.yaml"), "slow").model("w16")
    call = Call(cluster, folder, model.manifest)
    try:
        job = until(lambda: _running(cluster, folder, "pretrain"), call)
        log = folder / "logs" / "models" / f"w16-{model.key}.log"
        until(lambda: (folder / "work" / model.key / "checkpoint.pt").is_file(), call)
        process = until(lambda: _making(model.key), call)
        assert _variables(process).get("CUDA_VISIBLE_DEVICES") in {"0", "1"}
        os.kill(int(process.name), signal.SIGSTOP)  # it shall not be done before Slurm ends it
        if how == "cancelled":
            cluster.run("scancel", job)
        else:
            cluster.run("scontrol", "update", f"JobId={job}", "TimeLimit=00:00:01")
        again = until(lambda: next(iter(_others(cluster, folder, "pretrain", job)), ""), call)
        assert call.wait() == 0, call.output[-3000:]
    finally:
        call.process.terminate()
    ended = {one["JobId"]: one["JobState"] for one in jobs(cluster)}
    assert ended[job] == ("CANCELLED" if how == "cancelled" else "TIMEOUT")
    assert ended[again] == "COMPLETED"
    assert re.search(r"resuming at step [1-9]", log.read_text())
    assert (folder / model.manifest).is_file()


def test_a_node_that_dies_loses_nothing(cluster: Cluster, tmp_path: Path) -> None:
    """Its jobs go on from their checkpoints when it is back, and end with the bytes of an undisturbed workflow."""
    folder, calm = checkout(tmp_path / "checkout"), checkout(tmp_path / "calm")
    for one in (folder, calm):
        edit_config(one, slow)
    from w2s.workflow import plan_of, read_yaml

    plan = plan_of(read_yaml(folder / "config.yaml"), "slow")
    models = [plan.model("w8"), plan.model("w16")]
    call = Call(cluster, folder, *(model.manifest for model in models))
    try:
        for model in models:
            until(lambda key=model.key: (folder / "work" / key / "checkpoint.pt").is_file(), call)
            os.kill(int(until(lambda key=model.key: _making(key), call).name), signal.SIGSTOP)
        cluster.lose_node()
        assert not any(map(_making, (model.key for model in models)))
        cluster.start_node()
        snakemake(calm, *(model.manifest for model in models))
        assert call.wait() == 0, call.output[-3000:]
    finally:
        call.process.terminate()
    for model in models:
        log = (folder / "logs" / "models" / f"{Path(model.path).name}.log").read_text()
        assert re.search(r"resuming at step [1-9]", log)
        assert content(folder / model.manifest) == content(calm / model.manifest)


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


def _running(cluster: Cluster, folder: Path, name: str) -> str:
    found = [job for job in jobs(cluster) if job["WorkDir"] == str(folder) and rule(job) == name]
    return next((job["JobId"] for job in found if job["JobState"] == "RUNNING"), "")


def _others(cluster: Cluster, folder: Path, name: str, job: str) -> list[str]:
    found = [one for one in jobs(cluster) if one["WorkDir"] == str(folder) and rule(one) == name]
    return [one["JobId"] for one in found if one["JobId"] != job]


def _making(key: str) -> Path | None:
    """The process that makes an artifact, as a folder of /proc."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            said = (place / "cmdline").read_bytes().split(b"\0")
        except OSError:  # it has ended
            continue
        if b"make" in said[:4] and any(one.endswith(key.encode()) for one in said):
            return place
    return None


def _variables(process: Path) -> dict[str, str]:
    return dict(one.partition("=")[::2] for one in (process / "environ").read_text().split("\0"))


def test_a_job_that_fails_names_its_log_and_says_why(cluster: Cluster, tmp_path: Path) -> None:
    def diverging(config: dict[str, Any]) -> None:
        config["nlp"]["ladder"][0]["pretraining_learning_rate"] = 1e30

    folder = checkout(tmp_path / "checkout")
    edit_config(folder, diverging)
    from w2s.workflow import plan_of, read_yaml

    model = plan_of(read_yaml(folder / "config.yaml"), "diverging").model("w8")
    call = Call(cluster, folder, "--retries", "0", model.manifest)
    assert call.wait() == 1
    assert f"logs/models/w8-{model.key}.log" in call.output
    assert "w2s: diverged: pretraining loss" in call.output
