"""Consistency under augmentation (paper, Appendix B): the same prediction for a text and for a changed one.

The paper's student rephrases its inputs. Here a changed text has some of its tokens left out, which any tokenizer and
task allow (docs/deviations.md); its last tokens stay: the answer that is asked about, and the cue.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from w2s.training.batching import Texts


def doubled(
    texts: Texts,
    labels: Tensor,
    batch: Sequence[int],
    objective: Callable[[Tensor, Tensor], Tensor],
    how: Mapping[str, Any],
    draw: str,
) -> tuple[Texts, Callable[[Tensor, Sequence[int]], Tensor]]:
    """(the batch's texts and, behind them, their changed ones; the losses of logits of these).

    how: weight, dropped, tail. draw: what decides, with a text's number, which tokens are left out. The losses take
    (2n, 2) logits and the places of their texts among the doubled, and are (n,): the objective of the texts as they
    are, and ``weight`` times the divergence of the changed ones' predictions.
    """
    own = [texts.ids(number) for number in batch]
    changed = [
        shortened(ids, how["dropped"], how["tail"], random.Random(f"{draw} {number}"))
        for number, ids in zip(batch, own, strict=True)
    ]
    learned = labels[torch.tensor(list(batch), device=labels.device)]

    def losses(logits: Tensor, places: Sequence[int]) -> Tensor:
        order = torch.tensor(places, device=logits.device).argsort()
        as_it_is, with_changes = logits[order].split(len(batch))
        weight: float = how["weight"]
        return objective(as_it_is, learned) + weight * divergence(as_it_is, with_changes)

    return Texts(own + changed), losses


def shortened(ids: Sequence[int], share: float, tail: int, rng: random.Random) -> list[int]:
    """A text without some of its tokens, each left out with probability ``share``; the first and the last stay."""
    end = max(1, len(ids) - tail)
    return [*ids[:1], *(one for one in ids[1:end] if rng.random() >= share), *ids[end:]]


def divergence(logits: Tensor, others: Tensor) -> Tensor:
    """(n,) Kullback-Leibler divergences in nats of the others' predictions from these, which get no gradient."""
    fixed = logits.detach().log_softmax(-1)
    return (fixed.exp() * (fixed - others.log_softmax(-1))).sum(-1)
