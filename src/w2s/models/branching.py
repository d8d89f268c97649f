"""Two completions behind one prefix in a single row: the prefix is computed once, and each sees it and itself alone.

A row holds prefix, one completion, the other. Tokens of the second completion take the places that they would have
without the first, and do not see it, so what comes out is what two separate texts would give (to rounding).
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint

from w2s.models.decoder import Decoder, Layer, added, rotated

TOLERANCE = 1e-2  # of hidden states, in whichever precision; what ignores the mask is far beyond it


@dataclass(frozen=True)
class Rows:
    """Right-padded rows. ids, places: (n, longest) tokens and their places in their own text; branches: (n, longest),
    0 of the prefix, 1 and 2 of the completions, 3 of padding; ends: (n, 2), where either completion ends in the row.
    """

    ids: Tensor
    places: Tensor
    branches: Tensor
    ends: Tensor

    def seen(self) -> Tensor:
        """(n, longest, longest) bool: whether a token (second dimension) sees another (third)."""
        longest = self.ids.shape[1]
        before = torch.ones(longest, longest, dtype=torch.bool, device=self.ids.device).tril()
        readers, read = self.branches[:, :, None], self.branches[:, None, :]
        return before & ((read == 0) | (read == readers))


def ends_of(backbone: nn.Module, rows: Rows) -> Tensor:
    """(n, 2, width): hidden states of the last token of either completion, behind the last norm."""
    if isinstance(backbone, Decoder):
        return _own(backbone, rows)
    seen = rows.seen()[:, None]
    kind = next(backbone.parameters()).dtype
    mask = torch.zeros(seen.shape, dtype=kind, device=seen.device).masked_fill(~seen, torch.finfo(kind).min)
    said: Any = backbone(input_ids=rows.ids, attention_mask=mask, position_ids=rows.places, use_cache=False)
    hidden: Tensor = said.last_hidden_state
    return hidden[torch.arange(len(hidden), device=hidden.device)[:, None], rows.ends]


def _own(decoder: Decoder, rows: Rows) -> Tensor:
    hidden = decoder.embed_tokens(rows.ids)
    cosines, sines = decoder._turn(rows.ids.shape[1], hidden)
    turn = (cosines[rows.places][:, None], sines[rows.places][:, None])
    seen = rows.seen()
    for number, layer in enumerate(decoder.layers, start=1):
        ends = rows.ends if number == len(decoder.layers) else None
        if decoder.checkpointing and decoder.training and torch.is_grad_enabled():
            hidden = checkpoint(_layer, layer, hidden, turn, seen, ends, use_reentrant=False)
        else:
            hidden = _layer(layer, hidden, turn, seen, ends)  # type: ignore[arg-type]
    return decoder.norm(hidden)  # type: ignore[no-any-return]


def _layer(layer: Layer, hidden: Tensor, turn: tuple[Tensor, Tensor], seen: Tensor, ends: Tensor | None) -> Tensor:
    """All tokens, or with ``ends`` those alone: the last layer's others are read by nobody."""
    attention = layer.self_attn
    normed = layer.input_layernorm(hidden)
    keys = rotated(attention._heads(attention.k_proj, normed), *turn)
    values = attention._heads(attention.v_proj, normed)
    if ends is not None:
        numbers = torch.arange(len(hidden), device=hidden.device)[:, None]
        normed, hidden, seen = normed[numbers, ends], hidden[numbers, ends], seen[numbers, ends]
        cosines, sines = (one[:, 0][numbers, ends][:, None] for one in turn)
        turn = (cosines, sines)
    queries = rotated(attention._heads(attention.q_proj, normed), *turn)
    mixed = scaled_dot_product_attention(queries, keys, values, attn_mask=seen[:, None])
    hidden = added(hidden, attention.o_proj(mixed.transpose(1, 2).flatten(2)))
    return added(hidden, layer.mlp(layer.post_attention_layernorm(hidden)))


@torch.no_grad()
def can_branch(backbone: nn.Module) -> bool:
    """Whether a model reads such rows as it reads the two texts; some libraries' models have no use for the mask."""
    if isinstance(backbone, Decoder):
        return True
    if "position_ids" not in inspect.signature(backbone.forward).parameters:
        return False
    device = next(backbone.parameters()).device

    def row(*values: int) -> Tensor:
        return torch.tensor([values], device=device)

    rows = Rows(row(1, 2, 3, 4, 3), row(0, 1, 2, 2, 3), row(0, 0, 1, 2, 2), row(2, 4))
    was_training = backbone.training
    backbone.eval()
    try:
        found = ends_of(backbone, rows)[0]
        texts = (row(1, 2, 3), row(1, 2, 4, 3))
        alone = [backbone(input_ids=ids, use_cache=False).last_hidden_state[0, -1] for ids in texts]
    except (RuntimeError, ValueError, TypeError, IndexError):  # whatever a library says of a mask of this shape
        return False
    finally:
        backbone.train(was_training)
    return torch.allclose(found.float(), torch.stack(alone).float(), atol=TOLERANCE, rtol=TOLERANCE)
