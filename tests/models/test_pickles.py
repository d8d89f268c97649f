"""Weights of the older kind are pickles: what holds more than weights is refused when the model is opened."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from w2s.errors import UserError
from w2s.models import base


class Harmful:
    """Would run a command when it is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"touch {self.trace}",)


@pytest.fixture
def folder(models: dict[str, Path], tmp_path: Path) -> Path:
    """A base model whose weights are to be stored in the older kind of file."""
    shutil.copytree(models["gpt2"], tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    return tmp_path / "model"


@pytest.mark.parametrize("zipped", [True, False])
def test_weights_alone_are_opened_and_code_is_refused_without_being_run(
    folder: Path, models: dict[str, Path], tmp_path: Path, zipped: bool
) -> None:
    weights = load_file(models["gpt2"] / "model.safetensors")
    path = folder / "pytorch_model.bin"
    torch.save(weights, path, _use_new_zipfile_serialization=zipped)
    assert base.describe(folder, "rung 'a'")["parameters"] > 0
    torch.save({**weights, "more": Harmful(tmp_path / "ran")}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(UserError, match=r"rung 'a': .*pytorch_model.bin is not a file of weights alone") as caught:
        base.describe(folder, "rung 'a'")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("content", [b"", b"no pickle", b"PK\x03\x04 cut off"])
def test_what_is_no_file_of_weights_is_one_line(folder: Path, content: bytes) -> None:
    (folder / "pytorch_model.bin").write_bytes(content)
    with pytest.raises(UserError, match=r"pytorch_model.bin is not a file of weights alone"):
        base.describe(folder, "rung 'a'")
