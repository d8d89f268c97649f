"""One warm process for the short jobs of a local workflow, so that each does not import torch again.

Importing torch and transformers takes seconds, a small run takes less. The first training job of a local
workflow starts a server that imports them once; every job then asks it to fork, and the fork does what the
job would have done: same command, environment, folder, log and exit status, and no state from any other job.
The server lives as long as the workflow (and what it still runs). A job that is killed takes its fork along.

Where this does not apply (other platforms, other machines, W2S_WARM=0, commands run by hand) a job simply
works in its own process; results are the same.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

VARIABLE = "W2S_WARM"
OFF = "0"
START_SECONDS = 60.0  # how long a job waits for the server to listen before it works on its own
STARTED = b"+"  # what a job hears once its fork exists
LOOK_SECONDS = 1.0  # how often the server looks whether its workflow is still there


def start() -> None:
    """Called by the workflow when it starts: from now on its local jobs may use a warm process."""
    if sys.platform == "linux" and os.environ.get(VARIABLE) != OFF:
        os.environ[VARIABLE] = f"{socket.gethostname()}:{os.getpid()}"
        sweep(Path(tempfile.gettempdir()))


def sweep(temporary: Path) -> None:
    """Remove the folders of warm processes that were killed together with their workflow."""
    for folder in temporary.glob(f"w2s-{os.getuid()}-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and not _alive(int(owner)):
            _remove(folder)


def _remove(folder: Path) -> None:
    for name in ("socket", "log", "lock"):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


def _owner() -> int | None:
    """The workflow's process, if this job belongs to one on this machine."""
    host, _, number = os.environ.get(VARIABLE, OFF).rpartition(":")
    if host != socket.gethostname() or not number.isdigit() or "SLURM_JOB_ID" in os.environ:
        return None
    return int(number) if _alive(int(number)) else None


def _alive(process: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be reaped does not."""
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _folder(owner: int) -> Path:
    """Where the server of this workflow and this Python environment listens; readable by its user alone."""
    environment = hashlib.sha256(sys.prefix.encode()).hexdigest()[:8]
    return Path(tempfile.gettempdir()) / f"w2s-{os.getuid()}-{owner}-{environment}"


# -- the job's side ----------------------------------------------------------------------------------------


def delegate(arguments: Sequence[str]) -> int | None:
    """Have the warm process do ``w2s *arguments``; returns its exit status, or None to do it here."""
    owner = _owner()
    if owner is None:
        return None
    environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
    request = {"arguments": list(arguments), "folder": os.getcwd(), "environment": environment}
    content = json.dumps(request).encode()
    try:
        connection = _connect(_folder(owner), owner)
        socket.send_fds(connection, [len(content).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(content)
        if connection.recv(1) != STARTED:
            raise ConnectionError("the warm process did not take the job")
    except (OSError, subprocess.SubprocessError) as error:
        print(f"w2s: no warm process ({error}); working without", file=sys.stderr)
        return None
    with connection:
        status = connection.recv(4)
    if len(status) < 4:
        print("w2s: the warm process was killed while it worked; run the same command again", file=sys.stderr)
        return 1
    return int.from_bytes(status, "big", signed=True)


def _connect(folder: Path, owner: int) -> socket.socket:
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(OSError):
            return _open(folder)
        (folder / "socket").unlink(missing_ok=True)  # left by a killed one
        with (folder / "log").open("ab") as log:
            command = [sys.executable, "-m", "w2s.warm", str(folder), str(owner)]
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


# -- the warm process's side -------------------------------------------------------------------------------


@dataclass
class Server:
    """Forks on request. jobs: process -> the connection of whoever waits for it."""

    folder: Path
    owner: int
    jobs: dict[int, socket.socket]

    def serve(self) -> None:
        """Import, listen, fork on request; return when the workflow is gone and nothing runs."""
        preload()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self.folder / "socket"))
        listener.listen(256)
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_read, False)
        os.set_blocking(wake_write, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        with selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wake_read, selectors.EVENT_READ)
            while self.jobs or _alive(self.owner):
                for key, _ in selector.select(LOOK_SECONDS):
                    if key.fileobj is listener:
                        connection, _ = listener.accept()
                        if self.fork(connection, listener):
                            selector.register(connection, selectors.EVENT_READ)
                    elif key.fileobj == wake_read:
                        with contextlib.suppress(BlockingIOError):
                            os.read(wake_read, 4096)
                    else:
                        self.abandon(key.fileobj)  # a waiting job never speaks: it was killed
                        selector.unregister(key.fileobj)
                for connection in self.reap():
                    with contextlib.suppress(KeyError):
                        selector.unregister(connection)
                    connection.close()

    def fork(self, connection: socket.socket, listener: socket.socket) -> bool:
        """Start a job; False if the request was cut off."""
        length, streams, _, _ = socket.recv_fds(connection, 8, 3)
        content = b""
        while len(length) == 8 and len(content) < int.from_bytes(length, "big"):
            more = connection.recv(65536)
            if not more:
                break
            content += more
        if len(streams) != 3 or len(content) != int.from_bytes(length, "big"):
            connection.close()
            return False
        process = os.fork()
        if process == 0:
            for inherited in (listener, connection, *self.jobs.values()):
                inherited.close()
            _work(json.loads(content), streams)
        self.jobs[process] = connection
        for stream in streams:
            os.close(stream)
        with contextlib.suppress(OSError):
            connection.sendall(STARTED)
        return True

    def abandon(self, connection: object) -> None:
        """Kill the fork of a job that is gone."""
        for process, waiting in self.jobs.items():
            if waiting is connection:
                try:
                    os.killpg(process, signal.SIGKILL)
                except ProcessLookupError:  # not yet a group of its own
                    os.kill(process, signal.SIGKILL)

    def reap(self) -> list[socket.socket]:
        """Report forks that ended to the jobs that wait for them."""
        told = []
        while True:
            try:
                process, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if process == 0:
                break
            connection = self.jobs.pop(process)
            with contextlib.suppress(OSError):
                connection.sendall(os.waitstatus_to_exitcode(status).to_bytes(4, "big", signed=True))
            told.append(connection)
        return told


def _work(request: dict[str, object], streams: Sequence[int]) -> None:
    """In the fork: become the job, do it, leave."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.setsid()
        for target, stream in enumerate(streams):
            os.dup2(stream, target)
            os.close(stream)
        os.chdir(str(request["folder"]))
        os.environ.clear()
        os.environ.update(request["environment"])  # type: ignore[call-overload]
        from w2s.commands import main

        code = main(request["arguments"])  # type: ignore[arg-type]
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def preload() -> None:
    """Import what training jobs need. Nothing here may start a thread or touch a GPU: forks inherit it."""
    import pyarrow.parquet
    import sklearn.feature_extraction.text
    import sklearn.linear_model
    import tokenizers
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast

    from w2s.models import classifier, pretraining
    from w2s.tasks import data
    from w2s.training import finetune

    del pyarrow, sklearn, tokenizers, torch, classifier, data, pretraining, finetune
    del AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM, PreTrainedTokenizerFast


def serve(folder: Path, owner: int) -> None:
    """The warm process: serve until the workflow is gone, then leave nothing behind (but the log of a failure)."""
    Server(folder, owner, {}).serve()
    _remove(folder)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
