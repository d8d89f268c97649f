"""Benchmarks compare like with like, and run. How fast anything is, no test says."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from w2s.models.pretraining import new_model

BENCHMARKS = ROOT / "benchmarks"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finetune() -> Any:
    return module("finetune")


def module(name: str) -> Any:
    """A benchmark, imported."""
    sys.path.insert(0, str(BENCHMARKS))
    return importlib.import_module(name)


def printed(name: str, *arguments: str) -> str:
    """What a benchmark prints."""
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout


@pytest.mark.parametrize("objective", ["naive", "confidence"])
def test_the_three_loops_make_the_same_loss_curve(finetune: Any, tmp_path: Path, objective: str) -> None:
    model: Any = new_model(finetune.SHAPE, finetune.VOCABULARY, 0)
    model.save_pretrained(tmp_path)
    ours = finetune.ours(tmp_path, objective, 96)
    assert len(ours) == 3
    for runner in ("padded", "one by one"):
        assert ours == pytest.approx(finetune.plain(tmp_path, objective, runner, 96), abs=finetune.AGREE)


def gpu(folder: Path, *arguments: str) -> tuple[str, dict[str, Any]]:
    """What the benchmark of GPUs prints on the CPU, and its file."""
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), *arguments, "--json", str(folder / "gpu.json")]
    environment = {**os.environ, "W2S_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "gpu.json").read_text())


def test_the_benchmark_of_gpus_runs_anywhere_at_a_tiny_shape(tmp_path: Path) -> None:
    printed, found = gpu(tmp_path, "--shapes", "tiny", "--seconds", "0.01")
    loops = [row["loop"] for row in found["rows"]]
    assert found["failed"] == []
    assert loops[:2] == ["Trainer", "Trainer"]
    assert {"ours", "ours, packed", "ours, a wait for every loss", "ours, 2 runs side by side"} <= set(loops)
    assert all(row["tokens_per_second"] > 0 for row in found["rows"])
    assert printed.count("| tiny") == len(loops)


def test_the_benchmark_of_gpus_finetunes_a_model_in_one_process_and_in_two(tmp_path: Path) -> None:
    model: Any = new_model({"width": 32, "intermediate": 80, "layers": 2, "heads": 2}, 200, 0)
    model.save_pretrained(tmp_path / "model")
    printed, found = gpu(tmp_path, "--models", str(tmp_path / "model"), "--seconds", "0.01", "--ranks", "2")
    assert found["failed"] == []
    assert [row["loop"] for row in found["rows"]] == ["ours", "ours, 2 processes"]
    assert "2 processes" in printed


def test_the_benchmark_of_gpus_says_what_it_had_no_time_for(tmp_path: Path) -> None:
    model: Any = new_model({"width": 32, "intermediate": 80, "layers": 2, "heads": 2}, 200, 0)
    model.save_pretrained(tmp_path / "model")
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--models", str(tmp_path / "model"), "--minutes", "0.05"]
    environment = {**os.environ, "W2S_DEVICE": "cpu", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert "not measured: " in done.stdout


@pytest.mark.skipif("__import__('torch').cuda.is_available()", reason="there is a GPU")
def test_without_a_gpu_the_benchmark_of_gpus_says_so() -> None:
    done = subprocess.run([sys.executable, str(BENCHMARKS / "gpu.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no GPU here" in done.stderr


@pytest.mark.parametrize("runner", ["unpacked", "ours"])
def test_the_benchmark_of_pretraining_measures_both_loops(monkeypatch: pytest.MonkeyPatch, runner: str) -> None:
    pretraining = module("pretraining")
    monkeypatch.setattr(pretraining, "STEPS", 4)
    monkeypatch.setattr(pretraining, "DOCUMENTS", 2_000)
    assert pretraining.worker(runner, "w32")["tokens_per_second"] > 0


def test_the_benchmark_of_puzzles_gives_the_same_answers_both_ways() -> None:
    said = printed("puzzles.py", "--repeats", "1", "--puzzles", "40", "--games", "50")
    rows = [line.split("|")[1].strip() for line in said.splitlines() if line.startswith("|")]
    assert {"transformers", "ours", "50", "200"} <= set(rows)


@pytest.mark.workflow
def test_the_benchmark_of_plans_asks_for_everything_and_then_for_figures_alone() -> None:
    said = printed("plan.py", "--seeds", "1", "--figures", "table1")
    rows = [[cell.strip() for cell in line.split("|")] for line in said.splitlines() if line.startswith("| 1")]
    assert {row[2] for row in rows} == {"22"}
    assert [(row[3], row[4]) for row in rows] == [
        ("w2s cost, nothing is there", ""),
        ("snakemake -n, nothing is there", "25"),
        ("w2s cost, all is there but the figures", ""),
        ("w2s cost, again", ""),
        ("snakemake -n, all is there but the figures", "3"),
    ]
