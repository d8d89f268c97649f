"""Hashes of whole files: every change is noticed, a file is read once, nothing remembered is believed blindly."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from w2s.engine import artifacts, hashes, private

SIZE = 25 * 2**20  # bytes; samples of 1 MiB at start, middle and end leave most of it out


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, and a process that knows no file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(hashes, "_known", {})
    monkeypatch.setattr(hashes, "RECENT", -(10**18))  # files of these tests are new
    return tmp_path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that were read."""
    names: list[str] = []

    def counted(path: Path) -> str:
        names.append(path.name)
        return artifacts.sha256(path)

    monkeypatch.setattr(hashes, "sha256", counted)
    return names


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def large(path: Path) -> Path:
    return written(path, bytes(hashes.SMALL))


def anew(path: Path) -> str:
    """The hash as another process gets it."""
    hashes._known.clear()
    return hashes.of_files([path])[0]


def remembered() -> list[Path]:
    return [path for path in private.lasting(hashes.REMEMBERED).iterdir() if path.is_file()]


def test_a_quarter_of_a_large_file_changed_is_another_file(tmp_path: Path) -> None:
    path = written(tmp_path / "weights", bytes(SIZE))
    before = anew(path)
    with path.open("r+b") as file:
        file.seek(2 * 2**20)
        file.write(os.urandom(SIZE // 4))
    assert anew(path) != before == hashlib.sha256(bytes(SIZE)).hexdigest()


def test_a_file_is_read_once_by_all_processes_until_it_changes(tmp_path: Path, reads: list[str]) -> None:
    path = large(tmp_path / "weights")
    assert anew(path) == anew(path) == artifacts.sha256(path)
    assert len(reads) == 1
    os.utime(path, (1, 1))
    assert anew(path) == artifacts.sha256(path)
    assert len(reads) == 2


def change_in_place(path: Path) -> None:
    about = path.stat()
    with path.open("r+b") as file:
        file.write(b"x")
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))  # as if it had not changed


def replace(path: Path) -> None:
    about = path.stat()
    other = written(path.with_name("other"), b"x" + bytes(hashes.SMALL - 1))
    os.utime(other, ns=(about.st_atime_ns, about.st_mtime_ns))
    other.replace(path)


@pytest.mark.parametrize("change", [change_in_place, replace])
def test_a_change_that_keeps_size_and_time_is_noticed(tmp_path: Path, change: Callable[[Path], None]) -> None:
    path = large(tmp_path / "weights")
    before = anew(path)
    time.sleep(0.02)  # longer than a tick of a file system's clock
    change(path)
    assert anew(path) == artifacts.sha256(path) != before


def test_a_file_that_has_just_changed_is_not_remembered(
    tmp_path: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may change again within one tick of the clock."""
    monkeypatch.setattr(hashes, "RECENT", 10**18)
    path = large(tmp_path / "weights")
    hashes.of_files([path])
    hashes.of_files([path])
    assert len(reads) == 2
    assert not remembered()


def test_a_file_that_changes_while_it_is_read_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large(tmp_path / "weights")

    def changing(read: Path) -> str:
        digest = artifacts.sha256(read)
        written(read, bytes(hashes.SMALL + 1))
        return digest

    monkeypatch.setattr(hashes, "sha256", changing)
    hashes.of_files([path])
    assert not remembered()
    monkeypatch.setattr(hashes, "sha256", artifacts.sha256)
    assert anew(path) == artifacts.sha256(path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: b"",
        lambda content: content[:-40],
        lambda content: b"\xff" * 200,
        lambda content: content.replace(content[70:80], b"0123456789"),  # in the hash
        lambda content: content + content,
    ],
)
def test_what_is_damaged_is_read_again(tmp_path: Path, damage: Callable[[bytes], bytes], reads: list[str]) -> None:
    path = large(tmp_path / "weights")
    before = anew(path)
    (place,) = remembered()
    place.write_bytes(damage(place.read_bytes()))
    assert anew(path) == before
    assert len(reads) == 2


def test_what_is_remembered_of_one_file_says_nothing_of_another(tmp_path: Path, reads: list[str]) -> None:
    """Even under its name and with its size, times and inode."""
    one, other = large(tmp_path / "one"), large(tmp_path / "other")
    anew(one)
    (place,) = remembered()
    content = place.read_bytes()
    anew(other)
    (second,) = [path for path in remembered() if path != place]
    state = second.read_bytes()[:64]
    second.write_bytes(state + content[64:])
    anew(other)
    assert reads == ["one", "other", "other"]


def test_writers_at_the_same_time_leave_whole_entries(tmp_path: Path, reads: list[str]) -> None:
    paths = [large(tmp_path / f"weights-{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda number: hashes.of_files(paths[number:] + paths[:number]), range(8)))
    assert {digest for digests in found for digest in digests} == {artifacts.sha256(paths[0])}
    reads.clear()
    hashes._known.clear()
    hashes.of_files(paths)
    assert not reads
    assert len(remembered()) == 8


def test_what_others_could_have_written_is_not_read(tmp_path: Path, reads: list[str]) -> None:
    path = large(tmp_path / "weights")
    anew(path)
    folder = remembered()[0].parent
    folder.chmod(0o777)
    anew(path)
    assert len(reads) == 2
    folder.chmod(0o700)
    anew(path)
    assert len(reads) == 2


def test_small_files_leave_nothing_behind(tmp_path: Path) -> None:
    path = written(tmp_path / "config.json", b"{}")
    assert anew(path) == artifacts.sha256(path)
    assert list(tmp_path.iterdir()) == [path]


def test_gigabytes_are_announced_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(hashes, "LARGE", 2 * hashes.SMALL)
    paths = [large(tmp_path / "one"), large(tmp_path / "two")]
    hashes.of_files(paths[:1])
    assert not capsys.readouterr().err
    hashes._known.clear()
    monkeypatch.setattr(hashes, "LARGE", hashes.SMALL)
    hashes.of_files(paths)
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"w2s: reading 0.0 GB to identify {paths[1]} by content, once, until they change"
    hashes.of_files(paths)
    assert not capsys.readouterr().err


def test_a_project_that_cannot_be_written_is_planned_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = large(tmp_path / "weights")
    (tmp_path / "work").write_text("a file")
    monkeypatch.setattr(hashes, "LARGE", hashes.SMALL)
    assert anew(path) == anew(path) == artifacts.sha256(path)
    assert "by content, every time (work: File exists)" in capsys.readouterr().err


def test_a_folder_is_its_names_and_contents(tmp_path: Path, reads: list[str]) -> None:
    folder = tmp_path / "images"
    folder.mkdir()
    one, two = large(folder / "1"), large(folder / "2")

    def whole(*names: str) -> str:
        hashes._known.clear()
        return hashes.of_folder(folder, names)

    both = whole("1", "2")
    assert both == whole("1", "2") != whole("1")
    assert reads == ["1", "2", "1"]
    time.sleep(0.02)
    change_in_place(two)
    assert whole("1", "2") != both
    one.rename(folder / "3")
    two.rename(folder / "1")
    (folder / "3").rename(folder / "2")
    assert whole("1", "2") != both
