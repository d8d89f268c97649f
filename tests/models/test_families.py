"""Model families that cannot do what a run needs are refused in one line that names what they lack."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import MambaConfig, MambaForCausalLM, OpenAIGPTConfig, OpenAIGPTLMHeadModel

from w2s.errors import UserError
from w2s.models import classifier, generator
from w2s.models.classifier import Computing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A state space model, and one from before KV caches."""
    made = {
        "mamba": MambaForCausalLM(MambaConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, state_size=4)),
        "gpt-1": OpenAIGPTLMHeadModel(OpenAIGPTConfig(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32)),
    }
    folder = tmp_path_factory.mktemp("families")
    for name, model in made.items():
        model.save_pretrained(folder / name)
    return {name: folder / name for name in made}


@pytest.mark.parametrize(("name", "kind"), [("mamba", "MambaModel"), ("gpt-1", "OpenAIGPTModel")])
def test_a_model_without_a_kv_cache_does_not_generate(name: str, kind: str, families: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=f"{name}: {kind} is not supported: it has no KV cache"):
        generator.load(families[name])


def test_a_model_that_takes_no_adapters_says_so(families: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="MambaModel does not support adapters"):
        classifier.backbone_of(families["mamba"], Computing(adapters={"rank": 2, "alpha": 4}))


def test_a_model_that_cannot_recompute_says_so(families: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=r"OpenAIGPTLMHeadModel does not support .* set checkpointing: false$"):
        classifier.backbone_of(families["gpt-1"], Computing(checkpointing=True))
