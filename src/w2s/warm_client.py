"""A job's side of the warm process (``w2s.warm``): light, since every job of a workflow pays for its imports."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import socket
import sys
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

VARIABLE = "W2S_WARM"
PER_PROCESS = "W2S_RUNS_PER_PROCESS"
OFF = "0"
START_SECONDS = 60.0  # how long a job waits for the server to listen before it works on its own
STARTED = b"+"  # what a job hears once it was taken


def owner() -> int | None:
    """The workflow's process, if this job belongs to one on this machine."""
    host, _, number = os.environ.get(VARIABLE, OFF).rpartition(":")
    if host != socket.gethostname() or not number.isdigit() or "SLURM_JOB_ID" in os.environ:
        return None
    return int(number) if alive(int(number)) else None


def alive(process: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return False
    return state[0] not in "ZX"


def folder_of(owner: int) -> Path:
    """Where the server of this workflow and this Python environment listens; readable by its user alone."""
    environment = f"{zlib.crc32(sys.prefix.encode()):08x}"
    return Path(tempfile.gettempdir()) / f"w2s-{os.getuid()}-{owner}-{environment}"


def delegate(arguments: Sequence[str]) -> int | None:
    """Have the warm process do ``w2s *arguments``; returns its exit status, or None to do it here."""
    workflow = owner()
    if workflow is None or several(arguments):
        return None
    jobs = os.environ.get(PER_PROCESS, "")
    if jobs and not (jobs.isdecimal() and int(jobs)):
        print(f"w2s: {PER_PROCESS}={jobs!r} is not allowed; allowed: a whole number, at least 1", file=sys.stderr)
        return 1
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    request = {"arguments": list(arguments), "folder": os.getcwd(), "environment": environment}
    content = json.dumps(request).encode()
    try:
        connection = _connect(folder_of(workflow), workflow)
        socket.send_fds(connection, [len(content).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(content)
        if connection.recv(1) != STARTED:
            raise ConnectionError("the warm process did not take the job")
    except OSError as error:
        print(f"w2s: no warm process ({error}); working without", file=sys.stderr)
        return None
    with connection:
        status = connection.recv(4)
    if len(status) < 4:
        print("w2s: the warm process was killed while it worked; run the same command again", file=sys.stderr)
        return 1
    return int.from_bytes(status, "big", signed=True)


def several(arguments: Sequence[str]) -> bool:
    """Whether a job starts processes of its own, a GPU each (``w2s.processes``)."""
    with contextlib.suppress(ValueError, IndexError, AttributeError, TypeError):
        environment = json.loads(arguments[list(arguments).index("--environment") + 1])
        return int(environment.get("gpus", 1)) > 1
    return False


def _connect(folder: Path, workflow: int) -> socket.socket:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    with contextlib.suppress(OSError):
        return _open(folder)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            return _open(folder)
        return _start(folder, workflow)


def _start(folder: Path, workflow: int) -> socket.socket:
    """Start the server and connect to it."""
    import subprocess

    (folder / "socket").unlink(missing_ok=True)  # left by a killed one
    with (folder / "log").open("ab") as log:
        command = [sys.executable, "-m", "w2s.warm", str(folder), str(workflow)]
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)
    deadline = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            return _open(folder)
        time.sleep(0.02)
    server.kill()
    lines = (folder / "log").read_text(errors="replace").split("\n") if (folder / "log").exists() else []
    raise ConnectionError(next((line for line in reversed(lines) if line.strip()), "it did not start"))


def _open(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(folder / "socket"))
    except OSError:
        connection.close()
        raise
    return connection
