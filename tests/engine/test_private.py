"""What others plant where a workflow keeps its sockets and locks is neither followed nor changed nor obeyed."""

from __future__ import annotations

import contextlib
import os
import pickle
import shutil
import socket
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from w2s.engine import artifacts, gpus, private, warm

VICTIM, NEIGHBOUR = 54_321, 54_322  # user ids that need no account
SERVER = ("false",)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="warm processes and places of GPUs are Linux's")


@pytest.fixture
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runtime directory; the project is the current folder."""
    (tmp_path / "runtime").mkdir(mode=0o700)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")
    monkeypatch.setenv(private.RUNTIME, str(tmp_path / "runtime"))
    return tmp_path / "runtime"


def used() -> Path:
    """The directory that is used, by its real path."""
    with private.opened() as descriptor:
        return Path(os.readlink(private.path(descriptor)))


def in_project() -> Path:
    return Path.cwd() / "work" / f".w2s-{os.geteuid()}"


def test_the_runtime_directory_is_used_and_nobody_else_can_enter(runtime: Path) -> None:
    old = os.umask(0)
    try:
        assert used() == runtime / "w2s"
    finally:
        os.umask(old)
    assert stat.S_IMODE((runtime / "w2s").stat().st_mode) == 0o700
    assert not (Path.cwd() / "work").exists()


@pytest.mark.parametrize("value", [None, "", "relative", "/nowhere"])
def test_without_a_runtime_directory_it_is_the_projects(
    runtime: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.delenv(private.RUNTIME) if value is None else monkeypatch.setenv(private.RUNTIME, value)
    assert used() == in_project()
    assert stat.S_IMODE(in_project().stat().st_mode) == 0o700


@pytest.mark.parametrize("mode", [0o750, 0o701, 0o777, 0o1777])
def test_a_runtime_directory_that_is_open_to_others_is_not_used(runtime: Path, mode: int) -> None:
    runtime.chmod(mode)
    assert used() == in_project()
    assert not list(runtime.iterdir())


def test_a_link_to_a_runtime_directory_is_not_used(
    runtime: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "link").symlink_to(runtime)
    monkeypatch.setenv(private.RUNTIME, str(tmp_path / "link"))
    assert used() == in_project()
    assert not list(runtime.iterdir())


def link(place: Path) -> None:
    """To a directory of the user's own, which is private too."""
    (place.parent / "thesis").mkdir(mode=0o700)
    for name in ("lock", "log", "socket"):
        (place.parent / "thesis" / name).write_text("years of work")
    place.symlink_to("thesis")


def dangling(place: Path) -> None:
    place.symlink_to("nowhere")


def open_to_others(place: Path) -> None:
    place.mkdir()
    place.chmod(0o770)


PLANTED = {
    link: "a link, not a directory; remove it",
    dangling: "a link, not a directory; remove it",
    Path.touch: "a file, not a directory; remove it",
    os.mkfifo: "a file, not a directory; remove it",
    open_to_others: "open to others (mode 0770); remove it or set mode 0700",
}


def contents(folder: Path) -> dict[str, tuple[int, float, str]]:
    """What lies there, with modes and times of change."""
    found = {}
    for path in sorted(folder.rglob("*")):
        status = path.lstat()
        text = path.read_text() if stat.S_ISREG(status.st_mode) else ""
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_ctime, text)
    return found


@pytest.mark.parametrize("plant", PLANTED)
def test_what_is_planted_in_the_runtime_directory_is_left_for_the_projects(
    runtime: Path, plant: Callable[[Path], None]
) -> None:
    plant(runtime / "w2s")
    before = contents(runtime)
    assert used() == in_project()
    assert contents(runtime) == before


@pytest.mark.parametrize(("plant", "reason"), PLANTED.items())
def test_what_is_planted_in_the_project_is_one_line_and_stops_no_workflow(
    runtime: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    plant: Callable[[Path], None],
    reason: str,
) -> None:
    monkeypatch.delenv(private.RUNTIME)
    in_project().parent.mkdir()
    plant(in_project())
    before = contents(in_project().parent)
    with pytest.raises(PermissionError) as refused, private.opened():
        pass
    place = str(in_project().relative_to(Path.cwd()))
    assert (refused.value.strerror, refused.value.filename) == (reason, place)
    monkeypatch.setenv(warm.VARIABLE, "")
    warm.start()
    assert warm.delegate(["make"], SERVER) is None
    assert gpus.take(["0"], 1) == 0
    gpus.release()
    assert contents(in_project().parent) == before
    said = "".join(capsys.readouterr())
    assert said.count(f"{place}: {reason}") == 1  # a job's own line has the error as Python words it
    assert said.count(reason) == said.count("\n") == 2


