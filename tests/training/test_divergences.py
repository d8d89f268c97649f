"""f-divergences: nothing at equality, positive elsewhere, pulled towards the label, and each what its name says."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.training.test_appendix import pulled
from tests.training.test_objectives import batch
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.training.objectives import cross_entropy, naive, pair
from w2s.training.objectives import settings as parameters_of
from w2s.training.objectives.appendix import entropy
from w2s.training.objectives.divergences import f_divergence

NAMES = parameters_of("f_divergence")["divergence"].choices
SYMMETRIC = ("jeffreys", "jensen_shannon", "hellinger", "total_variation")
BOUNDS = {"jensen_shannon": math.log(2), "hellinger": 1.0, "total_variation": 1.0}
CHANCES = st.floats(0.001, 0.999)


def between(p: float, q: float, divergence: str) -> float:
    """The divergence of a prediction p from a label q."""
    logits = torch.tensor([[0.0, math.log(p / (1 - p))]], dtype=torch.float64)
    labels = pair(torch.tensor([q], dtype=torch.float64))
    return f_divergence(logits, labels, progress=0.0, divergence=divergence).item()  # type: ignore[arg-type]


@pytest.mark.parametrize("divergence", NAMES)
@given(p=CHANCES, q=CHANCES)
def test_a_divergence_is_nothing_at_equality_positive_elsewhere_and_the_same_for_the_other_class(
    divergence: str, p: float, q: float
) -> None:
    assert between(q, q, divergence) == pytest.approx(0, abs=1e-12)
    found = between(p, q, divergence)
    assert found >= -1e-12
    if abs(p - q) > 1e-3:
        assert found > 1e-8
    assert between(1 - p, 1 - q, divergence) == pytest.approx(found, abs=1e-9)
    assert found <= BOUNDS.get(divergence, math.inf)


@pytest.mark.parametrize("divergence", NAMES)
@pytest.mark.parametrize("q", [0.1, 0.5, 0.8])
def test_the_gradient_pulls_towards_the_label_from_both_sides(divergence: str, q: float) -> None:
    for p in (q - 0.05, q + 0.05, 0.02, 0.98):
        assert pulled(f_divergence, p, q, divergence=divergence) * (p - q) > 0
    if divergence != "total_variation":  # which has a corner there
        assert pulled(f_divergence, q, q, divergence=divergence) == pytest.approx(0, abs=1e-6)


@given(p=CHANCES, q=CHANCES)
def test_symmetric_divergences_are_and_kullback_leiblers_are_each_other_exchanged(p: float, q: float) -> None:
    for divergence in SYMMETRIC:
        assert between(p, q, divergence) == pytest.approx(between(q, p, divergence), abs=1e-9)
    forward, reverse = between(p, q, "forward_kl"), between(p, q, "reverse_kl")
    assert forward == pytest.approx(between(q, p, "reverse_kl"), abs=1e-9)
    assert between(p, q, "jeffreys") == pytest.approx(forward + reverse, abs=1e-9)
    assert between(p, q, "total_variation") == pytest.approx(abs(p - q), abs=1e-9)
    # Pinsker's inequality, and Le Cam's
    assert 2 * (p - q) ** 2 <= reverse + 1e-9
    hellinger = between(p, q, "hellinger")
    assert hellinger - 1e-9 <= abs(p - q) <= math.sqrt(2 * hellinger) + 1e-6


def test_forward_kl_is_cross_entropy_up_to_the_entropy_of_the_label() -> None:
    logits, labels = batch(16)
    found = f_divergence(logits, labels, progress=0.0, divergence="forward_kl", floor=1e-9)
    torch.testing.assert_close(found, cross_entropy(logits, labels) - entropy(labels[:, 1]))
    other = logits.detach().clone().requires_grad_()
    found.sum().backward()
    naive(other, labels, progress=0.0).sum().backward()
    torch.testing.assert_close(logits.grad, other.grad)


def test_reverse_kl_lets_go_of_labels_that_contradict_a_sure_student_and_forward_kl_does_not() -> None:
    """Which is why it was proposed: a prediction at the wrong end of a hard label feels no pull."""
    for p in (1e-3, 1e-5):
        assert abs(pulled(f_divergence, p, 0.99, divergence="reverse_kl")) < 20 * p
        assert abs(pulled(f_divergence, p, 0.99, divergence="forward_kl")) > 0.9


@pytest.mark.parametrize("divergence", NAMES)
def test_hard_labels_and_sure_students_stay_finite_and_the_floor_says_how_far(divergence: str) -> None:
    logits = torch.tensor([[0.0, 200.0], [0.0, -200.0]], requires_grad=True)
    hard = pair(torch.tensor([0.0, 1.0]))
    found: Tensor = f_divergence(logits, hard, progress=0.0, divergence=divergence)  # type: ignore[arg-type]
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    assert found.isfinite().all()
    assert gradient.isfinite().all()
    reverse = f_divergence(logits, hard, progress=0.0, divergence="reverse_kl", floor=0.01)
    torch.testing.assert_close(reverse, torch.full((2,), -math.log(0.01)))


def test_an_unknown_divergence_is_one_line_with_those_that_there_are(config: dict[str, Any]) -> None:
    config["methods"]["mine"] = {"objective": "f_divergence", "parameters": {"divergence": "reverse_lk"}}
    with pytest.raises(
        UserError, match=r"methods.mine.divergence: 'reverse_lk' is not allowed; allowed: forward_kl, re"
    ):
        plan_of(config, "config.yaml")
