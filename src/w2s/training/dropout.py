"""Dropout (paper, Appendix B) for any decoder, by hashing instead of a random number generator.

Whether a unit is dropped is a hash of the run's seed, the step, the text and the unit. So a batch gets the same masks
however it is split into micro-batches, when activations are computed again, after a kill, and on every device. All
tokens of a text share a mask.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor, nn

from w2s.errors import UserError

STEPS = 2**40  # resolution of training progress
FIRST, SECOND, STRIDE = -0x40A7B892E31B1A47, -0x6B2FB644ECCEEE15, -0x61C8864680B583EB  # odd, as signed 64 bits
UNITS = 2**20  # places kept apart for the units of a layer
LINEAR = ("Linear", "Conv1D")  # GPT-2 has its own kind


class Dropout:
    """Drops a share of the inputs of every linear layer of a model's backbone while the model is in training mode."""

    def __init__(self, network: nn.Module, backbone: nn.Module, share: float, seed: int) -> None:
        self.share = share
        where = next(network.parameters()).device
        self.seed, self.step = mixed(torch.tensor(seed, device=where)), torch.zeros((), dtype=torch.long, device=where)
        self.texts = self.step
        self.hooks = [network.register_forward_pre_hook(self._read)]
        layers = [layer for layer in backbone.modules() if type(layer).__name__ in LINEAR]
        self.hooks += [layer.register_forward_pre_hook(partial(self._drop, n)) for n, layer in enumerate(layers)]

    def at(self, progress: float) -> None:
        """Use the masks of the step at this share of training."""
        self.step.fill_(round(progress * STEPS))

    def remove(self) -> None:
        """Remove the hooks from the model."""
        for hook in self.hooks:
            hook.remove()

    def _read(self, network: nn.Module, inputs: tuple[Tensor, Tensor]) -> None:
        if network.training:
            self.texts = mixed(hashed(*inputs) + mixed(self.step + self.seed))

    def _drop(self, number: int, layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        if not layer.training:
            return None
        (read,) = inputs
        if read.shape[0] != len(self.texts):
            raise UserError(
                f"dropout: a layer of this architecture has inputs of shape {tuple(read.shape)}, not one row per text"
            )
        kept = mask(self.texts, number, read.shape[-1], self.share)
        return (read * kept.to(read.dtype).view(len(read), *[1] * (read.dim() - 2), -1),)


def mask(texts: Tensor, layer: int, width: int, share: float) -> Tensor:
    """(n, width): 0 for what is dropped, 1 / (1 - share) for the rest. texts: (n,) hashes of text, step and seed."""
    units = torch.arange(layer * UNITS, layer * UNITS + width, device=texts.device)
    bits = mixed(texts[:, None] + units * STRIDE) >> 40 & 0xFFFFFF
    return (bits >= round(share * 2**24)).float() / (1 - share)


def hashed(ids: Tensor, lengths: Tensor) -> Tensor:
    """(n, longest) token ids, right-padded, (n,) lengths -> (n,) hashes, whatever pads them."""
    places = torch.arange(ids.shape[1], device=ids.device)
    each = mixed(ids.long() * STRIDE + places)
    return each.where(places < lengths[:, None], 0).sum(-1)


def mixed(bits: Tensor) -> Tensor:
    """A hash of 64-bit integers, element by element (the finaliser of SplitMix64)."""
    bits = (bits ^ (bits >> 30 & 0x3FFFFFFFF)) * FIRST
    bits = (bits ^ (bits >> 27 & 0x1FFFFFFFFF)) * SECOND
    return bits ^ (bits >> 31 & 0x1FFFFFFFF)
