"""Each loss of Appendix B (and of follow-ups) is its formula, and does what is said of it."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.training.test_objectives import batch
from w2s.training.objectives import cross_entropy, naive, pair
from w2s.training.objectives.appendix import (
    entropy,
    entropy_confidence,
    generalised_cross_entropy,
    l2_confidence,
    multiplied,
    prediction,
    product,
    reverse_cross_entropy,
)
from w2s.training.objectives.confidence import by_prior, confidence_open

UNSURE = 0.5  # a label that says nothing


def pulled(objective: object, p: float, label: float = UNSURE, **parameters: object) -> float:
    """The derivative by the log odds of class 1 of one example's loss: negative pulls p up."""
    logits = torch.tensor([[0.0, math.log(p / (1 - p))]], requires_grad=True)
    labels = pair(torch.tensor([label]))
    objective(logits, labels, progress=0.5, **parameters).sum().backward()  # type: ignore[operator]
    assert logits.grad is not None
    return float(logits.grad[0, 1])


@pytest.mark.parametrize("objective", [l2_confidence, entropy_confidence])
@pytest.mark.parametrize("p", [0.1, 0.3, 0.6, 0.9])
def test_confidence_terms_push_away_from_one_half(objective: object, p: float) -> None:
    """As is said of both; the entropy term as printed would do the contrary."""
    more = pulled(objective, p, weight=2.0, balanced=False) - pulled(objective, p, weight=0.0, balanced=False)
    assert more * (p - 0.5) < 0


def test_the_terms_are_the_papers_with_the_sign_of_the_entropy_put_right() -> None:
    logits, labels = batch(16)
    p = logits.softmax(-1)[:, 1]
    l2 = l2_confidence(logits, labels, progress=0.0, weight=0.7, balanced=False)
    torch.testing.assert_close(l2, cross_entropy(logits, labels) - 0.7 * (p - 0.5) ** 2)
    entropic = entropy_confidence(logits, labels, progress=0.0, weight=0.7, balanced=False)
    printed = p * p.log() + (1 - p) * (1 - p).log()
    torch.testing.assert_close(entropic, cross_entropy(logits, labels) - 0.7 * printed)


def test_entropy_is_largest_at_one_half_and_nothing_at_the_ends() -> None:
    found = entropy(torch.tensor([0.5, 0.0, 1.0]))
    torch.testing.assert_close(found, torch.tensor([math.log(2), 0.0, 0.0]))


@given(st.integers(1, 32), st.integers(0, 100), st.floats(-20, 20))
def test_balanced_terms_send_half_of_the_batch_to_either_side_whatever_the_bias(
    half: int, seed: int, bias: float
) -> None:
    logits, _ = batch(2 * half, seed)
    shifted = logits.detach() + torch.tensor([0.0, bias])
    assert (prediction(shifted, True) > 0.5).sum().item() == half
    torch.testing.assert_close(prediction(shifted, True), prediction(logits.detach(), True), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(prediction(shifted, False), shifted.softmax(-1)[:, 1])


@pytest.mark.parametrize("objective", [l2_confidence, entropy_confidence])
def test_weight_zero_equals_naive(objective: object) -> None:
    logits, labels = batch(16)
    found = objective(logits, labels, progress=0.0, weight=0.0)  # type: ignore[operator]
    assert torch.equal(found, naive(logits, labels, progress=0.0))


def test_product_targets_are_the_renormalised_product() -> None:
    logits, labels = batch(16)
    raw = labels * logits.softmax(-1)
    torch.testing.assert_close(multiplied(logits, labels, 1.0, 1.0), (raw / raw.sum(-1, keepdim=True)).detach())
    root = (labels * logits.softmax(-1)).sqrt()
    torch.testing.assert_close(multiplied(logits, labels, 0.5, 0.5), (root / root.sum(-1, keepdim=True)).detach())


def test_product_without_the_students_part_is_naive_and_gives_its_target_no_gradient() -> None:
    logits, labels = batch(16)
    torch.testing.assert_close(product(logits, labels, progress=0.0, beta=0.0), naive(logits, labels, progress=0.0))
    product(logits, labels, progress=0.0).sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad, (logits.softmax(-1) - multiplied(logits, labels, 1.0, 1.0)).detach())


