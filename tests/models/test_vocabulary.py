"""Only the embedding's rows that a run's texts use are trained."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformers import Gemma3ForCausalLM, Gemma3TextConfig, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from w2s.models.classifier import Classifier, Computing, backbone_of
from w2s.models.vocabulary import keep_used_rows
from w2s.training.batching import Texts
from w2s.training.loop import linear_decay, probabilities

VOCABULARY, WIDTH = 70_000, 64
TEXTS = [[9, 69_999, 12, 400], [12, 31_000, 2], [9, 9, 50_505, 3, 17], [400, 2]]
SHARED = {"vocab_size": VOCABULARY, "hidden_size": WIDTH, "intermediate_size": 64, "num_hidden_layers": 1}
HEADS = {"num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 32}


def gemma() -> PreTrainedModel:
    """Scales its embedding, and names a padding token."""
    return Gemma3ForCausalLM(Gemma3TextConfig(**SHARED, **HEADS, pad_token_id=0))


def llama() -> PreTrainedModel:
    return LlamaForCausalLM(LlamaConfig(**SHARED, **HEADS, tie_word_embeddings=False))


def llama_with_padding() -> PreTrainedModel:
    """Its padding token, which gets no gradient, is in the texts."""
    return LlamaForCausalLM(LlamaConfig(**SHARED, **HEADS, pad_token_id=12))


def trained(network: Classifier, texts: Texts) -> Tensor:
    """Probabilities after a few steps."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.0, fused=True)
    labels = torch.tensor([1, 0, 1, 0])
    for step in range(3):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * linear_decay(step, 3)
        ids, lengths = texts.tensors(range(4), torch.device("cpu"))
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(ids, lengths), labels).backward()
        optimizer.step()
    return probabilities(network, texts)


@pytest.mark.parametrize("make", [gemma, llama, llama_with_padding])
def test_training_is_the_same_and_unused_rows_stay(make: type, tmp_path: Path) -> None:
    torch.manual_seed(0)
    make().save_pretrained(tmp_path)
    backbone, unembedding = backbone_of(tmp_path, Computing())
    network = Classifier(backbone, unembedding[:2])
    other, texts = copy.deepcopy(network), Texts(TEXTS)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    undo = keep_used_rows(network, texts.used())
    embedding = next(network.backbone.parameters())
    assert len(embedding) == len({token for text in TEXTS for token in text} | {0})
    assert torch.equal(trained(network, texts), trained(other, texts))
    undo()
    after = network.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], value) for name, value in other.state_dict().items())
    assert any(not torch.equal(after[name], value) for name, value in before.items())
    assert torch.equal(probabilities(network, texts), probabilities(other, texts))


def test_small_vocabularies_frozen_and_shared_embeddings_are_left_alone() -> None:
    small = LlamaForCausalLM(LlamaConfig(**{**SHARED, **HEADS, "vocab_size": 1_000}))
    frozen, shared = llama(), LlamaForCausalLM(LlamaConfig(**SHARED, **HEADS, tie_word_embeddings=True))
    frozen.requires_grad_(False)
    for network in (small, frozen, shared):
        weight = network.get_input_embeddings().weight
        keep_used_rows(network, torch.tensor([5, 6]))()
        assert network.get_input_embeddings().weight is weight
