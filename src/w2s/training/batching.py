"""Batches of token ids: padded on the right, sorted by length, split by a budget of tokens."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from w2s.device import environment_number

# Tokens, padding included, that go through the model at once. Environment, not identity: a batch gives the
# same loss and gradient however it is split.
TOKENS_AT_ONCE = 4096


def token_budget() -> int:
    """W2S_TOKENS_AT_ONCE, or the default."""
    return int(environment_number("W2S_TOKENS_AT_ONCE", TOKENS_AT_ONCE, least=1))


def epochs_order(count: int, epochs: float, seed: int) -> list[int]:
    """Example numbers in training order: every one once an epoch, in a fresh order each time."""
    generator = torch.Generator().manual_seed(seed)
    wanted = max(1, round(epochs * count))
    order: list[int] = []
    while len(order) < wanted:
        order += torch.randperm(count, generator=generator).tolist()
    return order[:wanted]


def by_length(numbers: Sequence[int], lengths: Sequence[int]) -> list[int]:
    """The same numbers, shortest first; equal lengths keep their order."""
    return sorted(numbers, key=lambda number: lengths[number])


def micro_batches(lengths: Sequence[int], budget: int) -> list[slice]:
    """Slices of a batch sorted by length whose padded size stays within ``budget`` tokens (one row at least)."""
    slices, start = [], 0
    for end in range(1, len(lengths) + 1):
        if end == len(lengths) or lengths[end] * (end + 1 - start) > budget:
            slices.append(slice(start, end))
            start = end
    return slices


class Texts:
    """Encoded texts, and the tensors of any selection of them."""

    def __init__(self, ids: Sequence[Sequence[int]]) -> None:
        self.ids = [torch.tensor(one, dtype=torch.long) for one in ids]
        self.lengths = [len(one) for one in ids]

    def __len__(self) -> int:
        return len(self.ids)

    def tensors(self, numbers: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor]:
        """(ids (n, longest) padded with 0 on the right, lengths (n,)) of these texts."""
        ids = torch.nn.utils.rnn.pad_sequence([self.ids[number] for number in numbers], batch_first=True)
        lengths = torch.tensor([self.lengths[number] for number in numbers])
        return ids.to(device), lengths.to(device)

    def split(self, numbers: Sequence[int], budget: int) -> Iterator[list[int]]:
        """These texts, shortest first, in micro-batches."""
        ordered = by_length(numbers, self.lengths)
        for part in micro_batches([self.lengths[number] for number in ordered], budget):
            yield ordered[part]
