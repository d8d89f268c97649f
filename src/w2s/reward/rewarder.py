"""A base model with a scalar head: a reward model (Appendix A.3)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from w2s.models import branching, context, decoder, encoding
from w2s.models.branching import Rows, can_branch
from w2s.models.classifier import Computing, backbone_of
from w2s.models.decoder import Decoder
from w2s.models.precision import Precision


class Rewarder(nn.Module):
    """A decoder whose unembedding is replaced by a linear head with one output, read at the last token.

    longest: tokens of the longest dialogue. branches: whether it can read two completions of one prefix in a single row
    (``w2s.models.branching``).
    """

    def __init__(self, backbone: nn.Module, row: Tensor, precision: str, longest: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(len(row), 1, bias=False)
        self.branches = can_branch(backbone, longest)
        self.precision = Precision.of(precision, backbone)
        with torch.no_grad():
            self.head.weight.copy_(row)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Rewards (batch,), float32, of whole dialogues. ids: (batch, longest) right-padded; lengths: (batch,)."""
        with self.precision.computing(ids.device):
            if isinstance(self.backbone, Decoder):
                last = self.backbone(ids, lengths)
            else:
                last = decoder.at(self.backbone(input_ids=ids, use_cache=False).last_hidden_state, lengths - 1)
        return self._rewards(last)

    def score_pairs(self, rows: Rows) -> Tensor:
        """Rewards (n, 2), float32, of the two completions of each row."""
        with self.precision.computing(rows.ids.device):
            hidden = branching.last_states(self.backbone, rows)
        return self._rewards(hidden)

    def _rewards(self, hidden: Tensor) -> Tensor:
        rewards: Tensor = self.head(hidden.float())
        return rewards.squeeze(-1)


def load(directory: Path, word: str, longest: int, computing: Computing | None = None) -> Rewarder:
    """The base model of a directory without dropout, its head initialised, ready for training.

    word: its unembedding row initialises the head; the choice is arbitrary. longest: tokens of the longest dialogue.
    Remote code is never executed. UserError if the directory holds no decoder with an unembedding.
    """
    computing = computing or Computing()
    backbone, unembedding = backbone_of(directory, computing)
    (ids,) = context.words(encoding.tokenizer_of(directory), [word])
    return Rewarder(backbone, unembedding[ids].float().mean(0), computing.precision, longest)
