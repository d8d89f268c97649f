"""A loss as the training loop takes it: which one it is, the stage decides (``w2s.training.objectives``)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Loss:
    """A loss of soft labels.

    function: (n, 2) logits, (n, 2) labels and, until ``at`` has set it, the keyword ``progress`` -> (n,) losses in
    nats. separable: an example's loss does not depend on the others, so micro-batches can be treated one by one.
    """

    function: Callable[..., Tensor]
    separable: bool = False

    def at(self, progress: float) -> Loss:
        """The loss at a point of training. progress: share of the steps done before this one, in [0, 1)."""
        return replace(self, function=partial(self.function, progress=progress))

    def __call__(self, logits: Tensor, labels: Tensor) -> Tensor:
        """(n,) losses in nats of (n, 2) logits under (n, 2) labels."""
        return self.function(logits, labels)
