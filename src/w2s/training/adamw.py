"""AdamW, to the bit that of ``torch.optim.AdamW(fused=True)``.

Constructing that class imports torch's compiler, which takes longer than many runs here train. The function that it
calls does not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw

from w2s.engine import distributed

BETAS, EPSILON = (0.9, 0.999), 1e-8


class AdamW:
    """The optimiser of some parameters; its learning rate is given at every step."""

    def __init__(self, parameters: Iterable[nn.Parameter], weight_decay: float) -> None:
        self.parameters = list(parameters)
        self.weight_decay = weight_decay
        self.state: dict[int, dict[str, Tensor]] = {}  # number of a parameter -> what its steps have left

    def zero_grad(self) -> None:
        """Drop all gradients."""
        for parameter in self.parameters:
            parameter.grad = None

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        """Change the parameters that have a gradient."""
        moved = {number: one for number, one in enumerate(self.parameters) if one.grad is not None}
        for number, parameter in moved.items():
            if number not in self.state:
                self.state[number] = _fresh(parameter)
        states = [self.state[number] for number in moved]
        adamw(
            list(moved.values()),
            [one.grad for one in moved.values() if one.grad is not None],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=learning_rate,
            weight_decay=self.weight_decay,
            eps=EPSILON,
            maximize=False,
        )

    def state_dict(self) -> dict[str, Any]:
        """For checkpoints, as torch's optimisers lay it out."""
        return {"state": self.state}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Continue from a saved state, in distributed training from this rank's shards."""
        self.state = {
            number: {name: _placed(value, self.parameters[number]) for name, value in saved.items()}
            for number, saved in state_dict["state"].items()
        }


def _fresh(parameter: Tensor) -> dict[str, Tensor]:
    return {
        "step": torch.zeros((), device=parameter.device),
        "exp_avg": torch.zeros_like(parameter),
        "exp_avg_sq": torch.zeros_like(parameter),
    }


def _placed(value: Tensor, parameter: Tensor) -> Tensor:
    """A part of the state where its parameter is, sharded like it if it is no single number."""
    value = value.to(parameter.device)
    return distributed.shard_like(value, parameter) if value.dim() else value
