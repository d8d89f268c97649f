"""Every writer on a full disk ends in one line that names the file and what it needed."""

from __future__ import annotations

import errno
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError

from w2s.engine import artifacts, space
from w2s.errors import UserError
from w2s.graph.artifact import Identity
from w2s.models.tokenizer import train_tokenizer, write_corpus, write_tokens

FULL = Path("/dev/full")
DOCUMENTS = ["a white knight takes the bishop"] * 50
pytestmark = pytest.mark.skipif(not FULL.exists(), reason="needs Linux's /dev/full")


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Makes a file to which nothing can be written; names that are drawn are always the same."""
    monkeypatch.setattr("w2s.engine.artifacts.secrets.token_hex", lambda count: "0" * 2 * count)

    def made(name: str) -> Path:
        (tmp_path / name).symlink_to(FULL)
        return tmp_path / name

    return made


def one_line(path: Path, write: Callable[[Path], object]) -> None:
    with pytest.raises(UserError) as caught:
        write(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: no space left on the disk: it needs ")
    assert message.endswith(" are free; make room and run the same command again")
    assert "\n" not in message


def npy(path: Path) -> None:
    values = np.zeros((300, 300))
    with space.room_for(path, values.nbytes):
        np.save(path, values)


def checkpoint(path: Path) -> None:
    with space.room_for(path, 400_000), path.open("wb") as file:
        torch.save({"weight": torch.zeros(100_000)}, file)


WRITERS: dict[str, Callable[[Path], object]] = {
    "a table": lambda path: artifacts.write_table(path, {"number": list(range(50_000))}),
    "an array": npy,
    "torch": checkpoint,
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_one_line_with_the_file_and_what_it_needs(name: str, full: Callable[[str], Path]) -> None:
    one_line(full("file.npy"), WRITERS[name])


def test_a_tokenizer_on_a_full_disk_is_one_line(full: Callable[[str], Path]) -> None:
    path = full("tokenizer.json")
    one_line(path, lambda path: write_corpus(path.parent, DOCUMENTS, 270))


def test_a_text_file_on_a_full_disk_is_one_line_and_leaves_the_old_one(
    full: Callable[[str], Path], tmp_path: Path
) -> None:
    full(".run.json.00000000")
    (tmp_path / "run.json").write_text("old")
    one_line(tmp_path / "run.json", lambda path: artifacts.write_json(path, {"seed": 0}))
    assert (tmp_path / "run.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        Exception("No space left on device (os error 28)"),  # tokenizers, in Rust
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
        RuntimeError("[enforce fail at inline_container.cc:626] . unexpected pos 0; PytorchStreamWriter failed"),
        OSError("9000 requested and 512 written"),  # numpy
    ],
    ids=["full", "quota", "Rust", "safetensors", "torch", "numpy"],
)
def test_what_a_library_cannot_write_in_a_stage_is_one_line_with_its_file(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where a stage writes without saying how much."""
    monkeypatch.chdir(tmp_path)
    identity = Identity("finetune", 1, {"seed": 0}, {"data": "0123456789"})
    out = Path("results") / f"s0-{identity.key}"
    said = r"weights.npy: no space left on the disk: it has 2.0 KiB and needs more, "
    with pytest.raises(UserError, match=said), artifacts.building(out, identity) as build:  # noqa: PT012
        assert build is not None
        (build.folder / "weights.npy").write_bytes(bytes(2048))
        raise error
    assert not list(Path("results").iterdir())


def test_a_stream_of_tokens_on_a_full_disk_is_one_line_with_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    identity = Identity("corpus", 1, {"seed": 0}, {})
    out = Path("results") / f"corpus-{identity.key}"
    said = r"tokens.npy: no space left on the disk: "
    with pytest.raises(UserError, match=said), artifacts.building(out, identity) as build:  # noqa: PT012
        assert build is not None
        (build.folder / "tokens.npy").symlink_to(FULL)
        write_tokens(build.folder / "tokens.npy", train_tokenizer(DOCUMENTS, 270), DOCUMENTS)


@pytest.mark.parametrize("error", [OSError(errno.EACCES, "Permission denied", "x"), ValueError("a bug"), KeyError(28)])
def test_other_errors_are_left_alone(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(type(error)), space.room_for(tmp_path / "file", 1):
        raise error


def test_a_command_outside_of_stages_is_one_line_too(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom w2s import cli\nfrom w2s.cli import stages\n"
        "def full(options): raise Exception('No space left on device (os error 28)')\n"
        "stages.run = full\nsys.exit(cli.main(['stages']))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("w2s: .: no space left on the disk: ")
    assert len(done.stderr.splitlines()) == 1


def test_amounts_are_in_words() -> None:
    assert [space.amount(size) for size in (512, 3 * 2**20, 5 * 2**29)] == ["0.5 KiB", "3.0 MiB", "2.5 GiB"]
