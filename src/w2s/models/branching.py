"""Two completions after one prefix in a single row: the prefix is computed once for both.

A row holds the prefix, one completion, then the other. Tokens of the second completion have the positions that they
would have without the first and do not attend to it, so the results are those of two separate texts, up to rounding.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from w2s.models.decoder import Decoder, select

# Of hidden states; a model that ignores the mask, or loses windows of its own under it, differs by more.
TOLERANCE, LOW_PRECISION_TOLERANCE = 1e-3, 2e-2


@dataclass(frozen=True)
class Rows:
    """Right-padded rows.

    ids, positions: (n, longest), tokens and their positions in their own text; branches: (n, longest), 0 for the
    prefix, 1 and 2 for the completions, 3 for padding; ends: (n, 2), index of the last token of each completion.
    """

    ids: Tensor
    positions: Tensor
    branches: Tensor
    ends: Tensor

    def mask(self) -> Tensor:
        """(n, longest, longest) bool: whether a token (second dimension) attends to another (third)."""
        longest = self.ids.shape[1]
        before = torch.ones(longest, longest, dtype=torch.bool, device=self.ids.device).tril()
        queries, keys = self.branches[:, :, None], self.branches[:, None, :]
        return before & ((keys == 0) | (keys == queries))


def last_states(backbone: nn.Module, rows: Rows) -> Tensor:
    """(n, 2, width): hidden states, after the last norm, of the last token of each of the two completions."""
    mask = rows.mask()
    if isinstance(backbone, Decoder):
        return backbone.forward(rows.ids, queries=rows.ends, positions=rows.positions, mask=mask)
    dtype = next(backbone.parameters()).dtype
    bias = torch.zeros(mask[:, None].shape, dtype=dtype, device=mask.device)
    bias = bias.masked_fill(~mask[:, None], torch.finfo(dtype).min)
    output: Any = backbone(input_ids=rows.ids, attention_mask=bias, position_ids=rows.positions, use_cache=False)
    return select(output.last_hidden_state, rows.ends)


@torch.no_grad()
def can_branch(backbone: nn.Module, longest: int) -> bool:
    """Whether a model gives for such a row what it gives for the two texts.

    longest: tokens of the longest text that it will read; the test is made at this length. Some architectures ignore
    the mask. Others attend to a window only, which the mask replaces: short texts would not show it.
    """
    if isinstance(backbone, Decoder):
        return True
    if "position_ids" not in inspect.signature(backbone.forward).parameters:
        return False
    weight = next(backbone.parameters())
    longest = max(4, min(longest, _positions(backbone)))
    shared, own = longest // 2, longest - longest // 2

    def row(values: Sequence[int]) -> Tensor:
        return torch.tensor([values], device=weight.device)

    tokens = [number * 7919 % _vocabulary(backbone) for number in range(shared + own + own - 1)]
    positions = [*range(longest), *range(shared, longest - 1)]
    branches = [0] * shared + [1] * own + [2] * (own - 1)
    rows = Rows(row(tokens), row(positions), row(branches), row([longest - 1, len(tokens) - 1]))
    was_training = backbone.training
    backbone.eval()
    try:
        found = last_states(backbone, rows)[0]
        texts = row(tokens[:longest]), row(tokens[:shared] + tokens[longest:])
        alone = [backbone(input_ids=ids, use_cache=False).last_hidden_state[0, -1] for ids in texts]
    except (RuntimeError, ValueError, TypeError, IndexError):  # the errors of libraries that take no mask of this shape
        return False
    finally:
        backbone.train(was_training)
    tolerance = TOLERANCE if weight.dtype == torch.float32 else LOW_PRECISION_TOLERANCE
    return torch.allclose(found.float(), torch.stack(alone).float(), atol=tolerance, rtol=tolerance)


def _positions(backbone: nn.Module) -> int:
    """How many positions a model knows."""
    known = getattr(getattr(backbone, "config", None), "max_position_embeddings", None)
    return known if isinstance(known, int) else 10**9


def _vocabulary(backbone: nn.Module) -> int:
    model: Any = backbone
    return int(model.get_input_embeddings().weight.shape[0])
