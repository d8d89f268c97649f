"""Encoded preference pairs, their micro-batches, the gradient of a batch, and predictions (Appendix A.3).

The prediction is sigmoid(r(d, second) - r(d, first)). The two rewards are the logits of the two classes, so the losses
are those of classifiers. The completions of a pair are computed in a canonical order (by length, then tokens), so that
a swapped pair takes the same operations and its logit is exactly the negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

import torch
from torch import Tensor

from w2s.engine import distributed
from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError
from w2s.models.branching import Rows
from w2s.reward.rewarder import Rewarder
from w2s.training.batching import Shape, micro_batches, shape_for
from w2s.training.loop import EVALUATION, total
from w2s.training.loss import Loss


@dataclass(frozen=True)
class Dialogue:
    """A pair in tokens. low, high: its completions in canonical order; swapped: whether low is the second."""

    prefix: list[int]
    low: list[int]
    high: list[int]
    swapped: bool

    @property
    def longest(self) -> int:
        """Tokens of the prefix with the longer completion."""
        return len(self.prefix) + len(self.high)


def dialogue(prefix: Sequence[int], first: Sequence[int], second: Sequence[int], room: int) -> Dialogue:
    """A pair in at most ``room`` tokens per text: the end of the dialogue is kept.

    The prefix is cut for the longer completion, so that both share it; a completion longer than ``room`` loses its own
    beginning.
    """
    first, second = list(first[-room:]), list(second[-room:])
    swapped = (len(second), second) < (len(first), first)
    low, high = (second, first) if swapped else (first, second)
    left = room - len(high)
    return Dialogue(list(prefix[-left:]) if left else [], low, high, swapped)


@dataclass(frozen=True)
class Micro:
    """Pairs that go through the model together. numbers: which; swapped: (n,) bool.

    branched: rows with a shared prefix, or None; then texts are (2n, longest) right-padded, low and high alternating,
    with lengths (2n,).
    """

    numbers: list[int]
    swapped: Tensor
    branched: Rows | None
    texts: tuple[Tensor, Tensor] | None

    @property
    def tokens(self) -> int:
        """Tokens, padding included."""
        if self.branched is not None:
            return self.branched.ids.numel()
        assert self.texts
        return self.texts[0].numel()


class Dialogues:
    """Encoded pairs, and the micro-batches of any selection of them."""

    def __init__(self, pairs: Sequence[Dialogue]) -> None:
        self.pairs = list(pairs)
        self._planned = cache(self._plan)

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def tokens(self) -> int:
        """Tokens of all texts, each prefix counted twice: the basis of a run's FLOP."""
        return sum(2 * len(one.prefix) + len(one.low) + len(one.high) for one in self.pairs)

    def split(self, numbers: Sequence[int], budget: int, network: Rewarder) -> list[Micro]:
        """These pairs, shortest first, in micro-batches of at most ``budget`` tokens (one pair at least)."""
        first = next(network.parameters())
        shape: Shape = shape_for(network.backbone, first.device)
        return self._split(numbers, budget, network.branches, first.shape[-1], first.device, shape)

    def all(self, budget: int, network: Rewarder) -> list[Micro]:
        """All pairs in micro-batches, cached for later evaluations."""
        first = next(network.parameters())
        shape = shape_for(network.backbone, first.device) * 2
        return self._planned(budget, network.branches, first.shape[-1], first.device, shape)

    def _plan(self, budget: int, branches: bool, width: int, device: torch.device, shape: Shape) -> list[Micro]:
        return self._split(range(len(self)), budget, branches, width, device, shape)

    def _split(
        self, numbers: Sequence[int], budget: int, branches: bool, width: int, device: torch.device, shape: Shape
    ) -> list[Micro]:
        ordered = sorted(numbers, key=lambda number: (self.pairs[number].longest, len(self.pairs[number].prefix)))

        def sliced(some: Sequence[int]) -> list[list[int]]:
            lengths = [2 * self.pairs[number].longest for number in some]
            return [list(some[one]) for one in micro_batches(lengths, min(budget, shape.largest), shape.overhead)]

        def micro(part: list[int]) -> Micro:
            if branches and branching_pays([self.pairs[number] for number in part], width):
                return self.branched(part, device)
            return self.apart(part, device)

        return [
            micro(part) if part else replace(micro(ordered[:1]), numbers=[])
            for part in distributed.split_by_rank(ordered, sliced)
        ]

    def branched(self, numbers: Sequence[int], device: torch.device) -> Micro:
        """These pairs as rows that hold the prefix once."""
        chosen = [self.pairs[number] for number in numbers]
        longest = max(len(one.prefix) + len(one.low) + len(one.high) for one in chosen)
        ids, positions, branches, ends = [], [], [], []
        for one in chosen:
            before, low, high = len(one.prefix), len(one.low), len(one.high)
            padding = longest - before - low - high
            ids.append([*one.prefix, *one.low, *one.high, *[0] * padding])
            positions.append([*range(before + low), *range(before, before + high), *[0] * padding])
            branches.append([0] * before + [1] * low + [2] * high + [3] * padding)
            ends.append([before + low - 1, before + low + high - 1])
        tensors = partial(torch.tensor, device=device)
        rows = Rows(tensors(ids), tensors(positions), tensors(branches), tensors(ends))
        return Micro(list(numbers), self._swapped(chosen, device), rows, None)

    def apart(self, numbers: Sequence[int], device: torch.device) -> Micro:
        """These pairs as two texts each."""
        chosen = [self.pairs[number] for number in numbers]
        texts = [[*one.prefix, *completion] for one in chosen for completion in (one.low, one.high)]
        longest = max(map(len, texts))
        ids = torch.tensor([[*text, *[0] * (longest - len(text))] for text in texts], device=device)
        lengths = torch.tensor([len(text) for text in texts], device=device)
        return Micro(list(numbers), self._swapped(chosen, device), None, (ids, lengths))

    def _swapped(self, chosen: Sequence[Dialogue], device: torch.device) -> Tensor:
        return torch.tensor([one.swapped for one in chosen], device=device)


