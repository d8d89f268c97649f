"""A disk that is soon full: a command sees one in place of a folder. Only root can mount it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

MOUNT = 'mount -t tmpfs -o size="$1" none "$0" && shift && exec "$@"'


def _can_mount() -> bool:
    if os.geteuid() or shutil.which("unshare") is None:
        return False
    tried = ["unshare", "--mount", "sh", "-c", MOUNT, "/tmp", "64k", "true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0


needs_small_disk = pytest.mark.skipif(not _can_mount(), reason="needs root: mounts a small disk")


def run_with(
    folder: Path, size: str, command: Sequence[str], cwd: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """A command for which an empty disk of this size is where the folder is."""
    folder.mkdir(parents=True, exist_ok=True)
    mounted = ["unshare", "--mount", "sh", "-c", MOUNT, str(folder), size, *command]
    return subprocess.run(
        mounted, cwd=cwd, env=dict(environment), capture_output=True, text=True, timeout=300, check=False
    )
