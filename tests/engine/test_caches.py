"""Where the home cannot hold libraries' caches, the project does, and one line says so."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workflow.test_dag import checkout
from w2s.engine import caches

VARIABLES = (caches.HOME, *caches.OF_LIBRARIES, "MPLCONFIGDIR", caches.COMPILED)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project as the current folder, a home beside it, and an environment whose changes are undone."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "to be undone")
        monkeypatch.delenv(name)
    for name in ("project", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "project"


def instead(project: Path) -> Path:
    return project / "work" / f".w2s-{os.geteuid()}" / "cache"


def test_a_home_that_can_be_written_is_left_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    caches.settle()
    assert capsys.readouterr() == ("", "")
    assert not list(project.iterdir())
    assert not set(VARIABLES) & set(os.environ)


@pytest.mark.parametrize("home", ["/dev/null/nobody", "/proc/nobody", "~"])
def test_a_home_that_cannot_be_is_replaced_and_one_line_says_what_to_set(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], home: str
) -> None:
    monkeypatch.setenv("HOME", home)  # "~": what expanding it gives where a user has none
    monkeypatch.setattr(os.path, "expanduser", lambda path: path.replace("~", home))
    caches.settle()
    assert os.environ[caches.HOME] == str(instead(project))
    where = f"caches are in {instead(project)}. Set XDG_CACHE_HOME for another folder"
    assert capsys.readouterr().err == f"w2s: {home}/.cache cannot be written; {where}\n"
    caches.settle()  # a job of the workflow
    assert capsys.readouterr().err == ""


def test_a_read_only_home_keeps_the_models_that_it_has(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home/.cache/huggingface").mkdir(parents=True)
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode == os.R_OK and allowed(path, mode))  # as root, too
    caches.settle()
    assert os.environ["HF_HOME"] == str(tmp_path / "home/.cache/huggingface")
    assert "TORCH_HOME" not in os.environ  # it has none of these: they follow XDG_CACHE_HOME
    assert os.environ[caches.HOME] == str(instead(project))


def test_where_nothing_can_be_written_one_line_says_what_to_set(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", "/dev/null/nobody")
    (project / "work").touch()
    caches.settle()
    said = capsys.readouterr().err
    assert said.startswith("w2s: no caches in /dev/null/nobody/.cache nor in the project (work: ")
    assert said.endswith("set XDG_CACHE_HOME\n")
    assert said.count("\n") == 1


def test_what_torch_compiles_is_not_kept_where_others_can_plant_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caches.settle_compiled()
    folder = Path(os.environ[caches.COMPILED])
    assert folder == project / "work" / f".w2s-{os.geteuid()}" / "compiled"
    monkeypatch.delenv(caches.COMPILED)
    folder.chmod(0o777)
    caches.settle_compiled()
    other = Path(os.environ[caches.COMPILED])
    assert other != folder
    assert stat.S_IMODE(other.stat().st_mode) == 0o700
    other.rmdir()
    monkeypatch.setenv(caches.COMPILED, "mine")
    caches.settle_compiled()
    assert os.environ[caches.COMPILED] == "mine"


@pytest.mark.workflow
def test_a_workflow_without_a_home_is_planned(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "checkout")
    environment = os.environ | {"PYTHONPATH": str(folder / "src"), "HOME": "/dev/null/nobody"}
    command = [sys.executable, "-m", "snakemake", "-n", "figures/table1.pdf"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (done.stdout + done.stderr).count("w2s: /dev/null/nobody/.cache cannot be written") == 1
    assert (folder / "work" / f".w2s-{os.geteuid()}" / "cache").is_dir()
