"""GGUF files of Llama models, written with the gguf package as llama.cpp's converter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

gguf = pytest.importorskip("gguf", reason="gguf is not installed (pip install -e '.[gguf]'): no GGUF file is read")


def write(model: Path, path: Path, *, architecture: str = "llama", without: str = "nothing") -> Path:
    """The model of a directory as a GGUF file in float32.

    architecture: what the file says of itself. without: the GGUF name of a tensor that is left out.
    """
    config = json.loads((model / "config.json").read_text())
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(model.name)
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    writer.add_rope_freq_base(config["rope_parameters"]["rope_theta"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    _add_tokenizer(writer, model)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config["num_hidden_layers"])
    for name, weight in load_file(model / "model.safetensors").items():
        written = names.get_name(name, try_suffixes=(".weight",))
        heads = {"q": config["num_attention_heads"], "k": config["num_key_value_heads"]}
        if "q_proj" in name or "k_proj" in name:
            weight = _interleaved(weight, heads[name.split("_proj")[0][-1]])
        if written != without:
            writer.add_tensor(written, weight.astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _interleaved(weight: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a projection in llama.cpp's order, which has the two halves of each head's rotation side by side."""
    return weight.reshape(heads, 2, -1, weight.shape[1]).swapaxes(1, 2).reshape(weight.shape)


def _add_tokenizer(writer: Any, model: Path) -> None:
    """Byte-level BPE, or BPE with scores as SentencePiece has it."""
    described = json.loads((model / "tokenizer.json").read_text())
    special = {one["content"] for one in described["added_tokens"]}
    tokens = sorted(described["model"]["vocab"], key=described["model"]["vocab"].get)
    is_scored = described["model"]["byte_fallback"]
    writer.add_tokenizer_model("llama" if is_scored else "gpt2")
    writer.add_token_list(tokens)
    writer.add_token_types([3 if token in special else 1 for token in tokens])
    if is_scored:
        ranks = {"".join(pair): rank for rank, pair in enumerate(described["model"]["merges"])}
        writer.add_token_scores([-float(ranks.get(token, len(tokens))) for token in tokens])
    else:
        writer.add_token_merges([" ".join(pair) for pair in described["model"]["merges"]])
    for name, add in (("bos_token", writer.add_bos_token_id), ("eos_token", writer.add_eos_token_id)):
        named = json.loads((model / "tokenizer_config.json").read_text()).get(name)
        if named:
            add(tokens.index(named))
