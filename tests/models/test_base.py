"""Local models are known by the whole content of their files, and a job uses the content that its key speaks of."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.models.making import made, rung
from w2s.errors import UserError
from w2s.models import base
from w2s.models.plan import open_model


@pytest.fixture
def folder(models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local model, in a project of its own."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(models["llama"], tmp_path / "model")
    return tmp_path / "model"


def change(path: Path, start: int, count: int) -> None:
    with path.open("r+b") as file:
        file.seek(start)
        file.write(os.urandom(count))


def test_weights_of_which_a_quarter_changes_are_another_model(folder: Path) -> None:
    """None of what changes lies in the first, middle or last MiB."""
    weights = folder / "model.safetensors"
    weights.write_bytes(bytes(25 * 2**20))
    before = open_model(rung(folder)).key
    change(weights, 2 * 2**20, 6 * 2**20)
    assert open_model(rung(folder)).key != before


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
def test_a_git_lfs_pointer_is_called_so_by_the_plan(name: str, folder: Path) -> None:
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(UserError, match=f"rung 'tiny': .*{name}: a Git LFS pointer, .*`git lfs pull`"):
        open_model(rung(folder))


def test_a_gguf_file_that_is_a_git_lfs_pointer_is_called_so(tmp_path: Path) -> None:
    (tmp_path / "a.gguf").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    with pytest.raises(UserError, match=r"rung 'tiny': .*a.gguf: a Git LFS pointer"):
        open_model(rung(tmp_path / "a.gguf"))


def test_weights_that_change_after_the_plan_are_not_used_under_its_key(folder: Path) -> None:
    weights = folder / "model.safetensors"
    wanted = rung(folder, sum(weight.numel() for weight in load_file(weights).values()))
    planned = open_model(wanted)
    out = made(wanted, planned)
    assert base.directory_of(out) == folder
    change(weights, weights.stat().st_size - 8, 8)
    said = "model.safetensors has changed since this job was planned; run the same command again"
    with pytest.raises(UserError, match=said):
        base.directory_of(out)
    shutil.rmtree(out)
    with pytest.raises(UserError, match=f"rung 'tiny': .*{said}"):
        made(wanted, planned)
    weights.unlink()
    with pytest.raises(UserError, match=r"rung 'tiny': .*model.safetensors cannot be read \(No such file"):
        made(wanted, planned)
