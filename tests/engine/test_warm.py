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
from w2s.engine import warm

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
    folder = tmp_path / "warm"
    folder.mkdir()
    owner = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(120)"])
    server = subprocess.Popen([sys.executable, "-c", code, str(folder), str(owner.pid)])
    monkeypatch.setattr(warm, "owner", lambda: owner.pid)
    monkeypatch.setattr(warm, "folder_of", lambda _: folder)
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
        "import os; from pathlib import Path; from w2s.engine import warm\n"
        f"warm.owner = lambda: {os.getpid()}; warm.folder_of = lambda _: Path({str(served)!r})\n"
        "warm.delegate(['work', '0', '0'], [])\n"
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
        "import sys; from pathlib import Path; from w2s.engine import warm\n"
        f"warm.owner = lambda: {os.getpid()}; warm.folder_of = lambda _: Path({str(served)!r})\n"
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


def test_folders_of_dead_workflows_are_swept_and_others_are_not(tmp_path: Path) -> None:
    user = os.getuid()
    names = {f"w2s-{user}-{os.getpid()}-0a0a0a0a": True, f"w2s-{user}-999999999-0a0a0a0a": False, "w2s-notes": True}
    for name in names:
        (tmp_path / name).mkdir()
        (tmp_path / name / "lock").touch()
    warm.sweep(tmp_path)
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_a_users_mistake_is_one_line_and_status_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert cli.main(["table", str(tmp_path / "nothing.csv")]) == 1
    assert capsys.readouterr().err == f"w2s: {tmp_path / 'nothing.csv'}: no such file; draw the figure first\n"
