"""f-divergences between the student's prediction p and the weak label q (arXiv 2506.03109; reverse KL: 2502.11107).

Each is 0 where p equals q and positive elsewhere, in nats where it has logarithms. Cross entropy is the forward KL
divergence plus the label's entropy, so ``forward_kl`` has the gradient of naive finetuning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from w2s.config.parameters import Between

if TYPE_CHECKING:
    from torch import Tensor


def f_divergence(
    logits: Tensor,
    labels: Tensor,
    *,
    progress: float,
    divergence: Literal[
        "forward_kl", "reverse_kl", "jeffreys", "jensen_shannon", "hellinger", "total_variation"
    ] = "reverse_kl",
    floor: Annotated[float, Between(1e-9, 0.5)] = 1e-4,
) -> Tensor:
    """(batch,) divergences of predictions from labels. floor: the least probability of a label.

    forward_kl: KL(q | p); reverse_kl: KL(p | q); jeffreys: their sum; jensen_shannon: the mean KL divergence of both
    from (p + q) / 2; hellinger: 1 - sum of sqrt(p q); total_variation: half the sum of |p - q|.
    """
    p = logits.log_softmax(-1)
    q = labels.clamp(floor, 1 - floor).log()
    if divergence == "forward_kl":
        return kl(q, p)
    if divergence == "reverse_kl":
        return kl(p, q)
    if divergence == "jeffreys":
        return kl(q, p) + kl(p, q)
    if divergence == "jensen_shannon":
        middle = ((p.exp() + q.exp()) / 2).log()
        return (kl(p, middle) + kl(q, middle)) / 2
    if divergence == "hellinger":
        return 1 - ((p + q) / 2).exp().sum(-1)
    return (p.exp() - q.exp()).abs().sum(-1) / 2


def kl(first: Tensor, second: Tensor) -> Tensor:
    """(batch,) KL divergences of (batch, 2) log probabilities from others: the mean under ``first`` of the ratio."""
    return (first.exp() * (first - second)).sum(-1)
