"""Pretrain one rung of an own ladder: packed sequences, AdamW, warm-up and cosine decay.

The corpus is one stream of tokens cut into blocks, so no computation goes to padding. The result is an
ordinary model directory: ``AutoModelForCausalLM`` and ``AutoTokenizer`` load it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from w2s import artifacts
from w2s.checkpoints import Checkpoint
from w2s.device import device
from w2s.errors import UserError
from w2s.models.corpus import END
from w2s.progress import Progress

CLIP = 1.0  # gradient norm
BETAS = (0.9, 0.98)
FINAL_RATE = 0.05  # of the peak learning rate, where the cosine ends


def make(build: artifacts.Build, corpus: Path) -> None:
    """Write config, weights and tokenizer of one pretrained rung."""
    spec, training = build.identity.spec, build.identity.spec["training"]
    record = artifacts.read(corpus)
    tokens = np.load(corpus / "tokens.npy")
    blocks = _blocks(tokens, training["block"], corpus)
    model = new_model(spec["shape"], record["spec"]["vocabulary"], training["seed"])
    loss = _train(model, blocks, spec, build)
    model.save_pretrained(build.folder)  # type: ignore[operator]
    (build.folder / "generation_config.json").unlink(missing_ok=True)
    _save_tokenizer(corpus / "tokenizer.json", build.folder)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    build.measured |= {
        "parameters": parameters,
        "tokens": spec["tokens"],
        "flop": 6.0 * parameters * spec["tokens"],
        "final_loss": round(loss, 4),
        "device": str(next(model.parameters()).device),
    }


def new_model(shape: Mapping[str, int], vocabulary: int, seed: int) -> torch.nn.Module:
    """A Llama-class decoder with tied embeddings and random weights that follow from the seed."""
    from transformers import LlamaConfig, LlamaForCausalLM
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=shape["width"],
        intermediate_size=shape["intermediate"],
        num_hidden_layers=shape["layers"],
        num_attention_heads=shape["heads"],
        num_key_value_heads=shape["heads"],
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=0,
        eos_token_id=0,
        use_cache=False,
    )
    model: torch.nn.Module = LlamaForCausalLM(config)
    return model


def _blocks(tokens: np.ndarray, block: int, corpus: Path) -> torch.Tensor:
    """(blocks, block) int64, the last few tokens left over."""
    count = len(tokens) // block
    if not count:
        raise UserError(f"{corpus}: {len(tokens)} tokens do not fill one block of {block}")
    return torch.from_numpy(tokens[: count * block].astype(np.int64)).view(count, block)


def _order(blocks: int, needed: int, seed: int) -> torch.Tensor:
    """Block numbers in training order: every block once, in a fresh order each time round."""
    generator = torch.Generator().manual_seed(seed)
    rounds = -(-needed // blocks)
    return torch.cat([torch.randperm(blocks, generator=generator) for _ in range(rounds)])[:needed]


def rate(step: int, steps: int, warmup: float) -> float:
    """Learning rate over its peak: linear warm-up, then a cosine down to ``FINAL_RATE``."""
    rising = max(1, round(warmup * steps))
    if step < rising:
        return (step + 1) / rising
    done = (step - rising) / max(1, steps - rising)
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * done))


def _train(model: torch.nn.Module, blocks: torch.Tensor, spec: Mapping[str, Any], build: artifacts.Build) -> float:
    training = spec["training"]
    steps = max(1, spec["tokens"] // (training["block"] * training["batch"]))
    order = _order(len(blocks), steps * training["batch"], training["seed"]).view(steps, -1)
    where = device()
    model.to(where).train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=training["learning_rate"],
        betas=BETAS,
        weight_decay=training["weight_decay"],
        fused=True,
    )
    checkpoint = Checkpoint(build.work / "checkpoint.pt", {"model": model, "optimizer": optimizer})
    first, loss = checkpoint.resume({"loss": math.nan})
    progress = Progress(steps, "tokens", start=first)
    for step in range(first, steps):
        for group in optimizer.param_groups:
            group["lr"] = training["learning_rate"] * rate(step, steps, training["warmup"])
        ids = blocks[order[step]].to(where)
        logits = model(input_ids=ids).logits
        value = cross_entropy(logits[:, :-1].flatten(0, 1), ids[:, 1:].flatten())
        optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        loss["loss"] = value.item()
        if not math.isfinite(loss["loss"]):
            raise UserError(f"pretraining diverged at step {step} (loss {loss['loss']}); lower the learning rate")
        progress.update(step + 1, ids.numel(), f"loss {loss['loss']:.3f}")
        checkpoint.maybe_save(step + 1, loss)
    return float(loss["loss"])


def _save_tokenizer(tokenizer: Path, folder: Path) -> None:
    (folder / "tokenizer.json").write_bytes(tokenizer.read_bytes())
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": END,
        "eos_token": END,
        "pad_token": END,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
    }
    artifacts.write_json(folder / "tokenizer_config.json", settings)
