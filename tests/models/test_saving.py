"""A classifier that was saved is transformers' own, with the same logits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from w2s.errors import UserError
from w2s.models import classifier, encoding, saving
from w2s.models.classifier import Computing

TEXTS = ["yes no maybe", "no", "so maybe yes"]


def test_small_changes_by_adapters_outlive_a_base_model_in_less_precision(
    models: dict[str, Path], tmp_path: Path
) -> None:
    """Merged in bfloat16, what they change would be rounded away."""
    base = models["qwen"]
    computing = Computing("bfloat16", {"rank": 2, "alpha": 4.0})
    network, frozen = (classifier.load(base, [" no", " yes"], computing) for _ in range(2))
    adapted: Any = next(module for module in network.modules() if hasattr(module, "lora_A"))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for factor in (adapted.lora_A, adapted.lora_B):
            factor["default"].weight.copy_(torch.randn(factor["default"].weight.shape, generator=generator) * 3e-3)
        expected = adapted.get_delta_weight("default").float()
    saving.classifier(network, base, tmp_path)
    kept = load_file(tmp_path / "model.safetensors")
    before = {name: value.float() for name, value in frozen.backbone.state_dict().items() if "lora_" not in name}
    changes = [kept[f"model.{name.replace('base_layer.', '')}"] - value for name, value in before.items()]
    (change,) = [one for one in changes if one.any()]
    torch.testing.assert_close(change, expected, atol=1e-7, rtol=1e-2)


@pytest.mark.parametrize("adapters", [None, {"rank": 2, "alpha": 4.0}])
@pytest.mark.parametrize("name", ["gpt2", "neox", "llama", "qwen", "gemma3", "olmo2"])
def test_transformers_loads_it_and_gives_the_same_logits(
    models: dict[str, Path], name: str, tmp_path: Path, adapters: dict[str, Any] | None
) -> None:
    base = models[name]
    network = classifier.load(base, [" no", " yes"], Computing(adapters=adapters))
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
    texts = [torch.tensor(ids) for ids in encoding.encode(base, TEXTS, 64)]
    padded, lengths = pad_sequence(texts, batch_first=True), torch.tensor([len(ids) for ids in texts])
    with torch.no_grad():
        expected = network(padded, lengths)
        saving.classifier(network, base, tmp_path)
        model = AutoModelForSequenceClassification.from_pretrained(tmp_path)
        tokenizer = AutoTokenizer.from_pretrained(tmp_path)
        found = torch.cat([model(**tokenizer(text, return_tensors="pt")).logits for text in TEXTS])
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_a_model_without_a_counterpart_is_refused(tmp_path: Path, models: dict[str, Path]) -> None:
    """Before it is trained: its weights could not be read by anyone."""
    network = classifier.load(models["llama"], [" no", " yes"])
    with pytest.raises(UserError, match=r"transformers has no classifier with this model's weights; set execution"):
        saving.counterpart(network, models["gpt2"])
