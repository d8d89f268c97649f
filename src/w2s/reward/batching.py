"""Encoded preference pairs, their micro-batches, the gradient of a batch, and predictions (Appendix A.3).

The prediction is sigmoid(r(d, second) - r(d, first)). The two rewards are the logits of the two classes, so the losses
are those of classifiers. The completions of a pair are computed in a canonical order (by length, then tokens), so that
a swapped pair takes the same operations and its logit is exactly the negative.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cache, partial

import numpy as np
import torch
from torch import Tensor

from w2s.engine import distributed
from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError
from w2s.models.branching import Rows
from w2s.reward.policy import Policy
from w2s.reward.rewarder import Rewarder
from w2s.training.batching import Integers, Shape, in_order, indices, micro_batches, shape_for
from w2s.training.loop import EVALUATION, of_first_rank
from w2s.training.loss import Loss

RewardModel = Rewarder | Policy


@dataclass(frozen=True)
class Dialogue:
    """A pair in tokens. low, high: its completions in canonical order; swapped: whether low is the second."""

    prefix: list[int]
    low: list[int]
    high: list[int]
    swapped: bool


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
    """Pairs that go through the model together. numbers: which; swapped: (n,) bool; sizes: as in ``Dialogues``.

    branched: rows with a shared prefix, or None; then texts are (2n, longest) right-padded, low and high alternating,
    with lengths (2n,). offsets: (n, 2), subtracted from the rewards of first and second completions.
    """

    numbers: list[int]
    swapped: Tensor
    sizes: Integers
    branched: Rows | None
    texts: tuple[Tensor, Tensor] | None
    offsets: Tensor | None = None

    @property
    def tokens(self) -> int:
        """Tokens, padding included."""
        if self.branched is not None:
            return self.branched.ids.numel()
        assert self.texts
        return self.texts[0].numel()


class Dialogues:
    """Encoded pairs, and the micro-batches of any selection of them.

    They take four bytes a token and some 40 a pair; they may come one at a time. In ``sizes`` (n, 3) are the tokens of
    each pair's prefix, lower and higher completion, which lie one after another. offsets: (n, 2) on the CPU, subtracted
    from the rewards of first and second completions, or None.
    """

    offsets: Tensor | None = None

    def __init__(self, pairs: Iterable[Dialogue]) -> None:
        flat, sizes, swapped = array("i"), array("q"), array("b")
        for one in pairs:
            for ids in (one.prefix, one.low, one.high):
                flat.extend(ids)
                sizes.append(len(ids))
            swapped.append(one.swapped)
        self.sizes: Integers = np.asarray(sizes, dtype=np.int64).reshape(-1, 3)
        totals = self.sizes.sum(1)
        self._starts: Integers = totals.cumsum() - totals
        self._flat = torch.from_numpy(np.asarray(flat))
        self._swapped = torch.from_numpy(np.asarray(swapped)).bool()
        self._there = cache(self._moved)
        self._planned = cache(self._plan)

    def __len__(self) -> int:
        return len(self.sizes)

    def pair(self, number: int) -> Dialogue:
        """One of them."""
        total = int(self.sizes[number].sum())
        ids = self._flat[self._starts[number] : self._starts[number] + total]
        prefix, low, high = (part.tolist() for part in ids.split(self.sizes[number].tolist()))
        return Dialogue(prefix, low, high, bool(self._swapped[number]))

    def less(self, offsets: Tensor) -> Dialogues:
        """The same pairs with these offsets, (pairs, 2)."""
        found = copy(self)
        found.offsets = offsets
        return found

    @property
    def tokens(self) -> int:
        """Tokens of all texts, each prefix counted twice: the basis of a run's FLOP."""
        return int((self.sizes * [2, 1, 1]).sum())

    @property
    def lengths(self) -> Integers:
        """(n,) tokens of each prefix with the longer completion."""
        longest: Integers = self.sizes[:, 0] + self.sizes[:, 2]
        return longest

    def split(self, numbers: Sequence[int], budget: int, network: RewardModel) -> list[Micro]:
        """These pairs, shortest first, in micro-batches of at most ``budget`` tokens (one pair at least)."""
        first = next(network.parameters())
        shape = shape_for(network.backbone, first.device)
        parts, shortest = self._parts(numbers, budget, shape)
        return [self._micro(part, shortest, network) for part in parts]

    def all(self, budget: int, network: RewardModel) -> Iterator[Micro]:
        """All pairs in micro-batches. The split is cached for later evaluations; the padded tensors are not."""
        shape = shape_for(network.backbone, next(network.parameters()).device) * 2
        parts, shortest = self._planned(budget, shape)
        return (self._micro(part, shortest, network) for part in parts)

    def _plan(self, budget: int, shape: Shape) -> tuple[list[list[int]], list[int]]:
        return self._parts(range(len(self)), budget, shape)

    def _parts(self, numbers: Sequence[int], budget: int, shape: Shape) -> tuple[list[list[int]], list[int]]:
        """(the numbers of each micro-batch of this rank, that of the shortest pair)."""
        chosen = np.asarray(numbers, dtype=np.int64)
        ordered = chosen[np.lexsort((self.sizes[chosen, 0], self.lengths[chosen]))].tolist()

        def sliced(some: Sequence[int]) -> list[list[int]]:
            lengths = (2 * self.lengths[np.asarray(some, dtype=np.int64)]).tolist()
            return [list(some[one]) for one in micro_batches(lengths, min(budget, shape.largest), shape.overhead)]

        return distributed.split_by_rank(ordered, sliced), ordered[:1]

    def _micro(self, part: list[int], shortest: list[int], network: RewardModel) -> Micro:
        numbers, weight = part or shortest, next(network.parameters())
        sizes = self._sizes(numbers)
        row, text = int(sizes.sum(1).max()), int((sizes[:, 0] + sizes[:, 2]).max())
        branches = network.branches and branching_pays(row, text, weight.shape[-1])
        layout = self.branched if branches else self.apart
        offsets = None if self.offsets is None else self.offsets[numbers].to(weight.device, non_blocking=True)
        return replace(layout(numbers, weight.device), numbers=part, offsets=offsets)

    def branched(self, numbers: Sequence[int], device: torch.device) -> Micro:
        """These pairs as rows that hold the prefix once."""
        starts, sizes, swapped = self._of(numbers, device)
        before, middle, total = sizes.cumsum(1).T[..., None]
        longest = int(self._sizes(numbers).sum(1).max())
        places = torch.arange(longest, device=device)
        padding, second = places >= total, places >= middle
        positions = (places - second * (middle - before)).masked_fill(padding, 0)
        branches = (places >= before).long() + second + padding
        ids = self._flat_on(device)[(starts + places).masked_fill(padding, 0)].long().masked_fill(padding, 0)
        ends = torch.cat([middle, total], dim=1) - 1
        rows = Rows(ids, positions, branches, ends)
        return Micro(list(numbers), swapped, self._sizes(numbers), rows, None)

    def apart(self, numbers: Sequence[int], device: torch.device) -> Micro:
        """These pairs as two texts each."""
        starts, sizes, swapped = self._of(numbers, device)
        before, low, high = sizes.T[..., None]
        skipped = torch.cat([torch.zeros_like(low), low], dim=1)  # tokens between the prefix and the completion
        lengths = before + torch.cat([low, high], dim=1)
        longest = int(self.lengths[np.asarray(numbers, dtype=np.int64)].max())
        places = torch.arange(longest, device=device)
        padding = places >= lengths[..., None]
        found = starts[..., None] + places + (places >= before[..., None]) * skipped[..., None]
        ids = self._flat_on(device)[found.masked_fill(padding, 0)].long().masked_fill(padding, 0)
        texts = ids.flatten(0, 1), lengths.flatten()
        return Micro(list(numbers), swapped, self._sizes(numbers), None, texts)

    def _sizes(self, numbers: Sequence[int]) -> Integers:
        return self.sizes[np.asarray(numbers, dtype=np.int64)]

    def _of(self, numbers: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        """((n, 1) starts, (n, 3) sizes, (n,) swapped) of these pairs; all pairs are on the device already."""
        _, starts, sizes, swapped = self._there(device)
        chosen = indices(numbers, device)
        return starts[chosen, None], sizes[chosen], swapped[chosen]

    def _flat_on(self, device: torch.device) -> Tensor:
        return self._there(device)[0]

    def _moved(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        starts, sizes = torch.from_numpy(self._starts), torch.from_numpy(self.sizes)
        return self._flat.to(device), starts.to(device), sizes.to(device), self._swapped.to(device)


def branching_pays(row: int, text: int, width: int) -> bool:
    """Whether a micro-batch is cheaper with every prefix computed once.

    row: tokens of its longest branched row; text: of its longest text. A token costs a layer about 24 width^2
    operations, and 4 width more for every token that it is compared with; a branched row compares all tokens with all,
    a plain one only with those before.
    """
    return row * (1 + row / (6 * width)) < 2 * text * (1 + text / (12 * width))


def rewards(network: RewardModel, part: Micro) -> Tensor:
    """(n, 2) rewards of first and second completions, which are the logits of which one is preferred.

    None of a pair that only keeps this rank in step with the others.
    """
    if part.branched is not None:
        assert isinstance(network, Rewarder)
        scores = network.score_pairs(part.branched)
    else:
        assert part.texts
        ids, lengths = part.texts
        scores = network(ids, part.sizes) if isinstance(network, Policy) else network(ids, lengths).view(-1, 2)
    scores = torch.where(part.swapped[:, None], scores.flip(-1), scores)
    if part.offsets is not None:
        scores = scores - part.offsets
    return scores if part.numbers else scores[:0]


def backward(
    network: RewardModel,
    learned: Dialogues,
    labels: Tensor,
    batch: Sequence[int],
    loss: Loss,
    tokens: int,
) -> Tensor:
    """Add the gradient of one batch's loss to the parameters, a micro-batch at a time; returns losses that sum to it.

    labels: (pairs, 2) probabilities. As ``w2s.training.loop.backward``: the gradient is that of the whole batch; a loss
    that compares pairs needs all logits before any gradient.
    """
    parts = learned.split(batch, tokens, network)
    if loss.separable or (len(parts) == 1 and distributed.size() == 1):
        losses = []
        for part in parts:
            mean = loss(rewards(network, part), labels[indices(part.numbers, labels.device)]).sum() / len(batch)
            mean.backward()
            losses.append(mean.detach())
        return torch.stack(losses)
    with torch.no_grad():
        outputs = [rewards(network, part) for part in parts]
    logits, numbers = distributed.gather(torch.cat(outputs), [number for part in parts for number in part.numbers])
    logits.requires_grad_()
    each = loss(logits, labels[indices(numbers, labels.device)]) / len(batch)
    (gradient,) = torch.autograd.grad(each.sum(), logits)
    sizes = [len(part.numbers) for part in parts]
    for part, of_part in zip(parts, distributed.scatter(gradient).split(sizes), strict=True):
        rewards(network, part).backward(of_part)
    if distributed.size() > 1:
        return of_first_rank(each.detach().sum())
    return torch.stack([of_part.sum() for of_part in each.detach().split(sizes)])


def logits(network: RewardModel, pairs: Dialogues, budget: Budget | None = None) -> Tensor:
    """(pairs,) float32 on the CPU: reward of the second completion less that of the first, in their order.

    DivergedError if one of them is not a number.
    """
    first, second = all_rewards(network, pairs, budget).unbind(-1)
    return second - first


def relative(network: RewardModel, pairs: Dialogues, budget: Budget | None = None) -> Dialogues:
    """The pairs with rewards relative to what they are now."""
    return pairs.less(all_rewards(network, pairs, budget))


@torch.no_grad()
def all_rewards(network: RewardModel, pairs: Dialogues, budget: Budget | None = None) -> Tensor:
    """(pairs, 2) float32 on the CPU: rewards of first and second completions. Errors: those of ``logits``."""
    device = next(network.parameters()).device

    def predict(tokens: int) -> Tensor:
        return in_order(pairs.all(EVALUATION * tokens, network), partial(rewards, network))

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
    found = Dialogues(pairs.pair(number) for pairs in several for number in range(len(pairs)))
    offsets = [pairs.offsets for pairs in several if pairs.offsets is not None]
    return found.less(torch.cat(offsets)) if offsets else found
