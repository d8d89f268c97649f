"""A workflow's jobs as Kubernetes jobs, by ``kubectl``: what Snakemake's cluster-generic plugin calls.

``submit SCRIPT`` prints the job's name, ``status NAME`` running, success or failed, ``cancel NAME...`` ends jobs. Every
pod mounts the volume that the project's folder lies on at the same place: ``results/`` and ``work/`` are shared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SETTINGS = {
    "W2S_KUBERNETES_IMAGE": "the image of Dockerfile",
    "W2S_KUBERNETES_CLAIM": "the persistent volume claim that holds the project's folder",
    "W2S_KUBERNETES_MOUNT": "where pods, this one too, mount it",
}


def main(arguments: Sequence[str]) -> int:
    """Do what the plugin asks."""
    what, *names = arguments
    if what == "submit":
        missing = [f"{name} ({meaning})" for name, meaning in SETTINGS.items() if not os.environ.get(name)]
        if missing:
            print(f"not set: {', '.join(missing)}", file=sys.stderr)
            return 1
        manifest = job(Path(names[-1]).resolve())
        return kubectl("create", "-f", "-", said=json.dumps(manifest)).returncode or print_name(manifest)
    if what == "status":
        print(status(names[0]))
        return 0
    return kubectl("delete", "job", "--ignore-not-found", "--wait=false", *names).returncode


def print_name(manifest: dict[str, Any]) -> int:
    """The name of a job, which the plugin asks about from now on."""
    print(manifest["metadata"]["name"])
    return 0


def job(script: Path) -> dict[str, Any]:
    """The manifest of a job that runs Snakemake's script for it, with the resources that its rule asks for."""
    asked = properties(script).get("resources", {})
    limits = {"memory": f"{int(asked.get('mem_mb', 8000))}M"}
    if asked.get("gpu"):
        limits["nvidia.com/gpu"] = str(asked["gpu"])
    mounts = {"project": os.environ["W2S_KUBERNETES_MOUNT"], "shared-memory": "/dev/shm"}  # processes of one job talk
    volumes: dict[str, dict[str, Any]] = {
        "project": {"persistentVolumeClaim": {"claimName": os.environ["W2S_KUBERNETES_CLAIM"]}},
        "shared-memory": {"emptyDir": {"medium": "Memory"}},
    }
    container = {
        "name": "job",
        "image": os.environ["W2S_KUBERNETES_IMAGE"],
        "command": ["bash", str(script)],
        "workingDir": os.getcwd(),
        "resources": {"requests": {"cpu": str(asked.get("_cores", 1)), "memory": limits["memory"]}, "limits": limits},
        "volumeMounts": [{"name": name, "mountPath": path} for name, path in mounts.items()],
    }
    pod = {
        "restartPolicy": "Never",
        "containers": [container],
        "volumes": [{"name": name, **kind} for name, kind in volumes.items()],
    }
    spec = {
        "backoffLimit": 0,
        "activeDeadlineSeconds": 60 * int(asked.get("runtime", 60)),
        "ttlSecondsAfterFinished": 3600,
        "template": {"spec": pod},
    }
    name = f"w2s-{uuid.uuid4().hex[:12]}"
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name, "labels": {"app": "w2s"}}, "spec": spec}


def properties(script: Path) -> dict[str, Any]:
    """What Snakemake says of a job in its script."""
    for line in script.read_text(encoding="utf-8").splitlines():
        if line.startswith("# properties = "):
            return dict(json.loads(line.partition("=")[2]))
    return {}


def status(name: str) -> str:
    """As the plugin has it; a job that is gone has failed, a cluster that does not answer says nothing yet."""
    found = kubectl("get", "job", name, "--ignore-not-found", "-o", "json")
    if found.returncode:
        return "running"
    if not found.stdout.strip():
        return "failed"
    counts = json.loads(found.stdout).get("status", {})
    return "success" if counts.get("succeeded") else "failed" if counts.get("failed") else "running"


def kubectl(*arguments: str, said: str = "") -> subprocess.CompletedProcess[str]:
    """Call it; what it complains of is shown, nothing else."""
    done = subprocess.run(["kubectl", *arguments], input=said, capture_output=True, text=True, check=False)
    print(done.stderr, end="", file=sys.stderr)
    return done


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
