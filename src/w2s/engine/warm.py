"""Warm processes for the short jobs of a local workflow: one process trains run after run.

Why: importing torch takes seconds, loading a base model and encoding a task a good part of one, training a small run
little more; warm, short runs cost an eighth. The first job of a local workflow starts a server that imports once and
forks *lanes*: processes that do one job at a time, as many as jobs run side by side. A job goes to an idle lane that
has its base model and its task loaded already, if there is one. It is the same job as in a process of its own: same
command, environment, folder, log, exit status and bytes. Nothing but read-only data (encoded texts, base weights)
passes from one job to the next, a lane that met an error is not used again, and a job that is killed takes its lane
along. Server and lanes end with the workflow.

``execution.runs_per_process`` says after how many jobs a lane is replaced (1: every job has a process of its own).
Where all this does not apply (other platforms, other machines, W2S_WARM=0, commands run by hand) a job simply works in
its own process. The server listens in the user's own directory (``w2s.engine.private``). Server and jobs check that
the other side is the same user's, since a job says what to run. What a job does, and what is imported for it, is the
caller's business (``w2s.cli.warm_server``). This module is light: every job of a workflow pays for its imports.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import struct
import sys
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from w2s.engine import private

VARIABLE = "W2S_WARM"
PER_PROCESS = "W2S_RUNS_PER_PROCESS"
OFF = "0"
START_SECONDS = 60.0  # how long a job waits for the server to listen before it works on its own
STARTED = b"+"  # what a job hears once it was taken
LOOK_SECONDS = 1.0  # how often the server looks whether its workflow is still there
DEFAULT_PER_PROCESS = 64
STAYS, LEAVES = b"+", b"-"  # what a lane says behind a job's status

Do = Callable[[Sequence[str]], int]  # a job: its arguments -> its exit status


# -- the workflow's side -------------------------------------------------------------------------------------


def start() -> None:
    """Called by the workflow when it starts: from now on its local jobs may use warm processes."""
    if sys.platform == "linux" and os.environ.get(VARIABLE) != OFF:
        os.environ[VARIABLE] = f"{socket.gethostname()}:{os.getpid()}"
        with contextlib.suppress(OSError), private.opened() as descriptor:
            sweep(private.path(descriptor))


def sweep(directory: Path) -> None:
    """Remove the folders of warm processes that were killed together with their workflow."""
    for folder in directory.glob(f"warm-{_machine()}-*-*"):
        owner = folder.name.split("-")[2]
        if owner.isdigit() and not folder.is_symlink() and not alive(int(owner)):
            _remove(folder)


def _remove(folder: Path) -> None:
    for name in ("socket", "socket.aside", "log", "lock"):
        (folder / name).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        folder.rmdir()


# -- a job's side --------------------------------------------------------------------------------------------


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


def name_of(owner: int) -> str:
    """The folder, in the user's own directory, where the server of this workflow and Python environment listens."""
    return f"warm-{_machine()}-{owner}-{zlib.crc32(sys.prefix.encode()):08x}"


def _machine() -> str:
    """Where process numbers mean something: several machines or containers may share the project's folder."""
    processes = os.readlink("/proc/self/ns/pid")
    return f"{zlib.crc32(f'{socket.gethostname()} {processes}'.encode()):08x}"


