"""What several texts begin with, read once: an own decoder's keys and values of it, and texts read behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from w2s.models.decoder import Attention, Decoder, Kept, added, at, rotary, rotated


@dataclass(frozen=True)
class Prefix:
    """A shared beginning. length: its tokens; kept: what the model keeps of it (None where it has none)."""

    length: int
    kept: Any


def behind(decoder: Decoder, kept: Sequence[Kept], ids: Tensor, lengths: Tensor) -> Tensor:
    """Hidden states (batch, width) of the last tokens of right-padded texts that all follow the same prefix.

    kept: of every layer the prefix's keys and values, (1, heads, prefix, size) each; ids: (batch, longest);
    lengths: (batch,), without the prefix. Causal, so padding on the right is not seen.
    """
    hidden = decoder.embed_tokens(ids)
    before, tokens = kept[0].keys.shape[2], ids.shape[1]
    shape = decoder.shape
    turn = rotary(before + tokens, shape.width // shape.heads, shape.theta, hidden)
    cosines, sines = turn[0][before:], turn[1][before:]
    last = lengths - 1
    places = torch.arange(tokens, device=ids.device)
    for number, (layer, there) in enumerate(zip(decoder.layers, kept, strict=True), start=1):
        attention: Attention = layer.self_attn  # type: ignore[assignment]
        normed = layer.input_layernorm(hidden)  # type: ignore[operator]
        keys = _joined(there.keys, rotated(_heads(attention, attention.k_proj, normed), cosines, sines))
        values = _joined(there.values, _heads(attention, attention.v_proj, normed))
        if number < len(decoder.layers):
            queries = rotated(_heads(attention, attention.q_proj, normed), cosines, sines)
            sees = places[None, :] <= places[:, None]  # (tokens, tokens)
            mask = torch.cat([sees.new_ones(tokens, before), sees], dim=1)
            mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
            more = attention.o_proj(mixed.transpose(1, 2).flatten(2))
        else:
            queries = _heads(attention, attention.q_proj, at(normed, last).unsqueeze(1))
            queries = rotated(queries, cosines[last][:, None, None], sines[last][:, None, None])
            sees = places[None, :] <= last[:, None]  # (batch, tokens)
            mask = torch.cat([sees.new_ones(len(ids), before), sees], dim=1)[:, None, None]
            more = attention.o_proj(scaled_dot_product_attention(queries, keys, values, attn_mask=mask).flatten(1))
            hidden = at(hidden, last)
        hidden = added(hidden, more)
        hidden = added(hidden, layer.mlp(layer.post_attention_layernorm(hidden)))  # type: ignore[operator]
    return decoder.norm(hidden)  # type: ignore[no-any-return]


def _heads(attention: Attention, projection: nn.Module, hidden: Tensor) -> Tensor:
    """(batch, tokens, width) -> (batch, heads, tokens, size)."""
    projected: Tensor = projection(hidden)
    return projected.view(*hidden.shape[:2], -1, attention.size).transpose(1, 2)


def _joined(before: Tensor, more: Tensor) -> Tensor:
    """(1, heads, prefix, size) and (batch, heads, tokens, size), one behind the other."""
    return torch.cat([before.expand(len(more), -1, -1, -1).to(more.dtype), more], dim=2)
