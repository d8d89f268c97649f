"""Finetuning on answers, and greedy answers (Section 1.3): cross entropy on what follows a prompt, T = 0.

The loss is on the answer and on the end token behind it, never on the prompt; logits are computed at those places
alone. The paper does not say which tokens its chess loss covers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, pad

from w2s.engine import distributed
from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError
from w2s.models.generator import Generator
from w2s.training.batching import Texts, shape_for
from w2s.training.loop import EVALUATION, total


@dataclass(frozen=True)
class Lessons:
    """Prompts with the tokens to be learned behind each. inputs: both, without the last token, which predicts none."""

    inputs: Texts
    targets: list[list[int]]

    def __len__(self) -> int:
        return len(self.targets)


def lessons(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> Lessons:
    """answers: their tokens, the end token included."""
    inputs = [[*prompt, *answer[:-1]] for prompt, answer in zip(prompts, answers, strict=True)]
    return Lessons(Texts(inputs), [list(answer) for answer in answers])


def backward(network: Generator, learned: Lessons, batch: Sequence[int], tokens: int) -> float:
    """Add the gradient of a batch's loss, so many tokens at a time; the mean over its answer tokens, in nats."""
    device = next(network.parameters()).device
    count = sum(len(learned.targets[number]) for number in batch)
    losses = []
    for part in learned.inputs.split(batch, tokens, device, shape_for(network, device)):
        rows, places, targets = _asked(learned, part.numbers, device)
        loss = cross_entropy(network(part.ids, rows, places), targets, reduction="sum") / count
        loss.backward()
        losses.append(loss.detach())
    return total(losses)


def _asked(learned: Lessons, numbers: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(rows, places, targets), (n,) each: after which tokens of a micro-batch which token is to follow."""
    rows: list[int] = []
    places: list[int] = []
    targets: list[int] = []
    for row, number in enumerate(numbers):
        answer, length = learned.targets[number], learned.inputs.lengths[number]
        rows += [row] * len(answer)
        places += range(length - len(answer), length)
        targets += answer
    found = torch.tensor([rows, places, targets], dtype=torch.long, device=device)
    return found[0], found[1], found[2]


@torch.no_grad()
def greedy(network: Generator, prompts: Texts, *, end: int, most: int, budget: Budget | None = None) -> list[list[int]]:
    """The likeliest next tokens behind each prompt, in their order: until ``end`` (left out), ``most`` of them at most.

    DivergedError if a logit is not a number.
    """
    device = next(network.parameters()).device

    def answer(tokens: int) -> list[list[int]]:
        found: list[list[int]] = [[] for _ in range(len(prompts))]
        rows: list[Tensor] = []
        numbers: list[int] = []
        for part in prompts.all(EVALUATION * tokens, device, shape_for(network, device) * 2):
            said = _answer(network, part.ids, part.lengths, end, most)
            rows.append(pad(said, (0, most - said.shape[1]), value=end)[: len(part.numbers)])
            numbers += part.numbers
        every, numbers = distributed.gather(torch.cat(rows), numbers)
        for number, row in zip(numbers, every.tolist(), strict=True):
            found[number] = row[: row.index(end)] if end in row else row
        return found

    was_training = network.training
    network.eval()
    result = (budget or budget_of(device)).attempt(answer)
    network.train(was_training)
    return result


def _answer(network: Generator, ids: Tensor, lengths: Tensor, end: int, most: int) -> Tensor:
    """(batch, up to ``most``) tokens; what follows an end token means nothing."""
    logits, cache = network.prefill(ids, lengths, most)
    said = [_likeliest(logits)]
    ended = said[0] == end
    for more in range(most - 1):
        if distributed.all_true(bool(ended.all())):
            break
        logits, cache = network.decode(said[-1], lengths + more, cache)
        said.append(_likeliest(logits))
        ended |= said[-1] == end
    return torch.stack(said, dim=1)


def _likeliest(logits: Tensor) -> Tensor:
    best, tokens = logits.max(-1)
    if not best.isfinite().all():
        raise DivergedError("diverged: logits are not numbers")
    return tokens
