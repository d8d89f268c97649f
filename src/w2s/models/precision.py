"""The precision in which a network computes: float32, or matrix products in bfloat16.

Weights, gradients and optimizer states of what is trained are float32 either way. On a GPU, autocast takes care of it.
On a CPU, autocast also computes attention and element-wise operations in bfloat16, which is slower there than float32,
so linear layers alone do: processors with AMX or AVX512-BF16 multiply matrices some four times as fast in bfloat16.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

CONV1D = "Conv1D"  # GPT-2's own kind of linear layer, whose weight is transposed


@dataclass(frozen=True)
class Precision:
    """How a network computes. half: matrix products in bfloat16. layers: on a CPU, linear layers see to it."""

    half: bool
    layers: bool

    @classmethod
    def of(cls, name: str, *parts: nn.Module | None) -> Precision:
        """``float32`` or ``bfloat16``; linear layers of the parts of a network are prepared for the latter.

        Frozen weights that are stored in bfloat16, beside adapters, stay with autocast on all devices.
        """
        half = getattr(torch, name) != torch.float32
        network = nn.ModuleList(part for part in parts if part is not None)
        layers = half and all(one.dtype == torch.float32 for one in network.parameters())
        for layer in network.modules() if layers else ():
            if isinstance(layer, nn.Linear) or type(layer).__name__ == CONV1D:
                layer.forward = partial(_forward, layer)
        return cls(half, layers)

    def computing(self, device: torch.device) -> AbstractContextManager[Any]:
        """The context of a forward pass."""
        enabled = self.half and not (self.layers and device.type == "cpu")
        return torch.autocast(device.type, torch.bfloat16, enabled=enabled)

    def linear(self, values: Tensor, weight: Tensor) -> Tensor:
        """The product with a weight that is no layer's own: (..., in) values, (out, in) weight -> (..., out)."""
        if self.layers and values.device.type == "cpu":
            return product(values, weight)
        return linear(values, weight)


def _forward(layer: Any, values: Tensor) -> Tensor:
    """What the layer's own ``forward`` returns."""
    if values.device.type != "cpu":
        return type(layer).forward(layer, values)  # type: ignore[no-any-return]
    weight = layer.weight.t() if type(layer).__name__ == CONV1D else layer.weight
    result = product(values, weight)
    return result if layer.bias is None else result + layer.bias


def product(values: Tensor, weight: Tensor) -> Tensor:
    """Values times transposed weight, in bfloat16, returned in float32: (..., in), (out, in) -> (..., out)."""
    result: Tensor = Product.apply(values, weight)  # type: ignore[no-untyped-call]
    return result


class Product(torch.autograd.Function):
    """A matrix product in bfloat16, and those of its backward pass."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor) -> Tensor:
        """As ``product``."""
        left, right = values.bfloat16(), weight.bfloat16()
        ctx.save_for_backward(left, right)
        return linear(left, right).float()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Gradients of both, float32."""
        left, right = ctx.saved_tensors
        half = gradient.bfloat16()
        of_values = (half @ right).float() if ctx.needs_input_grad[0] else None
        of_weight = (half.flatten(0, -2).t() @ left.flatten(0, -2)).float() if ctx.needs_input_grad[1] else None
        return of_values, of_weight
