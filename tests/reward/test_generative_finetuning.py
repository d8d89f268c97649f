"""Generative finetuning reads the training halves alone, looks at no preference, and writes a whole base model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from w2s.engine import artifacts
from w2s.models import encoding, generator, saving
from w2s.models.classifier import Computing
from w2s.reward.generative_finetuning import completions

PARTS = ("weak", "strong", "test")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    columns: dict[str, list[Any]] = {
        "part": list(PARTS),
        "prefix": [" no", " no", " maybe"],
        "first": [" yes", " yes", " yes"],
        "second": [" so", " no", " no"],
        "label": [0, 1, 1],
    }
    artifacts.write_table(tmp_path / "examples.parquet", columns)
    return tmp_path


def test_every_completion_of_the_halves_is_learned_once_and_ended(data: Path, models: dict[str, Path]) -> None:
    base = models["llama"]
    learned = completions(data, base, 64)
    tokenizer, end = encoding.tokenizer_of(base), encoding.end_of(base)
    targets = [encoding.texts_of(tokenizer, [target])[0] for target in learned.targets]
    assert targets == [" yes", " so", " no"]  # " yes" behind " no" once; the test set's prefix not at all
    assert all(target[-1] == end for target in learned.targets)


def test_long_completions_keep_their_end_and_a_token_to_start_from(data: Path, models: dict[str, Path]) -> None:
    for base in models.values():
        learned = completions(data, base, 3)
        assert max(learned.inputs.lengths) <= 2
        assert all(
            length >= len(target) for length, target in zip(learned.inputs.lengths, learned.targets, strict=True)
        )


@pytest.mark.parametrize("adapters", [None, {"rank": 2, "alpha": 4.0}])
@pytest.mark.parametrize("name", ["gpt2", "neox", "llama", "qwen"])
def test_what_is_saved_computes_what_was_trained(
    models: dict[str, Path], name: str, tmp_path: Path, adapters: dict[str, float] | None
) -> None:
    model = models[name]
    network = generator.load(model, Computing(adapters=adapters))
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)) * 0.1)
    ids, rows, places = torch.tensor([[1, 2, 3, 4]]), torch.zeros(4, dtype=torch.long), torch.arange(4)
    with torch.no_grad():
        expected, base = network(ids, rows, places), generator.load(model)(ids, rows, places)
        saving.language_model(network, model, tmp_path)
        found = generator.load(tmp_path)(ids, rows, places)
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(found, base, atol=1e-2)
    assert encoding.bare_ids(encoding.tokenizer_of(tmp_path), ["yes"]) == encoding.bare_ids(
        encoding.tokenizer_of(model), ["yes"]
    )


def test_small_changes_outlive_a_base_model_that_is_kept_in_less_precision(
    models: dict[str, Path], tmp_path: Path
) -> None:
    """Weights are trained in float32 whatever the files hold, and so they are written."""
    base, out = shutil.copytree(models["neox"], tmp_path / "base"), tmp_path / "out"
    weights = {name: value.bfloat16() for name, value in load_file(base / "model.safetensors").items()}
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((base / "config.json").read_text())
    (base / "config.json").write_text(json.dumps(config | {"dtype": "bfloat16"}))
    network = generator.load(base)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.mul_(1 + 1e-4)  # less than bfloat16 can tell
    trained = {name: value.clone() for name, value in network.state_dict().items()}
    saving.language_model(network, base, out)
    for name, value in generator.load(out).state_dict().items():
        torch.testing.assert_close(value, trained[name], atol=0, rtol=1e-6)
