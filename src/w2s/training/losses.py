"""The losses of a training's steps, left on the device until something needs them: a GPU never waits for a loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from w2s.engine import distributed
from w2s.errors import DivergedError

AT_ONCE = 64  # steps whose losses wait on a GPU


class Losses:
    """The losses of the steps since the last row of the history.

    On a CPU every loss is read at once; elsewhere at most ``AT_ONCE`` wait. All ranks of distributed training should
    call the same methods at the same steps.
    """

    def __init__(self, read: list[float], steps: int, device: torch.device) -> None:
        self._read, self._steps = read, steps
        self._waiting: list[tuple[int, Tensor]] = []
        self._at_once = 1 if device.type == "cpu" else AT_ONCE
        self.last = math.nan  # that was read

    def add(self, step: int, parts: Tensor) -> None:
        """A step's loss: the sum of ``parts``, over all ranks. DivergedError as in ``read``."""
        self._waiting.append((step, parts))
        if len(self._waiting) >= self._at_once:
            self.read()

    def read(self) -> list[float]:
        """All of them, in order. DivergedError naming the first step whose loss is not a number."""
        for step, parts in self._waiting:
            self.last = distributed.all_sum(float(sum(parts.flatten().tolist())))
            if not math.isfinite(self.last):
                raise DivergedError(
                    f"diverged: loss {self.last} at step {step} of {self._steps}; lower the learning rate"
                )
            self._read.append(self.last)
        self._waiting.clear()
        return self._read

    def clear(self) -> None:
        """A row of the history is written."""
        self._read.clear()