def test_a_directory_of_another_user_is_refused(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the user sees it whose number this process does not have."""
    owner = os.geteuid()
    (Path.cwd() / "work" / f".w2s-{owner + 1}").mkdir(mode=0o700, parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    with pytest.raises(PermissionError, match=f"belongs to another user \\(uid {owner}\\); remove it"):
        used()
    assert not list(runtime.iterdir())


def test_a_directory_that_is_exchanged_while_it_is_opened_is_refused(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look and the opening: the descriptor is looked at again."""
    looked = os.stat

    def exchanged(*arguments: Any, **more: Any) -> os.stat_result:
        status = looked(*arguments, **more)
        if "dir_fd" in more:
            (runtime / "w2s").chmod(0o777)
        return status

    monkeypatch.setattr(os, "stat", exchanged)
    assert used() == in_project()


def test_caches_are_always_in_the_project(runtime: Path) -> None:
    assert private.PROJECT == artifacts.WORK
    assert private.lasting("cache") == in_project() / "cache"
    assert stat.S_IMODE((in_project() / "cache").stat().st_mode) == 0o700
    assert not list(runtime.iterdir())


# -- two users -----------------------------------------------------------------------------------------------

two_users = pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: a hostile neighbour needs root, for two user ids")


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A victim's project on a shared disk, whose ``work/`` everybody can write."""
    folder = Path(tempfile.mkdtemp(prefix="w2s-test-"))
    folder.chmod(0o755)
    os.chown(folder, VICTIM, VICTIM)
    (folder / "work").mkdir()
    (folder / "work").chmod(0o777)
    monkeypatch.chdir(folder)
    monkeypatch.delenv(private.RUNTIME, raising=False)
    workflow = os.getpid()
    monkeypatch.setattr(warm, "owner", lambda: workflow)
    yield folder
    shutil.rmtree(folder)


def as_user(user: int, do: Callable[[], Any]) -> Any:
    """What a function returns, or the exception it raises, in a process of that user with a group-shared umask."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            os.umask(0o002)
            try:
                said = do()
            except Exception as error:
                said = error
            os.write(writer, pickle.dumps(said))
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        content = answer.read()
    os.waitpid(child, 0)
    return pickle.loads(content)


def victims_folder(shared: Path) -> Path:
    return shared / "work" / f".w2s-{VICTIM}"


def a_job() -> int | None:
    """A job of the victim's, in whatever warm process there is."""
    return warm.delegate(["work"], SERVER)


def serve(where: Path, user: int, marks: Path) -> tuple[int, int]:
    """A warm process of a user's in that folder, and the workflow that it belongs to. A job leaves a mark."""

    def mark(arguments: Any) -> int:
        (marks / f"done-by-{os.geteuid()}").touch()
        return 7

    workflow = os.fork()
    if workflow == 0:
        time.sleep(120)
        os._exit(0)
    server = os.fork()
    if server == 0:
        os.setgroups([])
        os.setgid(user)
        os.setuid(user)
        os.umask(0)
        with contextlib.suppress(BaseException):
            warm.serve(where, workflow, mark)
        os._exit(0)
    deadline = time.monotonic() + 30
    while not (where / "socket").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return server, workflow


def end(*processes: int) -> None:
    for process in reversed(processes):
        os.kill(process, 9)
        os.waitpid(process, 0)


@two_users
def test_a_neighbours_link_folder_or_file_costs_the_victim_nothing(
    shared: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    precious = shared / "precious"
    as_user(VICTIM, lambda: precious.mkdir(mode=0o700))
    for name in ("lock", "log", "socket", "gpu-0.0"):
        as_user(VICTIM, partial((precious / name).write_text, "years of work"))
    place = victims_folder(shared)
    for plant in (lambda: place.symlink_to(precious), lambda: place.mkdir(mode=0o777), place.touch):
        as_user(NEIGHBOUR, plant)
        before = contents(shared)
        capfd.readouterr()
        assert as_user(VICTIM, a_job) is None
        assert as_user(VICTIM, lambda: gpus.take(["0"], 1)) == 0
        assert contents(shared) == before
        said = "".join(capfd.readouterr()).splitlines()
        assert len(said) == 2
        assert all(f"work/.w2s-{VICTIM}" in line and "remove it" in line for line in said), said
        (shutil.rmtree if place.is_dir() and not place.is_symlink() else Path.unlink)(place)


@two_users
def test_a_neighbour_cannot_have_a_job_done_by_the_victims_process(shared: Path) -> None:
    """Not by the folder, and not even where its mode let others in: the server asks the system who connects."""
    name = warm.name_of(os.getpid())

    def prepare() -> None:
        with private.opened() as descriptor:
            os.close(private.subdirectory(descriptor, name))

    as_user(VICTIM, prepare)
    folder = victims_folder(shared) / name
    processes = serve(folder, VICTIM, shared)
    try:
        connect = f"{folder}/socket"

        def intrude() -> bytes:
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(connect)
            content = b'{"arguments": ["work"], "folder": "/", "environment": {}}'
            with contextlib.suppress(ConnectionError):
                socket.send_fds(connection, [len(content).to_bytes(8, "big")], [0, 1, 2])
                connection.sendall(content)
                return connection.recv(1)
            return b""

        assert isinstance(as_user(NEIGHBOUR, intrude), PermissionError)
        folder.parent.chmod(0o777)
        folder.chmod(0o777)
        assert as_user(NEIGHBOUR, intrude) == b""
        assert not list(shared.glob("done-by-*"))
        folder.parent.chmod(0o700)
        folder.chmod(0o700)
        assert as_user(VICTIM, a_job) == 7
        assert list(shared.glob("done-by-*")) == [shared / f"done-by-{VICTIM}"]
    finally:
        end(*processes)


@two_users
def test_the_victim_gives_no_job_to_a_neighbours_process(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Its environment may hold tokens. The neighbour's socket lies where the victim's should."""
    trap = shared / "trap"
    trap.mkdir()
    trap.chmod(0o777)
    processes = serve(trap, NEIGHBOUR, trap)
    try:
        name = warm.name_of(os.getpid())

        def prepare() -> None:
            with private.opened() as descriptor:
                os.close(private.subdirectory(descriptor, name))

        as_user(VICTIM, prepare)
        (trap / "socket").rename(victims_folder(shared) / name / "socket")
        (victims_folder(shared) / name / "socket").chmod(0o777)
        assert as_user(VICTIM, a_job) is None
        assert capfd.readouterr().err.splitlines() == [
            "w2s: no warm process (it belongs to another user); continuing without one"
        ]
        assert not list(trap.glob("done-by-*"))
    finally:
        end(*processes)
