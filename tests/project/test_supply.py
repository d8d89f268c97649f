"""What runs on other people's machines: actions by commit, tokens that only read, a container without root."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.conftest import ROOT
from w2s.config.files import deep_merge, read_yaml
from w2s.experiments.loading import plan_of

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned_by_commit_and_name_their_version(path: Path) -> None:
    used = re.findall(r"uses: *(.*)", path.read_text(encoding="utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_may_only_read(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    assert not [name for name, job in workflow["jobs"].items() if "permissions" in job]


def test_every_target_of_the_container_ends_as_an_ordinary_user() -> None:
    _, base, *targets = re.split(r"^FROM .*$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert "useradd" in base
    assert len(targets) == 2
    assert {target.strip().splitlines()[-1] for target in targets} == {"USER w2s"}


def test_the_weekly_experiments_are_those_with_real_models_from_the_hub(tmp_path: Path) -> None:
    """Its ``sed`` still fits the configs that it edits."""
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8"))
    (edit,) = (step["run"] for step in workflow["jobs"]["real-cpu"]["steps"] if "sed " in step.get("run", ""))
    shutil.copytree(ROOT / "config", tmp_path / "config")
    subprocess.run(["bash", "-ec", edit], cwd=tmp_path, check=True)
    for name in ("real-cpu", "real-probes"):
        overlay = read_yaml(tmp_path / "config" / f"{name}.yaml")
        assert (overlay["data"]["source"], overlay["data"]["directory"]) == ("hub", None)
        plan_of(deep_merge(read_yaml(ROOT / "config.yaml"), overlay), name, ROOT)
