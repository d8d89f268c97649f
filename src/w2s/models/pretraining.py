"""Pretrain one rung of an own ladder: packed sequences, AdamW, warm-up and cosine decay.

The corpus is one stream of tokens cut into blocks, so no computation goes to padding. The result is an
ordinary model directory: ``AutoModelForCausalLM`` and ``AutoTokenizer`` load it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, linear_cross_entropy

from w2s.engine import artifacts
from w2s.engine.checkpoints import Checkpoint, Stateful
from w2s.engine.devices import compile_where_it_pays, described, device
from w2s.engine.memory import Budget, budget_of
from w2s.engine.progress import Progress
from w2s.engine.space import room_for
from w2s.errors import DivergedError, UserError
from w2s.models import decoder
from w2s.models.decoder import Decoder
from w2s.models.tokenizer import END

CLIP = 1.0  # gradient norm
BETAS = (0.9, 0.98)
FINAL_RATE = 0.05  # of the peak learning rate, where the cosine ends


def make(build: artifacts.Build, corpus: Path) -> None:
    """Write config, weights and tokenizer of one pretrained rung."""
    spec, training = build.identity.spec, build.identity.spec["training"]
    record = artifacts.read(corpus)
    blocks = Blocks(corpus / "tokens.npy", training["block"])
    model: Any = new_model(spec["shape"], record["spec"]["vocabulary"], training["seed"])
    parameters = sum(parameter.numel() for parameter in model.parameters())
    flop = 6.0 * parameters * spec["tokens"]
    where = device()
    shape = decoder.shape_of(model.config.to_diff_dict())
    assert shape, model.config
    network = decoder.with_weights(shape, model.model.state_dict(), corpus).to(where)
    compile_where_it_pays(network, where, flop)
    loss, budget = _train(network, blocks, spec, build, where)
    model.model.load_state_dict(network.state_dict())
    with room_for(build.folder / "model.safetensors", sum(weight.nbytes for weight in model.parameters())):
        model.save_pretrained(build.folder)
    (build.folder / "generation_config.json").unlink(missing_ok=True)
    _save_tokenizer(corpus / "tokenizer.json", build.folder)
    build.measured |= {
        "parameters": parameters,
        "tokens": spec["tokens"],
        "flop": flop,
        "final_loss": round(loss, 4),
        "device": described(where),
    } | budget.record()


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


class Blocks:
    """A stream of tokens in memory or on disk, cut into blocks; the last few tokens are left over."""

    def __init__(self, path: Path, block: int) -> None:
        stream = np.load(path, mmap_mode="r")
        self.count = len(stream) // block
        if not self.count:
            raise UserError(f"{path}: {len(stream)} tokens do not fill one block of {block}")
        self._blocks = stream[: self.count * block].reshape(self.count, block)

    def batches(self, order: Tensor, where: torch.device) -> Iterator[Tensor]:
        """(batch, block) ids on a device for each row of (steps, batch) block numbers.

        A GPU gets the next batch while it computes with this one.
        """
        following: Tensor | None = None
        for numbers in order:
            ready, following = following, self._sent(numbers, where)
            if ready is not None:
                yield ready
        if following is not None:
            yield following

    def _sent(self, numbers: Tensor, where: torch.device) -> Tensor:
        batch = torch.from_numpy(self._blocks[numbers.numpy()].astype(np.int32))
        if where.type == "cuda":
            batch = batch.pin_memory()
        return batch.to(where, non_blocking=True).long()


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


def loss_of(network: Decoder, ids: Tensor) -> Tensor:
    """Mean cross entropy in nats of every token of (batch, block) ids but the first, given those before it.

    A GPU computes in bfloat16; weights and the loss are float32 there too.
    """
    weight, following = network.embed_tokens.weight, ids[:, 1:].flatten()
    if ids.device.type == "cpu":
        return linear_cross_entropy(network(ids)[:, :-1].flatten(0, 1), weight, following)
    with torch.autocast(ids.device.type, torch.bfloat16):
        logits = linear(network(ids)[:, :-1].flatten(0, 1), weight)
    return cross_entropy(logits.float(), following)


def backward(network: Decoder, ids: Tensor, tokens: int) -> float:
    """Add the gradient of (batch, block) ids' loss, so many tokens at a time at most (one block at least); the loss."""
    losses = []
    for part in ids.split(max(1, tokens // ids.shape[1])):
        loss = loss_of(network, part) * (len(part) / len(ids))
        loss.backward()
        losses.append(loss.detach())
    return float(torch.stack(losses).sum().item())


def optimizers_of(network: Decoder, training: Mapping[str, Any]) -> dict[str, torch.optim.Optimizer]:
    """AdamW; with ``muon`` in the recipe, Muon for the matrices between embeddings and unembedding.

    Muon's steps have the same size in all directions of a matrix, so that rare facts are learned as fast as frequent
    ones: smoke's rungs need about half the tokens. Each optimizer's default learning rate is its peak.
    """
    decay, rest = training["weight_decay"], list(network.parameters())
    optimizers: dict[str, torch.optim.Optimizer] = {}
    if training.get("muon"):
        embedding = network.embed_tokens.weight
        matrices = [weight for weight in rest if weight.ndim == 2 and weight is not embedding]
        rest = [weight for weight in rest if weight.ndim != 2 or weight is embedding]
        optimizers["muon"] = torch.optim.Muon(matrices, lr=training["muon"], weight_decay=decay)
    optimizers["optimizer"] = torch.optim.AdamW(
        rest, lr=training["learning_rate"], betas=BETAS, weight_decay=decay, fused=True
    )
    return optimizers


def _train(
    network: Decoder, blocks: Blocks, spec: Mapping[str, Any], build: artifacts.Build, where: torch.device
) -> tuple[float, Budget]:
    training = spec["training"]
    steps = max(1, spec["tokens"] // (training["block"] * training["batch"]))
    order = _order(blocks.count, steps * training["batch"], training["seed"]).view(steps, -1)
    network.train()
    optimizers = optimizers_of(network, training)
    budget = budget_of(where)
    parts: dict[str, Stateful] = {"model": network, **optimizers, "budget": budget}
    checkpoint = Checkpoint(build.work / "checkpoint.pt", parts)
    first, loss = checkpoint.resume({"loss": math.nan})
    progress = Progress(steps, "tokens", start=first)
    for step, ids in enumerate(blocks.batches(order[first:], where), start=first):
        for optimizer in optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = optimizer.defaults["lr"] * rate(step, steps, training["warmup"])

        def gradient(tokens: int, ids: Tensor = ids) -> float:
            network.zero_grad(set_to_none=True)
            return backward(network, ids, tokens)

        loss["loss"] = budget.attempt(gradient)
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        for optimizer in optimizers.values():
            optimizer.step()
        if not math.isfinite(loss["loss"]):
            raise DivergedError(
                f"diverged: pretraining loss {loss['loss']} at step {step} of {steps}; lower the learning rate"
            )
        progress.update(step + 1, ids.numel(), f"loss {loss['loss']:.3f}")
        checkpoint.maybe_save(step + 1, lambda: loss, last=step + 1 == steps)
    return float(loss["loss"]), budget


def _save_tokenizer(tokenizer: Path, folder: Path) -> None:
    with room_for(folder / "tokenizer.json", tokenizer.stat().st_size):
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
