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

from w2s import cli
from w2s.engine import private, warm

SERVER = ("false",)  # no test here starts the real one

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the warm process is used on Linux only")


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A warm process (without the heavy imports) that belongs to this test."""
    code = (
        "import sys; from pathlib import Path; from w2s.engine import warm\n"
        "def do(arguments):\n"
        "    import os, time\n"
        "    print('said', arguments[0], os.getcwd(), os.environ['COLOUR'], flush=True)\n"
        "    if arguments[0] == 'who': print(os.getpid())\n"
        "    if arguments[0] == 'crash': raise RuntimeError('crashed')\n"
        "    print('complained', file=sys.stderr, flush=True)\n"
        "    time.sleep(float(arguments[2]))\n"
        "    return int(arguments[1])\n"
        "warm.serve(Path(sys.argv[1]), int(sys.argv[2]), do)\n"
    )
    monkeypatch.setenv(private.RUNTIME, str(tmp_path))
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    folder = tmp_path / "w2s" / warm.name_of(owner.pid)
    folder.mkdir(parents=True, mode=0o700)
    folder.parent.chmod(0o700)
    command = [sys.executable, "-c", code, folder.name, str(owner.pid)]
    server = subprocess.Popen(command, cwd=folder.parent)
    monkeypatch.setattr(warm, "owner", lambda: owner.pid)
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


def owner_of(served: Path) -> int:
    """The workflow's process, by its server's folder."""
    return int(served.name.split("-")[2])


def test_status_streams_folder_and_environment_are_the_callers(
    served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert warm.delegate(["hello", "3", "0"], SERVER) == 3
    assert warm.delegate(["again", "0", "0"], SERVER) == 0
    said, complained = capfd.readouterr()
    assert said.splitlines() == [f"said hello {tmp_path} green", f"said again {tmp_path} green"]
    assert complained.splitlines() == ["complained"] * 2


def test_jobs_run_side_by_side(served: Path) -> None:
    statuses: dict[int, int | None] = {}

    def job(number: int) -> None:
        statuses[number] = warm.delegate(["work", str(number), "0.2"], SERVER)

    threads = [threading.Thread(target=job, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert statuses == {number: number for number in range(6)}


def who(capfd: pytest.CaptureFixture[str], *roles: str) -> int:
    """The process that a job is done in."""
    capfd.readouterr()
    assert warm.delegate(["who", "0", "0", *roles], SERVER) == 0
    return int(capfd.readouterr().out.splitlines()[-1])


def test_one_process_does_one_job_after_another(served: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert len({who(capfd) for _ in range(5)}) == 1


def test_a_job_goes_to_the_process_that_has_its_model_and_data_loaded(
    served: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    at_once = [threading.Thread(target=warm.delegate, args=(["work", "0", "0.5", role], SERVER)) for role in "ab"]
    for thread in at_once:
        thread.start()
    for thread in at_once:
        thread.join()
    lanes = {role: who(capfd, f"model={role}", f"data={role}") for role in "cd"}
    assert {role: who(capfd, f"model={role}", f"data={role}") for role in "dc"} == lanes
    assert who(capfd, "model=c", "data=other") == lanes["c"]


def test_a_process_is_replaced_after_so_many_jobs(
    served: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(warm.PER_PROCESS, "2")
    seen = [who(capfd) for _ in range(6)]
    assert [seen.count(one) for one in dict.fromkeys(seen)] == [2, 2, 2]


@pytest.mark.parametrize("jobs", ["0", "many", "-1"])
def test_a_number_of_jobs_that_is_none_is_one_line(
    served: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, jobs: str
) -> None:
    monkeypatch.setenv(warm.PER_PROCESS, jobs)
    assert warm.delegate(["work", "0", "0"], SERVER) == 1
    said = f"w2s: W2S_RUNS_PER_PROCESS={jobs!r} is not allowed; allowed: a whole number, at least 1\n"
    assert capfd.readouterr() == ("", said)


def test_a_finished_jobs_streams_are_closed_though_its_process_lives_on(served: Path) -> None:
    """Whoever reads them waits for their end; also of the job that its process was started for."""
    code = (
        f"from w2s.engine import warm\nwarm.owner = lambda: {owner_of(served)}\nwarm.delegate(['work', '0', '0'], [])\n"
    )
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
        assert done.stdout.startswith("said work")


@pytest.mark.parametrize(("job", "status"), [("crash", 1), ("work", 3)])
def test_a_process_that_met_an_error_is_not_used_again(
    served: Path, capfd: pytest.CaptureFixture[str], job: str, status: int
) -> None:
    before = who(capfd)
    assert warm.delegate([job, "3", "0"], SERVER) == status
    assert ("crashed" in capfd.readouterr().err) == (job == "crash")
    assert who(capfd) != before


def test_a_process_that_is_killed_between_jobs_is_replaced(served: Path, capfd: pytest.CaptureFixture[str]) -> None:
    before = who(capfd)
    os.kill(before, signal.SIGKILL)
    time.sleep(0.2)
    assert who(capfd) != before


def test_a_process_that_is_killed_at_work_fails_its_job(served: Path, capfd: pytest.CaptureFixture[str]) -> None:
    process = who(capfd)
    threading.Timer(0.3, os.kill, (process, signal.SIGKILL)).start()
    assert warm.delegate(["work", "0", "60"], SERVER) == -signal.SIGKILL


def test_a_killed_job_takes_its_process_along(served: Path, tmp_path: Path) -> None:
    code = (
        "from w2s.engine import warm\n"
        f"warm.owner = lambda: {owner_of(served)}\n"
        "warm.delegate(['work', '0', '60'], [])\n"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert caller.stdout is not None
    assert caller.stdout.readline().startswith("said work")
    caller.send_signal(signal.SIGKILL)
    caller.wait()
    # The process held the other end of the pipe: it is closed only when the process is gone.
    waiter = threading.Thread(target=caller.stdout.read)
    waiter.start()
    waiter.join(timeout=30)
    assert not waiter.is_alive()


def test_without_a_workflow_a_job_works_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    for value in ("", "0", "elsewhere:1", f"{__import__('socket').gethostname()}:999999999"):
        monkeypatch.setenv(warm.VARIABLE, value)
        assert warm.delegate(["make"], SERVER) is None


def test_switching_it_off_stays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(warm.VARIABLE, "0")
    warm.start()
    assert os.environ[warm.VARIABLE] == "0"


def test_folders_of_dead_workflows_are_swept_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, living = warm.name_of(999_999_999), warm.name_of(os.getpid())
    elsewhere = "warm-0a0a0a0a-999999999-" + dead.rpartition("-")[2]  # of another machine that shares the folder
    mine = tmp_path / "notes"
    for folder in (mine, *(tmp_path / "w2s" / name for name in (dead, living, elsewhere))):
        folder.mkdir(parents=True)
        (folder / "lock").touch()
    planted = dead.replace("999999999", "999999998")
    (tmp_path / "w2s" / planted).symlink_to(mine)
    (tmp_path / "w2s").chmod(0o700)
    monkeypatch.setenv(private.RUNTIME, str(tmp_path))
    monkeypatch.setenv(warm.VARIABLE, "")
    warm.start()
    assert {path.name for path in (tmp_path / "w2s").iterdir()} == {living, elsewhere, planted}
    assert (mine / "lock").exists()


def test_a_job_is_not_given_to_another_users_server(
    served: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With two real users: ``test_private``."""
    monkeypatch.setattr(warm, "user_of", lambda connection: os.geteuid() + 1)
    assert warm.delegate(["work", "0", "0"], SERVER) is None
    assert capsys.readouterr().err == "w2s: no warm process (it belongs to another user); continuing without one\n"


def test_a_servers_address_has_room_whatever_the_paths_length(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket's address has 107 bytes; a project's path may have more."""
    project = tmp_path / ("a" * 100) / ("b" * 100)
    project.mkdir(parents=True)
    monkeypatch.chdir(project)
    monkeypatch.delenv(private.RUNTIME, raising=False)
    code = "import sys; from pathlib import Path; from w2s.engine import warm; "
    code += "warm.serve(Path(sys.argv[1]), int(sys.argv[2]), lambda arguments: 7)"
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    monkeypatch.setattr(warm, "owner", lambda: owner.pid)
    assert warm.delegate(["work"], [sys.executable, "-c", code]) == 7
    folder = project / "work" / f".w2s-{os.geteuid()}" / warm.name_of(owner.pid)
    assert (folder / "socket").is_socket()
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 30
    while folder.exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_users_mistake_is_one_line_and_status_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["table", str(tmp_path / "nothing.csv")]) == 1
    assert capsys.readouterr().err == f"w2s: {tmp_path / 'nothing.csv'}: no such file; draw the figure first\n"
