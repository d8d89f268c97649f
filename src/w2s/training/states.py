"""Hidden states of texts: what a classifier's head reads."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from w2s.engine.memory import Budget, budget_of
from w2s.errors import DivergedError
from w2s.models.classifier import Classifier
from w2s.training.batching import Texts, in_order, shape_for
from w2s.training.loop import EVALUATION, logits_of


@torch.no_grad()
def last_states(network: Classifier, texts: Texts, budget: Budget | None = None) -> Tensor:
    """(texts, width) float32 on the CPU: the input of the head. DivergedError if a value is not a number."""
    where = next(network.parameters()).device
    head, network.head = network.head, nn.Identity()  # type: ignore[assignment]

    def states(tokens: int) -> Tensor:
        parts = texts.all(EVALUATION * tokens, where, shape_for(network, where) * 2)
        return in_order(parts, lambda part: logits_of(network, part).cpu())

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
