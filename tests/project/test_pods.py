"""profiles/kubernetes: a job's script becomes a Kubernetes job that sees the project's folder. kubectl: a stand-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.profiles import ProfileConfigFileParser

from tests.conftest import ROOT

# Keeps what it was told; says of jobs what lies in "state".
KUBECTL = f"""#!{sys.executable}
import sys
from pathlib import Path
place = Path(__file__).parent
(place / "asked").write_text(" ".join(sys.argv[1:]))
if sys.argv[1] == "create":
    (place / "manifest").write_text(sys.stdin.read())
if not (place / "state").exists():
    sys.exit("the cluster does not answer")
print((place / "state").read_text())
"""
PROPERTIES = {"rule": "finetune", "resources": {"_cores": 2, "mem_mb": 64000, "runtime": 90, "gpu": 4}}
SETTINGS = {"W2S_KUBERNETES_IMAGE": "w2s:gpu", "W2S_KUBERNETES_CLAIM": "project", "W2S_KUBERNETES_MOUNT": "/w2s"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "kubectl").write_text(KUBECTL)
    (tmp_path / "kubectl").chmod(0o755)
    (tmp_path / "state").write_text("{}")
    (tmp_path / "job.sh").write_text(f"#!/bin/sh\n# properties = {json.dumps(PROPERTIES)}\ntrue\n")
    return tmp_path


def pods(folder: Path, *arguments: str, settings: Any = SETTINGS) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", **settings}
    command = [sys.executable, str(ROOT / "profiles/kubernetes/pods.py"), *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_job_asks_for_what_its_rule_asks_for_and_sees_the_project(folder: Path) -> None:
    done = pods(folder, "submit", "job.sh")
    manifest = json.loads((folder / "manifest").read_text())
    assert (done.returncode, done.stdout.strip()) == (0, manifest["metadata"]["name"])
    assert manifest["spec"]["activeDeadlineSeconds"] == 90 * 60
    assert manifest["spec"]["backoffLimit"] == 0  # Snakemake tries again, nobody else
    pod = manifest["spec"]["template"]["spec"]
    (box,) = pod["containers"]
    assert (box["image"], box["command"]) == ("w2s:gpu", ["bash", str(folder / "job.sh")])
    assert box["workingDir"] == str(folder)
    assert box["resources"]["limits"] == {"memory": "64000M", "nvidia.com/gpu": "4"}
    assert box["resources"]["requests"]["cpu"] == "2"
    claims = {one["name"]: one.get("persistentVolumeClaim") for one in pod["volumes"]}
    assert claims["project"] == {"claimName": "project"}
    assert {"name": "project", "mountPath": "/w2s"} in box["volumeMounts"]


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"status": {}}, "running"),
        ({"status": {"active": 1}}, "running"),
        ({"status": {"succeeded": 1}}, "success"),
        ({"status": {"failed": 1}}, "failed"),
        (None, "failed"),
        ("silent", "running"),
    ],
)
def test_the_state_of_a_job(folder: Path, state: Any, said: str) -> None:
    (folder / "state").write_text(json.dumps(state) if state else "")
    if state == "silent":
        (folder / "state").unlink()
    assert pods(folder, "status", "w2s-0").stdout.strip() == said


def test_what_is_not_set_is_one_line_and_nothing_is_submitted(folder: Path) -> None:
    done = pods(folder, "submit", "job.sh", settings={"W2S_KUBERNETES_CLAIM": ""})
    assert done.returncode == 1
    assert "W2S_KUBERNETES_CLAIM (the persistent volume claim" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (folder / "asked").exists()


def test_cancelled_jobs_are_deleted(folder: Path) -> None:
    assert pods(folder, "cancel", "w2s-1", "w2s-2").returncode == 0
    assert (folder / "asked").read_text().endswith("w2s-1 w2s-2")


@pytest.mark.parametrize("name", ["default", "ci", "slurm", "kubernetes"])
def test_every_profile_has_what_all_share(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As Snakemake reads it, from any folder. Only the CI profile differs: it stops at the first failure."""
    monkeypatch.chdir(tmp_path)
    with open(ROOT / f"profiles/{name}/profile.yaml", encoding="utf-8") as file:
        settings = ProfileConfigFileParser().parse(file)
    shared = yaml.safe_load((ROOT / "profiles/shared.yaml").read_text(encoding="utf-8"))
    assert {"nolock", "ignore-incomplete", "keep-incomplete", "rerun-triggers"} <= set(shared)
    if name == "ci":
        shared["keep-going"] = False
    assert {key: settings[key] for key in shared} == {
        key: value if isinstance(value, list) else str(value) for key, value in shared.items()
    }
