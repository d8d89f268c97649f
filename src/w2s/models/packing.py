"""Texts one after another in a single row, without padding, each of which attention sees alone.

A GPU computes them in half precision by flash attention for texts of varied lengths. Everywhere else a mask does the
same at more cost: that is the reference, which tests compare with padded texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

ATTENTION = "w2s_packed"  # name of the attention function in transformers


@dataclass(frozen=True)
class Spans:
    """Where the texts of a row lie. bounds: (texts + 1,) int32, from 0 to the row's end; longest: tokens of a text."""

    bounds: Tensor
    longest: int

    @classmethod
    def of(cls, lengths: Tensor, longest: int) -> Spans:
        """Of texts of (n,) lengths, the longest of which is known without asking the device."""
        return cls(pad(lengths.cumsum(0), (1, 0)).int(), longest)

    @property
    def last(self) -> Tensor:
        """(texts,) the place of each text's last token."""
        return self.bounds[1:].long() - 1

    def positions(self, tokens: int) -> Tensor:
        """(tokens,) the position of every token in its own text."""
        lengths = self.bounds.diff()
        return torch.arange(tokens, device=lengths.device) - self.bounds[:-1].repeat_interleave(
            lengths, output_size=tokens
        )


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    spans: Spans,
    *,
    last: bool = False,
    scale: float | None = None,
    window: int | None = None,
) -> Tensor:
    """Causal attention within each text of a row.

    queries: (1, heads, tokens, size), or with ``last`` those of the texts' last tokens alone, (1, heads, texts, size);
    keys, values: (1, heads or fewer, tokens, size). window: of how many tokens, itself included, a token sees. Returns
    the shape of the queries.
    """
    grouped = queries.shape[1] != keys.shape[1]
    if values.device.type == "cuda" and values.dtype in (torch.bfloat16, torch.float16):
        from torch.nn.attention.varlen import varlen_attn

        q, k, v = (
            heads[0].transpose(0, 1).to(values.dtype) for heads in (queries, keys, values)
        )  # (tokens, heads, size)
        asked = torch.arange(len(spans.bounds), dtype=torch.int32, device=values.device) if last else spans.bounds
        seen = (-1 if window is None else window - 1, -1 if last else 0)  # the last token sees to the end of its text
        longest = 1 if last else spans.longest
        mixed: Any = varlen_attn(
            q, k, v, asked, spans.bounds, longest, spans.longest, scale=scale, window_size=seen, enable_gqa=grouped
        )
        return mixed.transpose(0, 1)[None]  # type: ignore[no-any-return]
    tokens = keys.shape[2]
    places = torch.arange(tokens, device=keys.device)
    text = torch.bucketize(places, spans.bounds[1:], right=True)
    asking = spans.last if last else places
    distance = asking[:, None] - places
    mask = (text[asking][:, None] == text) & (distance >= 0)
    if window is not None:
        mask &= distance < window
    return scaled_dot_product_attention(queries, keys, values, attn_mask=mask, scale=scale, enable_gqa=grouped)


def use_in(backbone: nn.Module) -> str:
    """Let a transformers model attend so, from now on to packed texts alone; returns the attention that it had.

    ValueError, AttributeError or others of the library for a model whose attention is not to be chosen.
    """
    from transformers import AttentionInterface, AttentionMaskInterface

    AttentionInterface.register(ATTENTION, _of_library)
    AttentionMaskInterface.register(ATTENTION, _no_mask)
    model: Any = backbone
    before: str = model.config._attn_implementation
    model.set_attn_implementation(ATTENTION)
    return before


def _no_mask(*_: Any, **__: Any) -> None:
    return None


def _of_library(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: None,
    *_: Any,
    cu_seq_lens_q: Tensor,
    max_length_q: int,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **__: Any,
) -> tuple[Tensor, None]:
    """As transformers calls attention: (1, heads, tokens, size) -> (1, tokens, heads, size)."""
    if softcap is not None:
        raise ValueError("attention with capped logits cannot be packed")
    spans = Spans(cu_seq_lens_q, max_length_q)
    return attend(query, key, value, spans, scale=scaling, window=sliding_window).transpose(1, 2), None
