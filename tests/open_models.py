"""Tiny random base models of the architectures of the shipped ladders, as ``save_pretrained`` writes them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, processors
from transformers import (
    Gemma3ForCausalLM,
    Gemma3TextConfig,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    Olmo2Config,
    Olmo2ForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from w2s.models.tokenizer import END, train_tokenizer

WORDS = ["Is it so? yes no", "Question: does Mira eat figs?\nAnswer: no", "0 1 0 1 yes yes no no", "A long tale."] * 40
VOCABULARY = 300
LIMIT = 64  # tokens
WIDTH, LAYERS, HEADS = 16, 2, 2

CONFIGS: dict[str, Callable[[], Any]] = {
    # tied, dropout on by default, absolute positions, no start token
    "gpt2": lambda: GPT2LMHeadModel(
        GPT2Config(vocab_size=VOCABULARY, n_embd=WIDTH, n_layer=LAYERS, n_head=HEADS, n_positions=LIMIT)
    ),
    # untied
    "neox": lambda: GPTNeoXForCausalLM(
        GPTNeoXConfig(
            vocab_size=VOCABULARY,
            hidden_size=WIDTH,
            num_hidden_layers=LAYERS,
            num_attention_heads=HEADS,
            intermediate_size=32,
            max_position_embeddings=LIMIT,
            hidden_dropout=0.1,
            attention_dropout=0.1,
            tie_word_embeddings=False,
        )
    ),
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**_rotary(), tie_word_embeddings=False)),
    # tied, grouped queries
    "qwen": lambda: Qwen2ForCausalLM(Qwen2Config(**_rotary() | {"num_key_value_heads": 1}, tie_word_embeddings=True)),
    # tied, heads wider than the model, norms of queries and keys
    "qwen3": lambda: Qwen3ForCausalLM(
        Qwen3Config(**_rotary() | {"num_key_value_heads": 1, "head_dim": 16}, tie_word_embeddings=True)
    ),
    # norms after attention and feed-forward
    "olmo2": lambda: Olmo2ForCausalLM(
        Olmo2Config(**_rotary(), tie_word_embeddings=False, pad_token_id=0, eos_token_id=0)
    ),
    # tied and scaled embeddings, layers that see a window only
    "gemma3": lambda: Gemma3ForCausalLM(
        Gemma3TextConfig(
            **_rotary() | {"num_key_value_heads": 1, "head_dim": 16}, sliding_window=8, tie_word_embeddings=True
        )
    ),
}


def _rotary() -> dict[str, Any]:
    return {
        "vocab_size": VOCABULARY,
        "hidden_size": WIDTH,
        "intermediate_size": 32,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "max_position_embeddings": LIMIT,
        "attention_dropout": 0.1,
    }


def tokenizer_without_pad(start: bool) -> Tokenizer:
    """Byte-level BPE without a pad token; ``start``: one that puts a token before (and one behind) every text."""
    tokenizer = train_tokenizer(WORDS, VOCABULARY)
    end = tokenizer.token_to_id(END)
    template = f"{END} $A {END}" if start else "$A"
    special = [(END, end)] if start else []
    tokenizer.post_processor = processors.TemplateProcessing(single=template, special_tokens=special)
    return tokenizer


def save(folder: Path, name: str, seed: int = 0) -> Path:
    """A model directory of an architecture; llama's tokenizer has a start token, the others' have none."""
    torch.manual_seed(seed)
    CONFIGS[name]().save_pretrained(folder)
    tokenizer = tokenizer_without_pad(start=name == "llama")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token=END).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Architecture -> its directory."""
    root = tmp_path_factory.mktemp("models")
    return {name: save(root / name, name) for name in CONFIGS}


@pytest.fixture(params=list(CONFIGS))
def model(request: pytest.FixtureRequest, models: dict[str, Path]) -> Path:
    """One of the directories."""
    return models[request.param]
