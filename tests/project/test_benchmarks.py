"""Benchmarks compare like with like, and run. How fast anything is, no test says."""

from __future__ import annotations

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
    sys.path.insert(0, str(BENCHMARKS))
    import finetune  # type: ignore[import-not-found]

    return finetune


@pytest.mark.parametrize("objective", ["naive", "confidence"])
def test_the_three_loops_make_the_same_loss_curve(finetune: Any, tmp_path: Path, objective: str) -> None:
    model: Any = new_model(finetune.SHAPE, finetune.VOCABULARY, 0)
    model.save_pretrained(tmp_path)
    ours = finetune.ours(tmp_path, objective, 96)
    assert len(ours) == 3
    for runner in ("padded", "one by one"):
        assert ours == pytest.approx(finetune.plain(tmp_path, objective, runner, 96), abs=finetune.AGREE)


def test_the_benchmark_of_gpus_runs_anywhere_at_a_tiny_shape() -> None:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), "--shapes", "tiny", "--steps", "1", "--repeats", "1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert [line.split("|")[2].strip() for line in done.stdout.splitlines() if "tiny" in line] == ["Trainer", "ours"]


@pytest.mark.skipif("__import__('torch').cuda.is_available()", reason="there is a GPU")
def test_without_a_gpu_the_benchmark_of_gpus_says_so() -> None:
    done = subprocess.run([sys.executable, str(BENCHMARKS / "gpu.py")], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "no GPU here" in done.stderr


def test_the_benchmark_of_puzzles_gives_the_same_answers_both_ways() -> None:
    command = [sys.executable, str(BENCHMARKS / "puzzles.py"), "--repeats", "1", "--puzzles", "40", "--games", "50"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split("|")[1].strip() for line in done.stdout.splitlines() if line.startswith("|")]
    assert {"transformers", "ours", "50", "200"} <= set(rows)


@pytest.mark.workflow
def test_the_benchmark_of_plans_asks_for_everything_and_then_for_figures_alone() -> None:
    command = [sys.executable, str(BENCHMARKS / "plan.py"), "--seeds", "1", "--figures", "table1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    rows = [[cell.strip() for cell in line.split("|")] for line in done.stdout.splitlines() if line.startswith("| 1")]
    assert {row[2] for row in rows} == {"22"}
    assert [(row[3], row[4]) for row in rows] == [
        ("w2s cost, nothing is there", ""),
        ("snakemake -n, nothing is there", "25"),
        ("w2s cost, all is there but the figures", ""),
        ("w2s cost, again", ""),
        ("snakemake -n, all is there but the figures", "3"),
    ]
