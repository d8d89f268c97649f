"""The conda environments, the constraints and pyproject say the same versions."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from tests.conftest import ROOT

PINS = dict(
    line.split("==")
    for line in (ROOT / "constraints.txt").read_text().splitlines()
    if line and not line.startswith("#")
)
PINNED = {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in PINS.items()}
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def conda(kind: str) -> dict[str, str]:
    """Package -> version of an environment, conda's and pip's."""
    content = yaml.safe_load((ROOT / "envs" / f"{kind}.yaml").read_text())
    found: dict[str, str] = {}
    for entry in content["dependencies"]:
        for one in entry["pip"] if isinstance(entry, dict) else [entry]:
            name, _, version = re.sub(r"\s*#.*", "", one).replace("==", "=").partition("=")
            found[name] = version
    return found


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_a_conda_environment_has_the_constraints_versions(kind: str) -> None:
    for name, version in conda(kind).items():
        if name not in ("python", "pip"):
            assert version == PINNED[{"pytorch-cpu": "torch"}.get(name, name)], name


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_a_conda_environment_has_everything_that_jobs_import(kind: str) -> None:
    needed = {Requirement(line).name for line in PROJECT["dependencies"]} - {"snakemake"}
    assert needed <= {{"pytorch-cpu": "torch"}.get(name, name) for name in conda(kind)}


def test_the_constraints_pin_and_satisfy_every_requirement() -> None:
    extras = [line for lines in PROJECT["optional-dependencies"].values() for line in lines]
    for line in [*PROJECT["dependencies"], *extras]:
        requirement = Requirement(line)
        assert requirement.specifier.contains(PINNED[requirement.name.lower()]), line


def test_what_is_pinned_takes_every_python_that_the_project_takes() -> None:
    """Of what is installed here: a package may ask for a later patch release than the project does."""
    assert PROJECT["requires-python"] == ">=3.11"
    installed = {re.sub(r"[-_.]+", "-", one.name).lower(): one for one in metadata.distributions()}
    asks = {name: installed[name].metadata.get_all("Requires-Python", []) for name in PINNED if name in installed}
    assert {"torch", "snakemake", "pytest"} <= set(asks)
    assert {name: said for name, said in asks.items() if "3.11.0" not in SpecifierSet(",".join(said))} == {}


@pytest.mark.slow
def test_tests_of_a_group_run_in_one_process(tmp_path: Path) -> None:
    """With pytest 9.2 pytest-xdist 3.8 deals them out one by one and says nothing: two clusters, fixtures twice."""
    content = "import pytest\n\npytestmark = pytest.mark.xdist_group({!r})\n"
    content += "\n".join(f"def test_{number}(): pass" for number in range(4))
    for name in ("one", "other"):
        (tmp_path / f"test_{name}.py").write_text(content.format(name))
    (tmp_path / "pytest.ini").touch()
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadgroup", "-v", str(tmp_path)]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=True).stdout
    ran = set(re.findall(r"\[(gw\d)\].* PASSED test_(\w+)\.py", said))
    assert sorted(name for _, name in ran) == ["one", "other"], said


def test_torch_is_pinned_exactly_where_pip_reads_it() -> None:
    assert PINNED["torch"] == "2.13.0"


def test_the_constraints_name_no_place() -> None:
    assert not re.search(r"https?://|file:|/", (ROOT / "constraints.txt").read_text().replace("envs/", ""))


def test_every_rule_names_an_environment_that_exists() -> None:
    for path in (ROOT / "rules").glob("*.smk"):
        text = path.read_text()
        for name in re.findall(r'"\.\./envs/(\w+)\.yaml"', text):
            assert (ROOT / "envs" / f"{name}.yaml").is_file()
        for rule in text.split("\nrule ")[1:]:
            assert "    conda:\n" in rule.split("\nuse rule ")[0], path.name


# -- containers --------------------------------------------------------------------------------------------


def steps(kind: str) -> list[str]:
    """The instructions of a target of the Dockerfile, of what it builds on first, each in one line."""
    text = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text())
    stages: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("FROM "):
            start, _, name = line.removeprefix("FROM ").partition(" AS ")
            stages[name] = [*stages.get(start, [line])]
            current = stages[name]
        elif line and not line.startswith("#"):
            current.append(line)
    return stages[kind]


@pytest.mark.parametrize("kind", ["cpu", "gpu"])
def test_a_container_has_the_environments_python_and_the_constraints_versions(kind: str) -> None:
    first, *others = steps(kind)
    assert re.match(rf"FROM python:{re.escape(conda(kind)['python'])}(-|$)", first)
    installs = [part.strip() for line in others for part in line.split("&&") if "pip install" in part]
    assert installs
    assert all("-c constraints.txt" in one for one in installs)
    assert installs[-1].endswith('-e ".[kubernetes]"')  # the package, and with it all that it depends on
    assert not [one for one in installs if re.search(r"[=<>~]=", one)], "versions stand in constraints.txt"
    assert others.index("COPY --chown=w2s . .") < next(n for n, line in enumerate(others) if "pip install" in line)


def test_a_container_takes_along_what_its_package_needs_and_no_results() -> None:
    left_out = (ROOT / ".dockerignore").read_text().split()
    assert {"results", "work", "figures", "logs", ".venv"} <= set(left_out)
    assert not {"src", "rules", "config", "envs", "profiles", "constraints.txt", "pyproject.toml"} & set(left_out)
