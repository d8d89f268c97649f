"""An artifact appears whole or not at all, and a harmed one is noticed and named."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from w2s.cli import main
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.graph.artifact import Identity

IDENTITY = Identity("finetune", 1, {"seed": 0}, {"data": "0123456789"})
OUT = Path("results/nlp/sciq/w8/truth/naive") / f"s0-{IDENTITY.key}"


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(content: str = "numbers") -> None:
    with artifacts.building(OUT, IDENTITY, "run.json") as build:
        assert build is not None
        (build.folder / "predictions.parquet").write_text(content)
        (build.folder / "history.csv").write_text("step\n1\n")
        build.measured["score"] = 0.5


def test_a_made_artifact_reads_back() -> None:
    make()
    record = artifacts.read(OUT, expect=IDENTITY.key)
    assert record["spec"] == {"seed": 0}
    assert set(record["files"]) == {"predictions.parquet", "history.csv"}
    assert not artifacts.WORK.exists() or not list(artifacts.WORK.iterdir())


def test_an_artifact_is_made_once() -> None:
    make("first")
    with artifacts.building(OUT, IDENTITY) as build:
        assert build is None
    assert (OUT / "predictions.parquet").read_text() == "first"


def test_a_failure_leaves_nothing() -> None:
    def fail() -> None:
        with artifacts.building(OUT, IDENTITY) as build:
            assert build is not None
            (build.folder / "predictions.parquet").write_text("half")
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        fail()
    assert not OUT.exists()
    assert not list(OUT.parent.iterdir())


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("predictions.parquet", lambda path: path.write_text("numb"), "truncated or edited"),
        ("history.csv", lambda path: path.write_text("step\n2\n"), "truncated or edited"),
        ("history.csv", lambda path: path.unlink(), "missing"),
        ("run.json", lambda path: path.write_text(path.read_text()[:40]), "damaged manifest"),
        ("run.json", lambda path: path.write_text(path.read_text().replace('"seed": 0', '"seed": 1')), "edited after"),
        ("run.json", lambda path: path.write_text(path.read_text().replace('"score": 0.5', '"score": 0.9')), "edited"),
        ("run.json", lambda path: path.write_text(json.dumps(json.loads(path.read_text()) | {"files": {}})), "edited"),
    ],
    ids=["truncated", "edited", "missing", "manifest truncated", "spec edited", "number edited", "files forged"],
)
def test_a_harmed_artifact_is_noticed_and_named(file: str, harm: object, said: str) -> None:
    make()
    harm(OUT / file)  # type: ignore[operator]
    with pytest.raises(UserError, match=said) as caught:
        artifacts.read(OUT)
    assert str(OUT / file) in str(caught.value)
    assert f"delete {OUT}" in str(caught.value)


def test_a_harmed_artifact_is_made_anew() -> None:
    make("good")
    (OUT / "predictions.parquet").write_text("bad")
    make("good")
    assert artifacts.is_complete(OUT, IDENTITY.key)


def test_an_artifact_cannot_be_put_under_another_key() -> None:
    other = OUT.with_name("s0-ffffffffff")
    with pytest.raises(UserError, match="the path should end in"), artifacts.building(other, IDENTITY):
        pass


def test_a_table_has_the_same_bytes_every_time(tmp_path: Path) -> None:
    columns = {"id": ["a", "b"], "probability": [0.25, 0.75]}
    for name in ("one", "two"):
        artifacts.write_table(tmp_path / name, columns)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_an_unreadable_table_is_named(tmp_path: Path) -> None:
    (tmp_path / "table.parquet").write_text("not parquet")
    with pytest.raises(UserError, match=r"table\.parquet: not a readable parquet file"):
        artifacts.read_table(tmp_path / "table.parquet")


def test_two_processes_never_make_the_same_artifact_at_once() -> None:
    """The second waits for the first, then finds the artifact there."""
    code = textwrap.dedent(f"""
        import sys, time
        from pathlib import Path
        from w2s.engine import artifacts
        from w2s.graph.artifact import Identity
        identity = Identity("finetune", 1, {{"seed": 0}}, {{"data": "0123456789"}})
        with artifacts.building(Path({str(OUT)!r}), identity) as build:
            if build is None:
                print("found it")
            else:
                (build.folder / "history.csv").write_text("made")
                print("made it", flush=True)
                time.sleep(0.5)
    """)
    both = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(2)]
    said = sorted(process.communicate(timeout=60)[0].splitlines()[-1] for process in both)
    assert said == ["found it", "made it"]


def test_a_killed_process_leaves_no_artifact_and_no_lock() -> None:
    code = textwrap.dedent(f"""
        import time
        from pathlib import Path
        from w2s.engine import artifacts
        from w2s.graph.artifact import Identity
        identity = Identity("finetune", 1, {{"seed": 0}}, {{"data": "0123456789"}})
        with artifacts.building(Path({str(OUT)!r}), identity) as build:
            (build.folder / "history.csv").write_text("half")
            print("working", flush=True)
            time.sleep(60)
    """)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    process.kill()
    process.wait()
    assert not OUT.exists()
    started = time.monotonic()
    make()
    assert time.monotonic() - started < 30
    assert artifacts.is_complete(OUT, IDENTITY.key)
    assert sorted(os.listdir(OUT.parent)) == [OUT.name]


# -- flock that tells only of the same machine, results/ without work/ -------------------------------------------------

ELSEWHERE = """
import contextlib, fcntl, sys, time
from pathlib import Path
from w2s.cli import main
from w2s.engine import artifacts
from w2s.graph.artifact import Identity
fcntl.flock = lambda *_: None  # it never sees the processes of the other machine
artifacts.machine = lambda: "another-kernel"
artifacts.BEAT = 0.05
identity = Identity("finetune", 1, {"seed": 0}, {"data": "0123456789"})
with artifacts.building(Path(sys.argv[1]), identity, "run.json") as build:
    (build.folder / "history.csv").write_text("theirs")
    print("working", flush=True)
    sys.stdin.readline()
