"""The first blocks of an open model as a rung: what they compute, and mistakes in one line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from tests.models import gguf_files
from tests.models.making import made, rung
from w2s.config.ladder import OpenRung
from w2s.errors import UserError
from w2s.models import base
from w2s.models.plan import open_model

IDS = torch.tensor([[1, 5, 9, 2, 7]])


@pytest.fixture(autouse=True)
def in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def of(source: Path, blocks: int | None, parameters: int = 1) -> OpenRung:
    return rung(source, parameters).model_copy(update={"blocks": blocks})


def parameters_without_the_last_block(folder: Path) -> int:
    model = AutoModelForCausalLM.from_pretrained(folder)
    (layers,) = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    return int(sum(weight.numel() for weight in model.parameters()) - sum(w.numel() for w in layers[-1].parameters()))


@torch.no_grad()
def after_the_first_block(folder: Path) -> torch.Tensor:
    """Of the whole model of two blocks: its second block taken out by hand."""
    model = AutoModelForCausalLM.from_pretrained(folder)
    (layers,) = (module for module in model.modules() if isinstance(module, torch.nn.ModuleList))
    model.config.num_hidden_layers = 1
    del layers[1]
    return model(input_ids=IDS, use_cache=False).logits  # type: ignore[no-any-return]


def test_it_computes_what_the_model_does_without_its_last_block(model: Path) -> None:
    folder = base.directory_of(made(of(model, 1, parameters_without_the_last_block(model))))
    assert folder != model
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(folder)(input_ids=IDS, use_cache=False).logits
    torch.testing.assert_close(logits, after_the_first_block(model))


def test_a_gguf_file_has_first_blocks_too(models: dict[str, Path], tmp_path: Path) -> None:
    whole = models["llama"]
    file = gguf_files.write(whole, tmp_path / "tiny.gguf")
    folder = base.directory_of(made(of(file, 1, parameters_without_the_last_block(whole))))
    with torch.no_grad():
        logits = AutoModelForCausalLM.from_pretrained(folder)(input_ids=IDS, use_cache=False).logits
    torch.testing.assert_close(logits, after_the_first_block(whole))


def test_the_number_of_blocks_is_part_of_the_key(models: dict[str, Path]) -> None:
    source = models["qwen"]
    keys = [open_model(of(source, blocks)).key for blocks in (None, 1, 2)]
    assert len(set(keys)) == 3
    assert keys[0] == open_model(rung(source)).key


@pytest.mark.parametrize("count", [2, 5])
def test_as_many_blocks_as_there_are_or_more_are_refused(models: dict[str, Path], count: int) -> None:
    with pytest.raises(UserError, match=f"^rung 'tiny': blocks: {count} of 2; it should be fewer, or null"):
        made(of(models["neox"], count))


def test_parameters_are_those_that_are_kept(models: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="the ladder 7; correct the ladder"):
        made(of(models["llama"], 1, 7))


def test_a_directory_that_changed_after_the_plan_is_refused(models: dict[str, Path], tmp_path: Path) -> None:
    folder = Path(shutil.copytree(models["gpt2"], tmp_path / "copy"))
    wanted = of(folder, 1)
    planned = open_model(wanted)
    with (folder / "model.safetensors").open("ab") as end:
        end.write(b"more")
    with pytest.raises(UserError, match="has changed since this job was planned"):
        made(wanted, planned)
