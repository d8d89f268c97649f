"""A dead workflow's lock is dropped, a living one's is left alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CLAIM = "from w2s import unlock; unlock.claim(); print('claimed', flush=True); "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".snakemake/locks").mkdir(parents=True)
    return tmp_path


def locks(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / ".snakemake/locks").iterdir())


def claim(folder: Path, then: str = "") -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", CLAIM + then], cwd=folder, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while process.stdout.readline() != "claimed\n":
        assert process.poll() is None
    return process


def test_the_lock_of_a_killed_workflow_is_dropped(folder: Path) -> None:
    first = claim(folder, "import time; time.sleep(60)")
    (folder / ".snakemake/locks/0.input.lock").touch()
    first.kill()
    first.wait()
    claim(folder).wait()
    assert locks(folder) == []


def test_the_lock_of_a_living_workflow_stays_whoever_looks(folder: Path) -> None:
    first = claim(folder, "import time; time.sleep(60)")
    (folder / ".snakemake/locks/0.input.lock").touch()
    for _ in range(2):
        claim(folder).wait()
    assert locks(folder) == ["0.input.lock"]
    first.kill()
    first.wait()


def test_a_lock_from_another_machine_stays(folder: Path) -> None:
    (folder / ".snakemake/locks/0.input.lock").touch()
    (folder / ".snakemake/w2s-owner").write_text("another-machine")
    claim(folder).wait()
    assert locks(folder) == ["0.input.lock"]


def test_a_lock_that_nobody_noted_stays(folder: Path) -> None:
    (folder / ".snakemake/locks/0.input.lock").touch()
    claim(folder).wait()
    assert locks(folder) == ["0.input.lock"]
