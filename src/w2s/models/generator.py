"""A base model with its unembedding: logits at chosen positions for training, and generation with a KV cache."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from w2s.errors import UserError, first_line
from w2s.models import decoder, prefix
from w2s.models.classifier import Computing, check_recomputes, from_library, own_weights
from w2s.models.decoder import Decoder, KVCache, causal
from w2s.models.precision import Precision
from w2s.models.prefix import Prefix


@dataclass(frozen=True)
class LibraryCache:
    """The KV cache of a transformers model, for texts padded on the left. mask: (batch, tokens so far)."""

    values: Any
    mask: Tensor


Cache = list[KVCache] | LibraryCache


class Generator(nn.Module):
    """A decoder with its unembedding. output: None where that is the embedding (as in rungs pretrained here).

    ``backbone.forward`` is called directly where there is a KV cache: only training runs the compiled model.
    """

    def __init__(self, backbone: nn.Module, output: nn.Module | None, precision: str = "float32") -> None:
        super().__init__()
        self.backbone = backbone
        self.output = output
        self.precision = Precision.of(precision, backbone, output)
        self._takes_positions = "position_ids" in inspect.signature(backbone.forward).parameters

    def forward(self, ids: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
        """Next-token logits (n, vocabulary), float32, at n tokens of (batch, longest) right-padded ids."""
        with self.precision.computing(ids.device):
            if isinstance(self.backbone, Decoder):
                hidden = self.backbone(ids)
            else:
                hidden = self.backbone(input_ids=ids, use_cache=False).last_hidden_state
            return self._logits(hidden[rows, columns])

    def prefill(self, ids: Tensor, lengths: Tensor, room: int) -> tuple[Tensor, Cache]:
        """Next-token logits (batch, vocabulary) of right-padded texts, and a KV cache for ``room`` more tokens each."""
        with self.precision.computing(ids.device):
            if isinstance(self.backbone, Decoder):
                cache = self.backbone.new_cache(len(ids), ids.shape[1] + room)
                return self._logits(self.backbone.forward(ids, lengths, cache=cache)), cache
            longest = ids.shape[1]
            positions = torch.arange(longest, device=ids.device) - (longest - lengths)[:, None]
            mask = (positions >= 0).long()
            positions = positions.clamp(min=0)
            hidden, past = self._forward_library(ids.gather(1, positions), mask, positions, None)
            return self._logits(hidden), LibraryCache(past, mask)

    def decode(self, ids: Tensor, positions: Tensor, cache: Cache) -> tuple[Tensor, Cache]:
        """Next-token logits (batch, vocabulary) after one more token of each text. ids, positions: (batch,)."""
        with self.precision.computing(ids.device):
            if isinstance(cache, LibraryCache):
                mask = torch.cat([cache.mask, cache.mask.new_ones(len(ids), 1)], dim=1)
                hidden, past = self._forward_library(ids[:, None], mask, positions[:, None], cache.values)
                return self._logits(hidden), LibraryCache(past, mask)
            at = positions[:, None]
            mask = causal(at, cache[0].keys.shape[2])
            assert isinstance(self.backbone, Decoder)
            hidden = self.backbone.forward(ids[:, None], positions=at, mask=mask, cache=cache)
            return self._logits(hidden.squeeze(1)), cache

    def read_prefix(self, ids: Sequence[int]) -> Prefix:
        """Compute a prefix that several texts share, for ``score_after``. Neither should need a gradient."""
        if not ids:
            return Prefix(0, None)
        row = torch.tensor([ids], device=next(self.parameters()).device)
        with self.precision.computing(row.device):
            if isinstance(self.backbone, Decoder):
                cache = self.backbone.new_cache(1, len(ids))
                self.backbone.forward(row, torch.tensor([len(ids)], device=row.device), cache=cache)
                return Prefix(len(ids), cache)
            return Prefix(len(ids), self.backbone(input_ids=row, use_cache=True).past_key_values)

    def score_after(self, before: Prefix, ids: Tensor, lengths: Tensor) -> Tensor:
        """Next-token logits (batch, vocabulary) of right-padded texts that all follow the same prefix."""
        with self.precision.computing(ids.device):
            if isinstance(self.backbone, Decoder):
                if before.cache is None:
                    return self._logits(self.backbone(ids, lengths))
                return self._logits(prefix.read_after(self.backbone, before.cache, ids, lengths))
            settings: dict[str, Any] = {"use_cache": False}
            if before.cache is not None:
                cache = copy.deepcopy(before.cache)  # transformers models write into the cache that they are given
                cache.batch_repeat_interleave(len(ids))
                settings = {"use_cache": True, "past_key_values": cache}
                settings["attention_mask"] = ids.new_ones(len(ids), before.length + ids.shape[1])
                if self._takes_positions:
                    positions = torch.arange(before.length, before.length + ids.shape[1], device=ids.device)
                    settings["position_ids"] = positions.expand(len(ids), -1)
            hidden = self.backbone(input_ids=ids, **settings).last_hidden_state
            return self._logits(decoder.at(hidden, lengths - 1))

    def _forward_library(self, ids: Tensor, mask: Tensor, positions: Tensor, past: Any) -> tuple[Tensor, Any]:
        """(hidden states of the last tokens (batch, width), KV cache) of a transformers model."""
        where = {"position_ids": positions} if self._takes_positions else {}
        output = self.backbone(input_ids=ids, attention_mask=mask, past_key_values=past, use_cache=True, **where)
        return output.last_hidden_state[:, -1], output.past_key_values

    def _logits(self, hidden: Tensor) -> Tensor:
        if self.output is not None:
            logits: Tensor = self.output(hidden)
        else:
            assert isinstance(self.backbone, Decoder)
            logits = self.precision.linear(hidden, self.backbone.embed_tokens.weight)
        return logits.float()


def load(directory: Path, computing: Computing | None = None) -> Generator:
    """The base model of a directory without dropout, ready for training and generation.

    Remote code is never executed. UserError if the directory holds no decoder with an unembedding.
    """
    computing = computing or Computing()
    network = _load(directory, computing)
    if computing.checkpointing:
        first = torch.zeros(1, dtype=torch.long)
        check_recomputes(network, lambda: network(torch.tensor([[1, 2]]), first, first), directory)
    return network


def _load(directory: Path, computing: Computing) -> Generator:
    shape = decoder.own_shape(directory)
    if shape and shape.tied and computing.adapters is None:
        weights = own_weights(directory)
        backbone = decoder.with_weights(shape, weights, directory, checkpointing=computing.checkpointing)
        return Generator(backbone, None, computing.precision)
    backbone_, output = from_library(directory, computing, generates=True)
    if computing.adapters is not None:
        output.requires_grad_(False)
    network = Generator(backbone_, output, computing.precision)
    _check_cache(network, directory)
    return network


@torch.no_grad()
def _check_cache(network: Generator, directory: Path) -> None:
    """UserError unless a transformers model reads a text in two steps, with a KV cache, as it does in one."""
    name, step = type(network.backbone).__name__, torch.tensor([2])
    try:
        _, cache = network.prefill(torch.tensor([[1, 2]]), step, 1)
        found, _ = network.decode(torch.tensor([3]), step, cache)
        network.score_after(network.read_prefix([1, 2]), torch.tensor([[3]]), torch.tensor([1]))
    except (TypeError, AttributeError, IndexError) as error:
        raise UserError(f"{directory}: {name} is not supported: it has no KV cache ({first_line(error)})") from None
    whole = network(torch.tensor([[1, 2, 3]]), torch.tensor([0]), step)
    if not torch.allclose(found, whole, atol=5e-2, rtol=5e-2):
        raise UserError(f"{directory}: {name} is not supported: with a KV cache it gives other results")