def branching_pays(pairs: Sequence[Dialogue], width: int) -> bool:
    """Whether a micro-batch is cheaper with every prefix computed once.

    A token costs a layer about 24 width^2 operations, and 4 width more for every token that it is compared with; a
    branched row compares all tokens with all, a plain one only with those before.
    """
    row = max(len(one.prefix) + len(one.low) + len(one.high) for one in pairs)
    text = max(one.longest for one in pairs)
    return row * (1 + row / (6 * width)) < 2 * text * (1 + text / (12 * width))


def rewards(network: Rewarder, part: Micro) -> Tensor:
    """(n, 2) rewards of first and second completions, which are the logits of which one is preferred.

    None of a pair that only keeps this rank in step with the others.
    """
    if part.branched is not None:
        scores = network.score_pairs(part.branched)
    else:
        assert part.texts
        scores = network(*part.texts).view(-1, 2)
    scores = torch.where(part.swapped[:, None], scores.flip(-1), scores)
    return scores if part.numbers else scores[:0]


def backward(
    network: Rewarder,
    learned: Dialogues,
    labels: Tensor,
    batch: Sequence[int],
    loss: Loss,
    tokens: int,
) -> float:
    """Add the gradient of one batch's loss to the parameters, a micro-batch at a time; returns the loss.

    labels: (pairs, 2) probabilities. As ``w2s.training.loop.backward``: the gradient is that of the whole batch; a loss
    that compares pairs needs all logits before any gradient.
    """
    parts = learned.split(batch, tokens, network)
    if loss.separable or (len(parts) == 1 and distributed.size() == 1):
        losses = []
        for part in parts:
            mean = loss(rewards(network, part), labels[part.numbers]).sum() / len(batch)
            mean.backward()
            losses.append(mean.detach())
        return total(losses)
    with torch.no_grad():
        outputs = [rewards(network, part) for part in parts]
    logits, numbers = distributed.gather(torch.cat(outputs), [number for part in parts for number in part.numbers])
    logits.requires_grad_()
    each = loss(logits, labels[numbers]) / len(batch)
    (gradient,) = torch.autograd.grad(each.sum(), logits)
    sizes = [len(part.numbers) for part in parts]
    for part, of_part in zip(parts, distributed.scatter(gradient).split(sizes), strict=True):
        rewards(network, part).backward(of_part)
    if distributed.size() > 1:
        return float(each.detach().sum())
    return total([of_part.sum() for of_part in each.detach().split(sizes)])


@torch.no_grad()
def logits(network: Rewarder, pairs: Dialogues, budget: Budget | None = None) -> Tensor:
    """(pairs,) float32 on the CPU: reward of the second completion less that of the first, in their order.

    DivergedError if one of them is not a number.
    """
    device = next(network.parameters()).device

    def predict(tokens: int) -> Tensor:
        parts = pairs.all(EVALUATION * tokens, network)
        local = torch.cat([rewards(network, part) for part in parts])
        both, numbers = distributed.gather(local, [number for part in parts for number in part.numbers])
        margins = torch.empty(len(pairs))
        margins[numbers] = (both[:, 1] - both[:, 0]).cpu()
        return margins

    was_training = network.training
    network.eval()
    result = (budget or budget_of(device)).attempt(predict)
    network.train(was_training)
    if not result.isfinite().all():
        raise DivergedError("diverged: predictions are not numbers")
    return result


def both(logits: Tensor) -> Tensor:
    """(n,) logits of the second -> (n, 2) probabilities of first and second; exactly mirrored for mirrored logits."""
    return torch.stack([torch.sigmoid(-logits), torch.sigmoid(logits)], dim=-1)


def joined(several: Sequence[Dialogues]) -> Dialogues:
    """The pairs of several, in a row."""
    return Dialogues([one for pairs in several for one in pairs.pairs])
