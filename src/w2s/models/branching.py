"""Two completions after one prefix in a single row: the prefix is computed once for both.

A row holds the prefix, one completion, then the other. Tokens of the second completion have the positions that they
would have without the first and do not attend to it, so the results are those of two separate texts, up to rounding.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from w2s.models.decoder import Decoder, select

TOLERANCE = 1e-2  # of hidden states, in any precision; a model that ignores the mask differs by far more


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
def can_branch(backbone: nn.Module) -> bool:
    """Whether a model gives for such a row what it gives for the two texts; some architectures ignore the mask."""
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
        found = last_states(backbone, rows)[0]
        texts = (row(1, 2, 3), row(1, 2, 4, 3))
        alone = [backbone(input_ids=ids, use_cache=False).last_hidden_state[0, -1] for ids in texts]
    except (RuntimeError, ValueError, TypeError, IndexError):  # the errors of libraries that take no mask of this shape
        return False
    finally:
        backbone.train(was_training)
    return torch.allclose(found.float(), torch.stack(alone).float(), atol=TOLERANCE, rtol=TOLERANCE)
