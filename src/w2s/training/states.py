"""Hidden states of texts: what a classifier's head reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from w2s.engine import distributed
from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError
from w2s.models.classifier import Classifier
from w2s.training.batching import Texts, shape_for
from w2s.training.loop import EVALUATION, logits_of


@torch.no_grad()
def last_states(network: Classifier, texts: Texts, budget: Budget | None = None) -> Tensor:
    """(texts, width) float32 on the CPU: the input of the head. DivergedError if a value is not a number."""
    where = next(network.parameters()).device
    head, network.head = network.head, nn.Identity()  # type: ignore[assignment]

    def states(tokens: int) -> Tensor:
        local: list[Tensor] = []
        numbers: list[int] = []
        for part in texts.all(EVALUATION * tokens, where, shape_for(network, where) * 2):
            local.append(logits_of(network, part).cpu())
            numbers += part.numbers
        rows, numbers = distributed.gather(torch.cat(local), numbers)
        ordered = torch.empty_like(rows)
        ordered[numbers] = rows
        return ordered

    was_training = network.training
    network.eval()
    try:
        values = (budget or budget_of(where)).attempt(states)
    finally:
        network.head = head
        network.train(was_training)
    if not values.isfinite().all():
        raise DivergedError("diverged: features are not numbers")
    return values