def test_product_is_surer_where_both_agree_and_undecided_where_they_cancel() -> None:
    logits = torch.tensor([[0.0, math.log(4)], [0.0, -math.log(4)]])  # 0.8 and 0.2
    target = multiplied(logits, pair(torch.tensor([0.8, 0.8])), 1.0, 1.0)[:, 1]
    torch.testing.assert_close(target, torch.tensor([16 / 17, 0.5]))


def test_hard_labels_and_sure_students_stay_finite() -> None:
    logits = torch.tensor([[0.0, 200.0], [0.0, -200.0]], requires_grad=True)
    hard = pair(torch.tensor([0.0, 1.0]))
    for objective in (product, reverse_cross_entropy, generalised_cross_entropy, entropy_confidence):
        loss = objective(logits, hard, progress=0.5)
        (gradient,) = torch.autograd.grad(loss.sum(), logits)
        assert loss.isfinite().all()
        assert gradient.isfinite().all(), objective


def test_generalised_cross_entropy_goes_from_cross_entropy_to_absolute_error() -> None:
    logits, labels = batch(16)
    at = {q: generalised_cross_entropy(logits, labels, progress=0.0, q=q) for q in (0.0, 1e-4, 0.7, 1.0)}
    torch.testing.assert_close(at[0.0], cross_entropy(logits, labels))
    torch.testing.assert_close(at[1e-4], cross_entropy(logits, labels), atol=1e-3, rtol=1e-3)
    probabilities = logits.softmax(-1)
    torch.testing.assert_close(at[0.7], (labels * (1 - probabilities**0.7) / 0.7).sum(-1))
    torch.testing.assert_close(at[1.0], 1 - (labels * probabilities).sum(-1))


def test_generalised_cross_entropy_weighs_hopeless_labels_by_the_prediction_to_the_power_of_q() -> None:
    """Its gradient is cross entropy's times f^q (Zhang and Sabuncu, section 3.2): what contradicts is let go."""
    for p in (0.05, 0.4, 0.9):
        ours, theirs = pulled(generalised_cross_entropy, p, 1.0, q=0.7), pulled(naive, p, 1.0)
        assert ours == pytest.approx(theirs * p**0.7, rel=1e-4)


def test_reverse_cross_entropy_exchanges_label_and_prediction() -> None:
    logits, labels = batch(16)
    found = reverse_cross_entropy(logits, labels, progress=0.0, floor=1e-9)
    torch.testing.assert_close(found, -(logits.softmax(-1) * labels.log()).sum(-1))
    assert pulled(reverse_cross_entropy, 0.7) == pytest.approx(0, abs=1e-7)  # an undecided label does not pull
    floored = reverse_cross_entropy(torch.tensor([[0.0, 0.0]]), pair(torch.tensor([0.0])), progress=0.0, floor=0.01)
    assert floored.item() == pytest.approx(-0.5 * math.log(0.01) - 0.5 * math.log(0.99))


# -- the released confidence loss ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("progress", "jumps", "alpha"),
    [
        (0.0, True, 0.0),
        (0.05, True, 0.025),
        (0.1, True, 0.05),
        (0.11, True, 0.5),
        (0.05, False, 0.25),
        (0.1, False, 0.5),
        (0.9, False, 0.5),
    ],
)
def test_the_released_warm_up_jumps_and_the_mended_one_does_not(progress: float, jumps: bool, alpha: float) -> None:
    logits, labels = batch(32)
    expected = cross_entropy(logits, (1 - alpha) * labels + alpha * by_prior(logits, labels))
    found = confidence_open(logits, labels, progress=progress, alpha=0.5, warmup=0.1, jumps=jumps)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("share", [0.25, 0.5, 0.75])
def test_the_released_threshold_follows_the_supervisors_prior(share: float) -> None:
    """As many are predicted 1 as the labels say, up to the quantile's own example; the paper's takes half always."""
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 2, generator=generator)
    hard: Tensor = by_prior(logits, pair(torch.full((40,), share)))
    assert abs(hard[:, 1].sum().item() - 40 * share) <= 1
    assert logits[:, 1].sub(logits[:, 0])[hard[:, 1] == 1].min() > logits[:, 1].sub(logits[:, 0])[hard[:, 1] == 0].max()
