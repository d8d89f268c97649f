"""Consistency under augmentation (paper, Appendix B): the same prediction for a text and for a changed one.

The paper's student rephrases its inputs. Here a changed text has some of its tokens left out, which any tokenizer and
task allow (docs/deviations.md); its last tokens stay: the answer that is asked about, and the cue.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from w2s.config.methods import Consistency
from w2s.training.batching import Texts


def doubled(
    texts: Texts,
    labels: Tensor,
    batch: Sequence[int],
    objective: Callable[[Tensor, Tensor], Tensor],
    consistency: Consistency,
    draw: str,
) -> tuple[Texts, Callable[[Tensor, Sequence[int]], Tensor]]:
    """(the batch's texts followed by their augmented versions, a function for their losses).

    draw: with a text's number, the seed that decides which tokens are dropped. The function takes (2n, 2) logits and
    the indices of their texts, and returns (n,) losses: the objective of the original texts plus ``weight`` times the
    divergence of the augmented ones' predictions.
    """
    originals = [texts.ids(number) for number in batch]
    changed = [
        shortened(ids, consistency.dropped, consistency.tail, random.Random(f"{draw} {number}"))
        for number, ids in zip(batch, originals, strict=True)
    ]
    learned = labels[torch.tensor(list(batch), device=labels.device)]

    def losses(logits: Tensor, places: Sequence[int]) -> Tensor:
        order = torch.tensor(places, device=logits.device).argsort()
        original, with_changes = logits[order].split(len(batch))
        return objective(original, learned) + consistency.weight * divergence(original, with_changes)

    return Texts(originals + changed), losses


def shortened(ids: Sequence[int], share: float, tail: int, rng: random.Random) -> list[int]:
    """A text without some of its tokens, each left out with probability ``share``; the first and the last stay."""
    end = max(1, len(ids) - tail)
    return [*ids[:1], *(token for token in ids[1:end] if rng.random() >= share), *ids[end:]]


def divergence(logits: Tensor, others: Tensor) -> Tensor:
    """(n,) Kullback-Leibler divergences in nats of the others' predictions from these, which get no gradient."""
    fixed = logits.detach().log_softmax(-1)
    return (fixed.exp() * (fixed - others.log_softmax(-1))).sum(-1)
