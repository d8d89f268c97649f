"""Weight averaging (paper, Appendix B): predictions from an exponential moving average of the trained weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

import torch
from torch import Tensor


class Weights(Protocol):
    """The trained weights of a model."""

    def state_dict(self) -> dict[str, Tensor]:
        """Name -> weights, not copied."""
        ...

    def load_state_dict(self, state_dict: Mapping[str, Tensor]) -> None:
        """Put weights back."""
        ...


class Average:
    """The mean of the weights after every step so far; a step weighs ``decay`` times as much as the next one.

    The initial weights are not included. Decay 0 is no averaging.
    """

    def __init__(self, trained: Weights, decay: float) -> None:
        self.trained, self.decay = trained, decay
        self.sums = {name: torch.zeros_like(value) for name, value in trained.state_dict().items()}
        self.weight = 0.0

    @torch.no_grad()
    def update(self) -> None:
        """Include the weights after one more step."""
        for name, value in self.trained.state_dict().items():
            self.sums[name].mul_(self.decay).add_(value, alpha=1 - self.decay)
        self.weight = self.decay * self.weight + 1 - self.decay

    def put(self) -> None:
        """Replace the model's weights by the average."""
        self.trained.load_state_dict({name: total / self.weight for name, total in self.sums.items()})

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights while the block runs."""
        current = {name: value.clone() for name, value in self.trained.state_dict().items()}
        self.put()
        try:
            yield
        finally:
            self.trained.load_state_dict(current)

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints."""
        return {"sums": self.sums, "weight": self.weight}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved average."""
        for name, total in self.sums.items():
            total.copy_(state_dict["sums"][name])
        self.weight = state_dict["weight"]