def delegate(arguments: Sequence[str], server: Sequence[str]) -> int | None:
    """Have the warm process do ``w2s *arguments``; returns its exit status, or None to do it here.

    server: the command that starts it; the folder to serve in and the workflow's process are appended.
    """
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
        with private.opened() as directory:
            connection = _connect(directory, workflow, server)
        socket.send_fds(connection, [len(content).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(content)
        if connection.recv(1) != STARTED:
            raise ConnectionError("the warm process did not take the job")
    except OSError as error:
        print(f"w2s: no warm process ({error}); continuing without one", file=sys.stderr)
        return None
    with connection:
        status = connection.recv(4)
    if len(status) < 4:
        print("w2s: the warm process was killed during a job; run the same command again", file=sys.stderr)
        return 1
    return int.from_bytes(status, "big", signed=True)


def several(arguments: Sequence[str]) -> bool:
    """Whether a job starts processes of its own, a GPU each (``w2s.engine.launcher``)."""
    with contextlib.suppress(ValueError, IndexError, AttributeError, TypeError):
        environment = json.loads(arguments[list(arguments).index("--environment") + 1])
        return int(environment.get("gpus", 1)) > 1
    return False


def _connect(directory: int, workflow: int, server: Sequence[str]) -> socket.socket:
    """A connection to the workflow's server, started if need be. directory: a descriptor of the user's own."""
    name = name_of(workflow)
    os.close(private.subdirectory(directory, name))
    folder = private.path(directory) / name
    with contextlib.suppress(FileNotFoundError, ConnectionError):
        return _open(folder)
    with open(private.file(folder, "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError, ConnectionError):
            return _open(folder)
        return _start(folder, directory, workflow, server)


def _start(folder: Path, directory: int, workflow: int, server: Sequence[str]) -> socket.socket:
    """Start the server, which inherits the directory's descriptor, and connect to it."""
    import subprocess

    (folder / "socket").unlink(missing_ok=True)  # left by a killed one
    with open(private.file(folder, "log", append=True), "ab") as log:
        command = [*server, str(folder), str(workflow)]
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, pass_fds=[directory]
        )
    deadline = time.monotonic() + START_SECONDS
    while started.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ConnectionError):
            return _open(folder)
        time.sleep(0.02)
    started.kill()
    lines = (folder / "log").read_text(errors="replace").split("\n") if (folder / "log").exists() else []
    raise ConnectionError(next((line for line in reversed(lines) if line.strip()), "it did not start"))


def _open(folder: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(folder / "socket"))
        if user_of(connection) != os.geteuid():
            raise PermissionError("it belongs to another user")
    except OSError:
        connection.close()
        raise
    return connection


def user_of(connection: socket.socket) -> int:
    """The user id of the process at the other end."""
    _, user, _ = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(user)


# -- the server ----------------------------------------------------------------------------------------------


@dataclass
class Request:
    """A job as its process handed it over. streams: its stdin, stdout and stderr."""

    content: bytes
    streams: list[int]

    @property
    def described(self) -> dict[str, Any]:
        """arguments, folder, environment."""
        described: dict[str, Any] = json.loads(self.content)
        return described

    def send(self, connection: socket.socket) -> None:
        """Pass it on, streams and all."""
        socket.send_fds(connection, [len(self.content).to_bytes(8, "big")], self.streams)
        connection.sendall(self.content)

    def close(self) -> None:
        """Let go of the streams."""
        for stream in self.streams:
            os.close(stream)


def receive(connection: socket.socket) -> Request | None:
    """The next request; None if the other side is gone or was cut off."""
    length, streams, _, _ = socket.recv_fds(connection, 8, 3)
    content = b""
    while len(length) == 8 and len(content) < int.from_bytes(length, "big"):
        more = connection.recv(65536)
        if not more:
            break
        content += more
    request = Request(content, list(streams))
    if len(streams) == 3 and len(length) == 8 and len(content) == int.from_bytes(length, "big"):
        return request
    request.close()
    return None


@dataclass
class Lane:
    """A process that does one job at a time. waiting: the client of the current job; loaded: the inputs of its last."""

    process: int
    channel: socket.socket
    waiting: socket.socket | None = None
    loaded: tuple[str, ...] = ()


class Server:
    """Hands jobs to lanes, and what became of them back."""

    def __init__(self, folder: Path, owner: int, do: Do) -> None:
        self.folder, self.owner, self.do = folder, owner, do
        self.lanes: list[Lane] = []
        self.selector = selectors.DefaultSelector()
        self.listener = socket.socket(socket.AF_UNIX)

    def serve(self) -> None:
        """Listen, hand out; return when the workflow is gone and nothing runs."""
        aside = self.folder / "socket.aside"  # renamed once it listens, so that no client connects too early
        aside.unlink(missing_ok=True)
        self.listener.bind(str(aside))
        self.listener.listen(256)
        aside.rename(self.folder / "socket")
        self.selector.register(self.listener, selectors.EVENT_READ)
        while any(lane.waiting for lane in self.lanes) or alive(self.owner):
            for key, _ in self.selector.select(LOOK_SECONDS):
                if key.fileobj is self.listener:
                    connection, _ = self.listener.accept()
                    if user_of(connection) == os.geteuid():
                        self.take(connection)
                    else:
                        connection.close()
                else:
                    for lane in [lane for lane in self.lanes if key.fileobj in (lane.channel, lane.waiting)]:
                        self.heard(lane, key.fileobj)
        for lane in list(self.lanes):
            self.dismiss(lane)

    def take(self, connection: socket.socket) -> None:
        """Give a new job to a lane."""
        request = receive(connection)
        if request is None:
            connection.close()
            return
        described = request.described
        wanted = needs(described["arguments"])
        idle = [lane for lane in self.lanes if lane.waiting is None]
        lane = max(idle, key=lambda one: len(set(one.loaded) & set(wanted)), default=None)
        if lane is None:
            lane = self.fork(described["environment"], connection, request)
        lane.waiting, lane.loaded = connection, wanted
        self.selector.register(connection, selectors.EVENT_READ)
        with contextlib.suppress(OSError):
            request.send(lane.channel)
            connection.sendall(STARTED)
        request.close()

    def fork(self, environment: Mapping[str, str], connection: socket.socket, request: Request) -> Lane:
        """A new lane, which holds nothing of the others, nor of the first job: that is sent to it like any other."""
        ours, its = socket.socketpair()
        process = os.fork()
        if process == 0:
            status = 1
            with contextlib.suppress(BaseException):
                ours.close()
                self.selector.close()
                self.listener.close()
                connection.close()
                request.close()
                for lane in self.lanes:
                    lane.channel.close()
                    if lane.waiting:
                        lane.waiting.close()
                status = work(its, int(environment.get(PER_PROCESS) or DEFAULT_PER_PROCESS), self.do)
            os._exit(status)
        its.close()
        lane = Lane(process, ours)
        self.lanes.append(lane)
        self.selector.register(ours, selectors.EVENT_READ)
        return lane

    def heard(self, lane: Lane, source: object) -> None:
        """Handle an event of a lane: its job is done, the lane ended, or the client that waits is gone."""
        if source is lane.waiting:  # a waiting job never speaks: it was killed
            self.kill(lane)
            self.dismiss(lane)
            return
        said = lane.channel.recv(5)
        status = said[:4]
        if len(said) < 5:
            status = os.waitstatus_to_exitcode(self.dismiss(lane)).to_bytes(4, "big", signed=True)
        elif said[4:] == LEAVES:
            self.dismiss(lane)
        if lane.waiting:
            self.selector.unregister(lane.waiting)
            with contextlib.suppress(OSError):
                lane.waiting.sendall(status)
            lane.waiting.close()
            lane.waiting = None

    def kill(self, lane: Lane) -> None:
        """End a lane and what it started."""
        try:
            os.killpg(lane.process, signal.SIGKILL)
        except ProcessLookupError:  # not yet a group of its own
            with contextlib.suppress(ProcessLookupError):
                os.kill(lane.process, signal.SIGKILL)
        if lane.waiting:
            self.selector.unregister(lane.waiting)
            lane.waiting.close()
            lane.waiting = None

    def dismiss(self, lane: Lane) -> int:
        """Let go of a lane: it ends when its channel closes. Returns how it ended."""
        self.lanes.remove(lane)
        self.selector.unregister(lane.channel)
        lane.channel.close()
        return os.waitpid(lane.process, 0)[1]


def needs(arguments: Sequence[str]) -> tuple[str, ...]:
    """What a job loads: its base model and its data, ``ROLE=DIR`` as on its command line."""
    return tuple(one for one in arguments if one.startswith(("model=", "data=")))


# -- in a lane -----------------------------------------------------------------------------------------------


def work(channel: socket.socket, jobs: int, do: Do) -> int:
    """Do jobs one after another, so many at most, until the server closes the channel. Returns an exit status."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    own = dict(os.environ)
    for left in reversed(range(jobs)):
        request = receive(channel)
        if request is None:
            return 0
        described = request.described
        for target, stream in enumerate(request.streams):
            os.dup2(stream, target)
        request.close()
        os.environ.clear()
        os.environ.update(described["environment"])
        code, sound = _one(do, described["arguments"], described["folder"])
        os.environ.clear()
        os.environ.update(own)
        for target in range(3):
            os.dup2(nothing, target)  # the job's log is closed, as if its process had ended
        stays = left > 0 and sound
        channel.sendall(code.to_bytes(4, "big", signed=True) + (STAYS if stays else LEAVES))
        if not stays:
            break
    return 0


def _one(do: Do, arguments: Sequence[str], folder: str) -> tuple[int, bool]:
    """(exit status, whether the process is as good as before) of one job."""
    try:
        os.chdir(folder)
        code = do(arguments)
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 1
    with contextlib.suppress(Exception):
        sys.stdout.flush()
        sys.stderr.flush()
    return code, code == 0


def serve(folder: Path, owner: int, do: Do) -> None:
    """Serve until the workflow is gone, then leave nothing behind (but the log of a failure)."""
    Server(folder, owner, do).serve()
    _remove(folder)
