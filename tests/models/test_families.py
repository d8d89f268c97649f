"""What model families cannot do is refused in one line that names it; what they do otherwise is noticed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from torch.nn.utils.rnn import pad_sequence
from transformers import (
    BartConfig,
    BartForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    OpenAIGPTConfig,
    OpenAIGPTLMHeadModel,
    Phi3Config,
    Phi3ForCausalLM,
)

from w2s.errors import UserError
from w2s.models import base, classifier, encoding, generator
from w2s.models.classifier import Computing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def families(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A state space model, one from before KV caches, a half of an encoder-decoder, and one that caps its logits."""
    bart = {"decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 32, "max_position_embeddings": 32}
    gemma = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1}
    made = {
        "bart": BartForCausalLM(BartConfig(vocab_size=50, d_model=16, encoder_layers=1, **bart)),
        "gemma-2": Gemma2ForCausalLM(Gemma2Config(vocab_size=50, intermediate_size=32, head_dim=8, **gemma)),
        "mamba": MambaForCausalLM(MambaConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, state_size=4)),
        "gpt-1": OpenAIGPTLMHeadModel(OpenAIGPTConfig(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32)),
    }
    folder = tmp_path_factory.mktemp("families")
    for name, model in made.items():
        model.save_pretrained(folder / name)
    return {name: folder / name for name in made}


@pytest.mark.parametrize(
    ("name", "kind"), [("mamba", "MambaModel"), ("gpt-1", "OpenAIGPTModel"), ("bart", "BartDecoderWrapper")]
)
def test_a_model_without_a_kv_cache_does_not_generate(name: str, kind: str, families: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=f"{name}: {kind} is not supported: it has no KV cache"):
        generator.load(families[name])


def test_a_cap_on_logits_is_noticed_though_those_of_a_small_model_are_small(families: dict[str, Path]) -> None:
    """Random weights give logits of 0.1, which a cap at 30 changes by less than any tolerance."""
    with pytest.raises(UserError, match="Gemma2ForCausalLM changes its logits after the unembedding"):
        generator.load(families["gemma-2"])


def test_a_model_that_takes_no_adapters_says_so(families: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="MambaModel does not support adapters"):
        classifier.backbone_of(families["mamba"], Computing(adapters={"rank": 2, "alpha": 4}))


def test_a_model_that_cannot_recompute_says_so(families: dict[str, Path]) -> None:
    with pytest.raises(UserError, match=r"OpenAIGPTLMHeadModel does not support .* set checkpointing: false$"):
        classifier.backbone_of(families["gpt-1"], Computing(checkpointing=True))


@pytest.mark.parametrize("kind", ["longrope", "su"])
def test_a_text_reads_the_same_alone_and_beside_a_long_one(kind: str, models: dict[str, Path], tmp_path: Path) -> None:
    """Beyond what it was pretrained on, a Phi-3 turns the keys of all texts of a batch by other angles."""
    folder = tmp_path / "phi-3"
    shutil.copytree(models["qwen"], folder)
    angles = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 4, "long_factor": [4.0] * 4}
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    limits = {"max_position_embeddings": 128, "original_max_position_embeddings": 16}
    torch.manual_seed(0)
    Phi3ForCausalLM(
        Phi3Config(vocab_size=300, pad_token_id=0, **shape, **limits, rope_parameters=angles)
    ).save_pretrained(folder)
    if kind == "su":  # as its first configs say
        config = json.loads((folder / "config.json").read_text())
        old = {name: value for name, value in config.pop("rope_parameters").items() if name.endswith("_factor")}
        config |= {"rope_scaling": {"type": "su"} | old, "rope_theta": 1e4}
        (folder / "config.json").write_text(json.dumps(config))
    assert base.max_length(folder) == 16
    if kind == "su":
        return  # today's library asks for the newer keys
    texts = [torch.tensor(ids) for ids in encoding.encode(folder, ["Is it so? yes", "A long tale. " * 30], 100)]
    network = classifier.load(folder, (" no", " yes")).eval()
    lengths = torch.tensor([len(text) for text in texts])
    together = network(pad_sequence(texts, batch_first=True), lengths)
    torch.testing.assert_close(together[:1], network(texts[0][None], lengths[:1]), atol=1e-6, rtol=1e-5)
    assert lengths.tolist()[1] == 16
