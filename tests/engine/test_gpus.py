"""Jobs of one machine spread over its GPUs, and none keeps a place that it no longer needs."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from w2s import cli
from w2s.engine import devices as device
from w2s.engine import gpus


@pytest.fixture(autouse=True)
def nothing_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(gpus, "folder", lambda: tmp_path)
    monkeypatch.setattr(gpus, "POLL", 0.05)
    gpus.release()
    yield
    gpus.release()


def job(folder: Path, names: str, places: int) -> subprocess.Popen[str]:
    """Another process that takes a place, says which, and keeps it until its input ends."""
    code = (
        "import sys; from pathlib import Path; from w2s.engine import gpus\n"
        f"print(gpus.take({names.split(',')!r}, {places}, Path({str(folder)!r})), flush=True)\n"
        "sys.stdin.read()"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_jobs_take_distinct_gpus_first_and_share_them_then(tmp_path: Path) -> None:
    jobs = []
    for expected in ("0", "1", "2", "0", "1", "2"):
        jobs.append(job(tmp_path, "a,b,c", 2))
        assert said(jobs[-1]) == expected
    late = job(tmp_path, "a,b,c", 2)
    assert said(late) == "waiting for one of 3 GPUs: 2 jobs have each (W2S_JOBS_PER_GPU)"
    jobs[4].kill()  # however a job ends
    assert said(late) == "1"
    for one in [*jobs, late]:
        one.kill()
        one.wait()


def test_what_a_scheduler_made_visible_is_what_is_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two jobs that a scheduler gave a GPU each do not wait for one another, though both call theirs 0."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert gpus.visible(2) == ["0", "1"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-3f,GPU-7c")
    assert gpus.visible(2) == ["GPU-3f", "GPU-7c"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5")
    assert gpus.visible(1) == ["5"]


def test_a_job_computes_on_the_gpu_that_it_took_and_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen: list[int] = []
    monkeypatch.delenv("W2S_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    other = job(tmp_path, "0,1", 1)
    assert said(other) == "0"
    assert device.device() == torch.device("cuda")
    assert device.device() == torch.device("cuda")  # asked again, it keeps what it has
    assert chosen == [1]
    cli.main(["explain", "nothing"])  # a job ends, whatever became of it
    assert not gpus.held()
    other.kill()
    other.wait()


def test_on_the_cpu_nothing_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("W2S_DEVICE", "cpu")
    device.device()
    assert not gpus.held()
