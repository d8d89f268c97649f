"""A language model as a reward model: direct preference optimisation (Rafailov et al. 2023, arXiv 2305.18290).

The reward of a completion is beta (log p(completion | prefix) - log p_base(completion | prefix)). The model before
training is the base model, so its part is computed once and subtracted (``w2s.reward.batching.relative``); no second
model is kept.

With soft labels q the loss is -q log sigmoid(r_second - r_first) - (1 - q) log sigmoid(r_first - r_second): the cross
entropy of other reward models. It is DPO's for labels of 0 and 1, and conservative DPO's for 1 - epsilon. Identity
preference optimisation (IPO) squares errors instead.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from w2s.models import generator
from w2s.models.classifier import Computing
from w2s.models.generator import Generator
from w2s.training.batching import Integers


class Policy(nn.Module):
    """A language model whose reward of a completion is beta times its log probability after the prefix."""

    branches = False  # completions are read as two texts

    def __init__(self, model: Generator, beta: float) -> None:
        super().__init__()
        self.model = model
        self.beta = beta

    @property
    def backbone(self) -> nn.Module:
        """The layers below the unembedding."""
        return self.model.backbone

    @property
    def output(self) -> nn.Module | None:
        """The unembedding; None where that is the embedding."""
        return self.model.output

    def forward(self, ids: Tensor, sizes: Integers) -> Tensor:
        """Rewards (n, 2), float32, of the lower and the higher completion of n pairs.

        ids: (2n, longest) right-padded texts, lower and higher alternating; sizes: (n, 3) tokens of prefix, lower and
        higher completion. A completion without prefix is judged from its second token on.
        """
        rows, columns = (torch.from_numpy(some).to(ids.device, non_blocking=True) for some in completions(sizes))
        logits = self.model(ids, rows, columns - 1)
        losses = cross_entropy(logits, ids[rows, columns], reduction="none")
        of_tokens = losses.new_zeros(ids.shape).index_put((rows, columns), -losses)
        return self.beta * of_tokens.sum(-1).view(-1, 2)


def completions(sizes: Integers) -> tuple[Integers, Integers]:
    """(rows, columns), (tokens,) each, of all completions' tokens in the texts of ``Policy.forward``."""
    starts = np.maximum(sizes[:, 0], 1).repeat(2)
    counts = np.maximum((sizes[:, :1] + sizes[:, 1:]).ravel() - starts, 0)
    before = counts.cumsum() - counts
    columns = np.arange(counts.sum()) + (starts - before).repeat(counts)
    return np.arange(len(counts)).repeat(counts), columns


def load(directory: Path, beta: float, computing: Computing | None = None) -> Policy:
    """The base model of a directory, ready for training. Errors are those of ``w2s.models.generator.load``."""
    return Policy(generator.load(directory, computing), beta)
