"""Finetuning on answers, and greedy decoding (Appendix A.2): cross entropy on what follows a prompt, temperature 0.

The loss covers the answer and the end token after it, not the prompt; logits are computed at those positions only. The
paper does not say which tokens its chess loss covers.
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
from w2s.training.batching import Micro, Texts, in_order, shape_for
from w2s.training.loop import EVALUATION


@dataclass(frozen=True)
class AnswerExamples:
    """Prompts, and the tokens to learn after each. inputs: both, without the last token, which predicts nothing."""

    inputs: Texts
    targets: list[list[int]]

    def __len__(self) -> int:
        return len(self.targets)


def answer_examples(prompts: Sequence[Sequence[int]], answers: Sequence[Sequence[int]]) -> AnswerExamples:
    """answers: their tokens, the end token included."""
    inputs = [[*prompt, *answer[:-1]] for prompt, answer in zip(prompts, answers, strict=True)]
    return AnswerExamples(Texts(inputs), [list(answer) for answer in answers])


def backward(network: Generator, learned: AnswerExamples, batch: Sequence[int], tokens: int) -> Tensor:
    """Add the gradient of a batch's loss, ``tokens`` at a time.

    The loss, of which the parts are returned, is the mean over answer tokens in nats.
    """
    device = next(network.parameters()).device
    count = sum(len(learned.targets[number]) for number in batch)
    losses = []
    for part in learned.inputs.split(batch, tokens, device, shape_for(network, device)):
        rows, columns, targets = _targets(learned, part.numbers, device)
        loss = cross_entropy(network(part.ids, rows, columns), targets, reduction="sum") / count
        loss.backward()
        losses.append(loss.detach())
    return torch.stack(losses)


def _targets(learned: AnswerExamples, numbers: Sequence[int], device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """(rows, columns, targets), (n,) each: the token to predict after each of n tokens of a micro-batch."""
    rows: list[int] = []
    columns: list[int] = []
    targets: list[int] = []
    for row, number in enumerate(numbers):
        answer, length = learned.targets[number], int(learned.inputs.lengths[number])
        rows += [row] * len(answer)
        columns += range(length - len(answer), length)
        targets += answer
    found = torch.tensor([rows, columns, targets], dtype=torch.long).to(device, non_blocking=True)
    return found[0], found[1], found[2]


@torch.no_grad()
def greedy(network: Generator, prompts: Texts, *, end: int, most: int, budget: Budget | None = None) -> list[list[int]]:
    """Greedy decoding after each prompt, up to ``end`` (left out) or at most ``most`` tokens.

    DivergedError if a logit is not a number.
    """
    device = next(network.parameters()).device

    def answer(tokens: int) -> list[list[int]]:
        parts = prompts.all(EVALUATION * tokens, device, shape_for(network, device) * 2)
        rows = in_order(parts, answers_of).tolist()
        return [row[: row.index(end)] if end in row else row for row in rows]

    def answers_of(part: Micro) -> Tensor:
        answers = _decode(network, part.ids, part.lengths, end, most)
        return pad(answers, (0, most - answers.shape[1]), value=end)[: len(part.numbers)]

    was_training = network.training
    network.eval()
    result = (budget or budget_of(device)).attempt(answer)
    network.train(was_training)
    return result


def _decode(network: Generator, ids: Tensor, lengths: Tensor, end: int, most: int) -> Tensor:
    """(batch, up to ``most``) tokens; those after an end token are arbitrary."""
    logits, cache = network.prefill(ids, lengths, most)
    tokens = [_likeliest(logits)]
    ended = tokens[0] == end
    for more in range(most - 1):
        if distributed.all_true(bool(ended.all())):
            break
        logits, cache = network.decode(tokens[-1], lengths + more, cache)
        tokens.append(_likeliest(logits))
        ended |= tokens[-1] == end
    return torch.stack(tokens, dim=1)


def _likeliest(logits: Tensor) -> Tensor:
    best, tokens = logits.max(-1)
    if not best.isfinite().all():
        raise DivergedError("diverged: logits are not numbers")
    return tokens
