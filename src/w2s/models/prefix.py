"""A prefix that several texts share, computed once: a decoder's keys and values of it, and texts read after it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from w2s.models.decoder import Decoder, KVCache, causal


@dataclass(frozen=True)
class Prefix:
    """A shared prefix. length: its tokens; cache: the model's keys and values of them (None where it is empty)."""

    length: int
    cache: Any


@dataclass(frozen=True)
class SharedKVCache:
    """Keys and values of one layer, (1, heads, prefix, size) each, that every text of a batch reads; never written."""

    keys: Tensor
    values: Tensor

    def update(self, keys: Tensor, values: Tensor, positions: Tensor | None) -> tuple[Tensor, Tensor]:
        """The prefix's keys and values followed by the new ones."""
        return _after(self.keys, keys), _after(self.values, values)


def _after(prefix: Tensor, more: Tensor) -> Tensor:
    """(1, heads, prefix, size), (batch, heads, tokens, size) -> (batch, heads, prefix + tokens, size)."""
    return torch.cat([prefix.expand(len(more), -1, -1, -1).to(more.dtype), more], dim=2)


def read_after(decoder: Decoder, cache: Sequence[KVCache], ids: Tensor, lengths: Tensor) -> Tensor:
    """Hidden states (batch, width) of the last tokens of right-padded texts that all follow the same prefix.

    cache: the prefix's keys and values in every layer; ids: (batch, longest); lengths: (batch,), without the prefix.
    """
    prefix, tokens = cache[0].keys.shape[2], ids.shape[1]
    positions = torch.arange(prefix, prefix + tokens, device=ids.device)
    mask = causal(positions, prefix + tokens)
    shared = [SharedKVCache(layer.keys, layer.values) for layer in cache]
    return decoder.forward(ids, lengths, positions=positions, mask=mask, cache=shared)
