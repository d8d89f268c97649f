"""Batches of token ids: right-padded, sorted by length, split so that little padding is computed."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from w2s.engine import distributed

WEIGHTS_READ = 64  # tokens
AT_ONCE = 2**20  # tokens
POOL, POOLS = 50, 4  # batches among which texts are sorted by length, at most; pools of an epoch, at least
Integers = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Shape:
    """The micro-batches that suit a model on a device; without effect on results.

    overhead: cost of one more micro-batch, in tokens. largest: tokens of a micro-batch beyond which speed drops. packs:
    whether texts are packed into one row (``w2s.models.packing``) rather than padded.
    """

    overhead: int = 0
    largest: int = 2**31
    packs: bool = False

    def __mul__(self, times: int) -> Shape:
        return replace(self, largest=self.largest * times)


def shape_for(model: nn.Module, device: torch.device) -> Shape:
    """The shape for a model on a device.

    On a CPU a micro-batch should fit a core's cache, and launching its operations costs some 0.1 GFLOP. Weights that
    fit no cache are read anew for each micro-batch, which costs about as much as ``WEIGHTS_READ`` tokens. On a GPU
    launching costs more than most of the work, and only memory limits the size.
    """
    packs = bool(getattr(model, "packs", False))
    if device.type != "cpu":
        return Shape(overhead=2048, packs=packs)
    first, *others = model.parameters()  # the embedding, which takes no arithmetic
    computed = max(1, sum(parameter.numel() for parameter in others))
    overhead = max(WEIGHTS_READ, min(2048, 20_000_000 // computed))
    return Shape(overhead, largest=max(512, 65_536 // first.shape[-1]), packs=packs)


def epochs_order(count: int, epochs: float, seed: int) -> list[int]:
    """Example numbers in training order: all of them once per epoch, in a new random order each time."""
    generator = torch.Generator().manual_seed(seed)
    wanted = max(1, round(epochs * count))
    order: list[int] = []
    while len(order) < wanted:
        order += torch.randperm(count, generator=generator).tolist()
    return order[:wanted]


def batches_by_length(lengths: Integers, epochs: float, batch: int, seed: int) -> list[list[int]]:
    """Batches of texts of similar length, in random order: all texts once per epoch, other batches in each.

    lengths: (texts,). An epoch is shuffled and cut into pools of some batches' size, each is sorted and cut into
    batches, and these are shuffled. Texts that fill no batch, whatever their lengths, are the last of the epoch.
    """
    generator, count, batches = torch.Generator().manual_seed(seed), len(lengths), []
    left = max(1, round(epochs * count))
    while left:
        order = torch.randperm(count, generator=generator)[:left].tolist()
        left -= len(order)
        filled = len(order) // batch
        pool = min(POOL, max(1, filled // POOLS))
        starts = range(0, filled * batch, pool * batch)
        ordered = [
            number
            for start in starts
            for number in by_length(order[start : min(start + pool * batch, filled * batch)], lengths)
        ]
        shuffled = torch.randperm(filled, generator=generator).tolist()
        batches += [ordered[place * batch : (place + 1) * batch] for place in shuffled]
        batches += [order[filled * batch :]] if len(order) > filled * batch else []
    return batches


def by_length(numbers: Sequence[int], lengths: Integers) -> list[int]:
    """The same numbers, shortest first; equal lengths keep their order. lengths: of all texts."""
    chosen = np.asarray(numbers, dtype=np.int64)
    ordered: list[int] = chosen[lengths[chosen].argsort(kind="stable")].tolist()
    return ordered


def micro_batches(lengths: Sequence[int], budget: int, overhead: int = 0) -> list[slice]:
    """Slices of a batch sorted by length, each within ``budget`` tokens when padded (one row at least).

    The cheapest of all such splits, by padded tokens plus ``overhead`` tokens per slice.
    """
    count = len(lengths)
    cost, begins = np.zeros(count + 1), np.zeros(count + 1, dtype=np.int64)
    for end in range(1, count + 1):
        longest = lengths[end - 1]
        least = max(0, end - max(1, budget // longest))
        starts = np.arange(least, end)
        costs = cost[starts] + overhead + (end - starts) * longest
        best = int(costs.argmin())
        cost[end], begins[end] = costs[best], starts[best]
    slices, end = [], count
    while end:
        slices.append(slice(int(begins[end]), end))
        end = int(begins[end])
    return slices[::-1]


def filled(lengths: Sequence[int], budget: int) -> list[slice]:
    """Slices of a batch, each within ``budget`` tokens without padding (one text at least)."""
    slices, start, tokens = [], 0, 0
    for number, length in enumerate(lengths):
        if number > start and tokens + length > budget:
            slices.append(slice(start, number))
            start, tokens = number, 0
        tokens += length
    return [*slices, slice(start, len(lengths))]


@dataclass(frozen=True)
class Micro:
    """A micro-batch. numbers: of its texts; ids: (n, longest), padded with 0 on the right; lengths: (n,).

    longest: tokens of the longest text, if ids are packed: (tokens,), the texts one after another.

    Without numbers it holds a text that only keeps this rank in step with the others (``w2s.engine.distributed``).
    """

    numbers: list[int]
    ids: Tensor
    lengths: Tensor
    longest: int | None = None


def indices(numbers: Sequence[int] | Integers, device: torch.device) -> Tensor:
    """(n,) numbers on a device, on their way there while the next operations are launched."""
    return torch.as_tensor(numbers, dtype=torch.long).to(device, non_blocking=True)


class Texts:
    """Encoded texts, and the padded tensors of any selection of them.

    They take four bytes a token and some 16 a text; ids may come one text at a time. lengths: (n,) tokens of each.
    """

    def __init__(self, ids: Iterable[Sequence[int]]) -> None:
        flat, lengths = array("i"), array("q")
        for text in ids:
            flat.extend(text)
            lengths.append(len(text))
        self.lengths: Integers = np.asarray(lengths)
        self.starts: Integers = self.lengths.cumsum() - self.lengths
        self._flat = torch.from_numpy(np.asarray(flat))
        self._there = cache(self._moved)
        self._planned = cache(self._plan)

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def tokens(self) -> int:
        """Of all texts together."""
        return len(self._flat)

    def ids(self, number: int) -> list[int]:
        """The tokens of one text."""
        start = self.starts[number]
        return list(self._flat[start : start + self.lengths[number]].tolist())

    def used(self) -> Tensor:
        """(n,) the token ids that occur, once each."""
        found: Tensor = torch.cat([torch.unique(some) for some in self._flat.split(AT_ONCE)]).unique()
        return found

    def tensors(self, numbers: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
        """(ids (n, longest) padded with 0 on the right, lengths (n,)) of these texts.

        All texts are on the device already: no copy per batch.
        """
        flat, starts, lengths = self._there(device)
        rows = np.asarray(numbers, dtype=np.int64)
        chosen = indices(rows, device)
        steps = torch.arange(int(self.lengths[rows].max()), device=device)
        inside = steps < lengths[chosen][:, None]
        places = (starts[chosen][:, None] + steps).where(inside, 0)
        return flat[places].where(inside, 0).long(), lengths[chosen]

    def packed(self, numbers: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor, int]:
        """(ids (tokens,) of these texts one after another, lengths (n,), tokens of the longest)."""
        flat, starts, lengths = self._there(device)
        rows = np.asarray(numbers, dtype=np.int64)
        chosen, tokens = indices(rows, device), int(self.lengths[rows].sum())
        counts = lengths[chosen]
        shifts = starts[chosen] - counts.cumsum(0) + counts  # from places in the row to those in all texts
        places = torch.arange(tokens, device=device) + shifts.repeat_interleave(counts, output_size=tokens)
        return flat[places].long(), counts, int(self.lengths[rows].max())

    def _moved(self, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
        starts, lengths = torch.from_numpy(self.starts), torch.from_numpy(self.lengths)
        return self._flat.to(device), starts.to(device), lengths.to(device)

    def split(self, numbers: Sequence[int], budget: int, device: torch.device, shape: Shape) -> list[Micro]:
        """These texts, shortest first, in micro-batches; in distributed training those of this rank."""
        parts, shortest = self._parts(numbers, budget, shape)
        return [self._micro(part, shortest, device, shape) for part in parts]

    def all(self, budget: int, device: torch.device, shape: Shape) -> Iterator[Micro]:
        """All texts in micro-batches. The split is cached for later evaluations; the padded tensors are not."""
        parts, shortest = self._planned(budget, shape)
        return (self._micro(part, shortest, device, shape) for part in parts)

    def _micro(self, part: list[int], shortest: list[int], device: torch.device, shape: Shape) -> Micro:
        if not shape.packs:
            return Micro(part, *self.tensors(part or shortest, device))
        return Micro(part, *self.packed(part or shortest, device))

    def _plan(self, budget: int, shape: Shape) -> tuple[list[list[int]], list[int]]:
        return self._parts(range(len(self)), budget, shape)

    def _parts(self, numbers: Sequence[int], budget: int, shape: Shape) -> tuple[list[list[int]], list[int]]:
        """(the numbers of each micro-batch of this rank, that of the shortest text)."""

        def sliced(ordered: Sequence[int]) -> list[list[int]]:
            lengths = self.lengths[np.asarray(ordered, dtype=np.int64)].tolist()
            most = min(budget, shape.largest)
            slices = filled(lengths, most) if shape.packs else micro_batches(lengths, most, shape.overhead)
            return [list(ordered[part]) for part in slices]

        ordered = by_length(numbers, self.lengths)
        return distributed.split_by_rank(ordered, sliced), ordered[:1]


class Numbered(Protocol):
    """A micro-batch of whatever kind."""

    @property
    def numbers(self) -> list[int]:
        """Of its examples."""
        ...


M = TypeVar("M", bound=Numbered)


def in_order(parts: Iterable[M], read: Callable[[M], Tensor]) -> Tensor:
    """What ``read`` gives for the examples of all micro-batches, on all ranks, by their numbers; on the CPU.

    read: a row for each of a micro-batch's numbers. The numbers are 0 to n - 1, once each.
    """
    found: list[Tensor] = []
    numbers: list[int] = []
    for part in parts:
        found.append(read(part))
        numbers += part.numbers
    rows, numbers = distributed.gather(torch.cat(found), numbers)
    ordered = torch.empty_like(rows, device="cpu")
    ordered[numbers] = rows.cpu()
    return ordered


def joined(several: Sequence[Texts]) -> Texts:
    """The texts of several, concatenated."""
    return Texts(texts.ids(number) for texts in several for number in range(len(texts)))
