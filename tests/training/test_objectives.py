"""The confidence loss is the paper's (Appendix A.4), and alpha 0 is naive finetuning to the bit."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from w2s.training.objectives import OBJECTIVES, SEPARABLE, confidence, cross_entropy, hardened, naive, pair
from w2s.training.objectives import settings as names


def batch(size: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(size, 2, generator=generator, requires_grad=True)
    return logits, pair(torch.rand(size, generator=generator))


def test_alpha_zero_equals_naive_bit_for_bit() -> None:
    ours, labels = batch(32)
    theirs = ours.detach().clone().requires_grad_()
    one = confidence(ours, labels, progress=0.7, alpha_max=0.0)
    other = naive(theirs, labels, progress=0.7)
    one.sum().backward()
    other.sum().backward()
    assert torch.equal(one, other)
    assert ours.grad is not None
    assert theirs.grad is not None
    assert torch.equal(ours.grad, theirs.grad)


def test_cross_entropy_agrees_with_torch() -> None:
    logits, labels = batch(16)
    theirs = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    torch.testing.assert_close(cross_entropy(logits, labels), theirs)


@given(st.integers(2, 65), st.integers(0, 1000))
def test_exactly_half_the_batch_lies_above_the_threshold(size: int, seed: int) -> None:
    logits, _ = batch(size, seed)
    target = hardened(logits)
    assert target[:, 1].sum().item() == size // 2
    assert torch.equal(target.sum(-1), torch.ones(size))
    margin = logits[:, 1] - logits[:, 0]
    above, below = margin[target[:, 1] == 1], margin[target[:, 1] == 0]
    assert above.min() >= below.max()


def test_exactly_half_even_when_all_predictions_are_equal() -> None:
    assert hardened(torch.zeros(32, 2))[:, 1].sum().item() == 16


def test_no_gradient_flows_through_the_hardened_target() -> None:
    logits, labels = batch(8)
    assert not hardened(logits).requires_grad
    confidence(logits, labels, progress=1.0, alpha_max=1.0).mean().backward()
    expected = (logits.softmax(-1) - hardened(logits)).detach() / 8
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, expected)


@pytest.mark.parametrize(
    ("progress", "alpha"), [(0.0, 0.0), (0.05, 0.125), (0.1, 0.25), (0.199, 0.4975), (0.2, 0.5), (0.9, 0.5)]
)
def test_alpha_rises_linearly_over_the_first_fifth_and_stays(progress: float, alpha: float) -> None:
    logits, labels = batch(32)
    expected = cross_entropy(logits, (1 - alpha) * labels + alpha * hardened(logits))
    found = confidence(logits, labels, progress=progress, alpha_max=0.5, warmup=0.2)
    torch.testing.assert_close(found, expected)


def test_the_config_learns_settings_names_from_the_functions() -> None:
    assert list(names("confidence")) == ["alpha_max", "warmup"]
    assert list(names("naive")) == []
    assert names("confidence_open")["jumps"].kind == "bool"
    assert all(one.default is not None for name in OBJECTIVES for one in names(name).values())


@pytest.mark.parametrize("objective", list(OBJECTIVES))
def test_an_objective_that_is_called_separable_is_and_no_other(objective: str) -> None:
    """Micro-batches of a separable objective do not see each other, so its losses must not depend on them."""
    logits, labels = batch(32)
    loss = OBJECTIVES[objective]
    together = loss(logits, labels, progress=0.5)
    apart = torch.cat([loss(logits[[n]], labels[[n]], progress=0.5) for n in range(32)])
    assert torch.allclose(together, apart) == (objective in SEPARABLE)
