"""Jobs of one machine spread over its GPUs, and none keeps a place that it no longer needs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from w2s import cli
from w2s.engine import devices as device
from w2s.engine import gpus, private


@pytest.fixture(autouse=True)
def nothing_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(private.RUNTIME, str(tmp_path))
    monkeypatch.setattr(gpus, "POLL", 0.05)
    gpus.release()
    yield
    gpus.release()


def job(names: str, places: int) -> subprocess.Popen[str]:
    """Another process that takes a place, says which, and keeps it until its input ends."""
    code = (
        "import sys; from w2s.engine import gpus\n"
        f"print(gpus.take({names.split(',')!r}, {places}), flush=True)\n"
        "sys.stdin.read()"
    )
    return subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_jobs_take_distinct_gpus_first_and_share_them_then() -> None:
    jobs = []
    for expected in ("0", "1", "2", "0", "1", "2"):
        jobs.append(job("a,b,c", 2))
        assert said(jobs[-1]) == expected
    late = job("a,b,c", 2)
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
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen: list[int] = []
    monkeypatch.delenv("W2S_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch, "empty", lambda *_, **__: None)
    other = job("0,1", 1)
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


def test_a_planted_lock_is_neither_followed_nor_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The job goes on, without regard to others."""
    thesis = tmp_path / "thesis"
    thesis.write_text("years of work")
    (tmp_path / "w2s").mkdir(mode=0o700)
    (tmp_path / "w2s" / f"gpu-{os.uname().nodename}-0.0").symlink_to(thesis)
    assert gpus.take(["0"], 1) == 0
    assert gpus.held()
    gpus.release()
    assert gpus.take_whole(["0"], 1, 1) == [0]
    assert thesis.read_text() == "years of work"
    said = capsys.readouterr().out.splitlines()
    assert len(said) == 2
    assert said[0].startswith("GPUs are taken without regard to other jobs (")


def test_without_a_directory_of_its_own_a_job_still_gets_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(private.RUNTIME)
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / f".w2s-{os.geteuid()}").touch()
    assert gpus.take(["0", "1"], 1) in (0, 1)
    assert "a file, not a directory; remove it" in capsys.readouterr().out