"""


def another_machine() -> subprocess.Popen[str]:
    """A process that makes the artifact on a machine whose locks are not seen here, until it is told to end."""
    command = [sys.executable, "-c", ELSEWHERE, str(OUT)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    return process


@pytest.fixture
def local_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("w2s.engine.artifacts.fcntl.flock", lambda *_: None)


def pause_that(happens: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Whenever the lock is waited for, this happens; returns the pauses, to be looked at."""
    pauses: list[float] = []
    sleep = time.sleep

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        happens()
        sleep(0.01)

    monkeypatch.setattr("w2s.engine.artifacts.time.sleep", pause)
    return pauses


@pytest.mark.usefixtures("local_locks")
def test_a_living_lock_of_another_machine_is_waited_for_and_never_removed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = another_machine()
    assert artifacts.is_locked(artifacts.WORK / IDENTITY.key)
    held = (artifacts.WORK / IDENTITY.key / "holder").readlink()

    def look() -> None:
        if len(pauses) < 20:
            assert (artifacts.WORK / IDENTITY.key / "holder").readlink() == held
            assert other.poll() is None
        elif len(pauses) == 20:
            other.communicate("end\n", timeout=60)

    pauses = pause_that(look, monkeypatch)
    with artifacts.building(OUT, IDENTITY, "run.json") as build:
        assert build is None
    assert len(pauses) >= 20
    assert (OUT / "history.csv").read_text() == "theirs"
    assert "is working on this; waiting for it" in capsys.readouterr().out
    assert os.listdir(OUT.parent) == [OUT.name]
    assert os.listdir(artifacts.WORK) == []


@pytest.mark.usefixtures("local_locks")
def test_a_lock_of_another_machine_without_a_sign_of_life_is_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    other = another_machine()
    other.kill()
    other.communicate()
    now = time.monotonic()
    pauses = pause_that(lambda: None, monkeypatch)
    monkeypatch.setattr("w2s.engine.artifacts.time.monotonic", lambda: now + 10 * len(pauses))
    make("ours")
    assert len(pauses) == artifacts.DEAD / 10
    assert (OUT / "predictions.parquet").read_text() == "ours"
    assert os.listdir(OUT.parent) == [OUT.name]
    assert os.listdir(artifacts.WORK) == []


@pytest.mark.usefixtures("local_locks")
def test_a_lock_that_was_taken_over_is_not_removed_by_its_first_holder() -> None:
    work = artifacts.WORK / IDENTITY.key
    with artifacts.locked(work):
        (work / "holder").unlink()
        (work / "holder").symlink_to("another another-kernel token")
    assert (work / "holder").is_symlink()
    assert (work / "lock").exists()


def test_two_checkouts_that_share_results_alone_both_end_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both make it; the first result stays, and the second is dropped."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "results").symlink_to(tmp_path / "results")
    with artifacts.building(OUT, IDENTITY, "run.json") as first:
        assert first is not None
        monkeypatch.chdir(tmp_path / "other")
        with artifacts.building(OUT, IDENTITY, "run.json") as second:
            assert second is not None
            assert first.folder.name != second.folder.name
            assert first.name == second.name == OUT.name
            assert (tmp_path / first.folder).is_dir()
            (second.folder / "history.csv").write_text("second")
        monkeypatch.chdir(tmp_path)
        (first.folder / "history.csv").write_text("first")
    assert f"{OUT} was completed by another process in the meantime" in capsys.readouterr().out
    assert (OUT / "history.csv").read_text() == "second"
    assert artifacts.is_complete(OUT, IDENTITY.key)
    assert os.listdir(OUT.parent) == [OUT.name]


def test_a_manifest_says_where_it_comes_from() -> None:
    make()
    record = json.loads((OUT / "run.json").read_text())
    assert {"commit", "versions", "python", "machine"} <= set(record["made_with"])
    assert record["measured"]["seconds"] >= 0


def test_a_file_that_fails_while_it_is_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a failing disk does: the file opens, and reading it says no name."""

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    (tmp_path / "weights").write_text("x")
    monkeypatch.setattr(hashlib, "file_digest", fail)
    with pytest.raises(OSError, match=r"Input/output error: .*weights"):
        artifacts.sha256(tmp_path / "weights")


def test_a_parent_without_a_manifest_is_named_with_its_role(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    where = f"data={tmp_path / 'data-0'}"
    assert main(["make", "finetune", "--spec", "{}", "--out", str(tmp_path / "out"), "--parents", where]) == 1
    assert f"finetune: its data: {tmp_path / 'data-0'}: no finished artifact here" in capsys.readouterr().err
