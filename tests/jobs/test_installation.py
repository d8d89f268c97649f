"""Where the workflow's files are, and what commands need to find the package."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from w2s.graph.lock import PACKAGE
from w2s.jobs import installation


def test_the_package_has_every_file_of_the_workflow() -> None:
    for file in (installation.SNAKEFILE, *installation.FILES.glob("*")):
        assert file.resolve() == ROOT / file.name


def test_a_checkouts_commands_use_its_own_sources_and_an_installed_packages_need_nothing() -> None:
    for conda in (False, True):
        assert installation.library(ROOT, conda=conda) == ROOT / "src"
    assert installation.library(installation.FILES, conda=False) is None


def test_in_a_conda_environment_an_installed_package_is_found_without_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    library = installation.library(installation.FILES, conda=True)
    assert library is not None
    assert installation.library(installation.FILES, conda=True) == library  # a second call finds the link
    assert [path.name for path in library.iterdir()] == [PACKAGE.name]
    code = "import w2s.graph.lock; print(w2s.__file__, w2s.graph.lock.PACKAGE, sep='\\n')"
    bare = [sys.executable, "-S", "-c", code]  # without site-packages
    done = subprocess.run(bare, env={"PYTHONPATH": str(library)}, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(library / "w2s" / "__init__.py"), str(PACKAGE)]
