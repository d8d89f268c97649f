"""A job in the warm process is the same job: status, streams, folder, environment; and it dies with its caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from w2s import commands, warm

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm process is used on Linux only")


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A warm process (without the heavy imports) that belongs to this test."""
    code = (
        "import sys; from pathlib import Path; from w2s import warm, commands\n"
        "warm.preload = lambda: None\n"
        "def main(arguments):\n"
        "    import os, time\n"
        "    print('said', arguments[0], os.getcwd(), os.environ['COLOUR'], flush=True)\n"
        "    print('complained', file=sys.stderr, flush=True)\n"
        "    time.sleep(float(arguments[2]))\n"
        "    sys.exit(int(arguments[1]))\n"
        "commands.main = main\n"
        "warm.serve(Path(sys.argv[1]), int(sys.argv[2]))\n"
    )
    folder = tmp_path / "warm"
    folder.mkdir()
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    server = subprocess.Popen([sys.executable, "-c", code, str(folder), str(owner.pid)])
    monkeypatch.setattr(warm, "_owner", lambda: owner.pid)
    monkeypatch.setattr(warm, "_folder", lambda _: folder)
    monkeypatch.setenv("COLOUR", "green")
    deadline = time.monotonic() + 60
    while not (folder / "socket").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    yield folder
    owner.kill()
    owner.wait()
    assert server.wait(timeout=30) == 0  # leaves when its workflow is gone
    assert not folder.exists()


def test_status_streams_folder_and_environment_are_the_callers(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert warm.delegate(["hello", "3", "0"]) == 3
    assert warm.delegate(["again", "0", "0"]) == 0
    said, complained = capfd.readouterr()
    assert said.splitlines() == [f"said hello {tmp_path} green", f"said again {tmp_path} green"]
    assert complained.splitlines() == ["complained"] * 2


def test_jobs_run_side_by_side(served: Path) -> None:
    statuses: dict[int, int | None] = {}

    def job(number: int) -> None:
        statuses[number] = warm.delegate(["work", str(number), "0.2"])

    threads = [threading.Thread(target=job, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert statuses == {number: number for number in range(6)}


def test_a_killed_job_takes_its_fork_along(served: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from w2s import warm\n"
        f"warm._owner = lambda: {os.getpid()}; warm._folder = lambda _: Path({str(served)!r})\n"
        "warm.delegate(['work', '0', '60'])\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert caller.stdout is not None
    assert caller.stdout.readline().startswith("said work")
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    # The fork held the other end of the pipe: it is closed only when the fork is gone.
    waiter = threading.Thread(target=caller.stdout.read)
    waiter.start()
    waiter.join(timeout=30)
    assert not waiter.is_alive()


def test_without_a_workflow_a_job_works_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "0", "elsewhere:1", f"{__import__('socket').gethostname()}:999999999"):
        monkeypatch.setenv(warm.VARIABLE, value)
        assert warm.delegate(["make"]) is None


def test_switching_it_off_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.VARIABLE, "0")
    warm.start()
    assert os.environ[warm.VARIABLE] == "0"


def test_folders_of_dead_workflows_are_swept_and_others_are_not(tmp_path: Path) -> None:
    user = os.getuid()
    names = {f"w2s-{user}-{os.getpid()}-0a0a0a0a": True, f"w2s-{user}-999999999-0a0a0a0a": False, "w2s-notes": True}
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    warm.sweep(tmp_path)
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_a_users_mistake_is_one_line_and_status_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert commands.main(["table", str(tmp_path / "nothing.csv")]) == 1
    assert capsys.readouterr().err == f"w2s: {tmp_path / 'nothing.csv'}: no such file; draw the figure first\n"
