"""What methods do to labels: neighbours who agree, a little truth, and labels relative to their median."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from tests.training.test_loop import small_model, texts
from w2s.engine.memory import Budget
from w2s.training import labels as changes_of_labels
from w2s.training.batching import Shape
from w2s.training.labels import (
    add_noise,
    agreement_of_neighbours,
    balanced,
    best_of_each_class,
    flip_labels,
    most_confident,
    select,
    with_truth,
)
from w2s.training.loop import logits_of
from w2s.training.specs import MethodChanges
from w2s.training.states import last_states


def two_clouds(count: int, wrong: list[int]) -> tuple[Tensor, Tensor]:
    """(2 x count) labels and states: class 1 lies apart from class 0; some labels are those of the other cloud."""
    generator = torch.Generator().manual_seed(0)
    truth = torch.tensor([0.1, 0.9]).repeat_interleave(count)
    centres = torch.tensor([[3.0, 0, 0, 0], [0, 3.0, 0, 0]]).repeat_interleave(count, 0)
    labels = truth.clone()
    labels[wrong] = 1 - truth[wrong]
    return labels, centres + torch.randn(2 * count, 4, generator=generator) * 0.3


def never() -> Tensor:
    raise AssertionError("states are not needed")


def test_neighbours_find_the_labels_that_their_surroundings_contradict() -> None:
    wrong = [1, 5, 23, 31]
    labels, states = two_clouds(20, wrong)
    agreement = agreement_of_neighbours(labels, states, 7)
    assert agreement[wrong].max() < 0.3
    assert agreement[[number for number in range(40) if number not in wrong]].min() > 0.5
    kept = select(labels, MethodChanges.from_spec({"keep": {"share": 0.9, "neighbours": 7}}), lambda: states)
    assert kept == [number for number in range(40) if number not in wrong]
    assert select(labels, MethodChanges.from_spec({"keep": {"share": 0.5}}), never) == most_confident(labels, 0.5)
    assert select(labels, MethodChanges(), never) is None


@pytest.mark.parametrize("rows", [1, 3, 1024])
def test_agreement_is_the_mean_over_the_nearest_others(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes_of_labels, "ROWS", rows)
    generator = torch.Generator().manual_seed(1)
    labels, states = torch.rand(12, generator=generator), torch.randn(12, 5, generator=generator)
    found = agreement_of_neighbours(labels, states, 3)
    centred = states - states.mean(0)
    for number in range(12):
        cosines = torch.nn.functional.cosine_similarity(centred[number], centred, dim=-1)
        nearest = sorted((other for other in range(12) if other != number), key=lambda other: -cosines[other])[:3]
        mean = labels[nearest].mean().item()
        assert found[number].item() == pytest.approx(mean if labels[number] > 0.5 else 1 - mean, abs=1e-6)


def test_scale_and_place_of_the_states_and_the_names_of_the_classes_do_not_matter() -> None:
    labels, states = two_clouds(20, [3, 30])
    found = agreement_of_neighbours(labels, states, 5)
    torch.testing.assert_close(agreement_of_neighbours(labels, 7 * states + 100, 5), found, atol=1e-4, rtol=0)
    torch.testing.assert_close(agreement_of_neighbours(1 - labels, states, 5), found)
    assert len(agreement_of_neighbours(labels[:3], states[:3], 20)) == 3  # fewer others than neighbours


@given(st.lists(st.tuples(st.floats(0, 1, width=32), st.floats(0, 1, width=32)), min_size=1), st.floats(0.01, 1))
def test_of_each_class_the_best_scores_are_kept(some: list[tuple[float, float]], share: float) -> None:
    labels, scores = torch.tensor(some).T
    kept = best_of_each_class(labels, scores, share)
    assert kept == sorted(set(kept))
    for positive in (False, True):
        there = [number for number, (label, _) in enumerate(some) if (label > 0.5) == positive]
        chosen = [number for number in kept if number in there]
        assert len(chosen) == (max(1, round(share * len(there))) if there else 0)
        left = [some[number][1] for number in there if number not in chosen]
        assert not left or max(left) <= min(some[number][1] for number in chosen)


@given(st.integers(1, 200), st.floats(0, 1), st.integers(0, 5))
def test_the_truth_of_exactly_its_share_is_told_by_seed(count: int, share: float, seed: int) -> None:
    changes = MethodChanges.from_spec({"ground_truth": share})
    weak, truth = torch.full((count,), 0.25), torch.arange(count) % 2 * 1.0
    told = with_truth(weak, truth, changes, seed)
    changed = told != weak
    assert changed.sum().item() == round(share * count)
    assert torch.equal(told[changed], truth[changed])
    assert torch.equal(told, with_truth(weak, truth, changes, seed))
    assert weak.unique().tolist() == [0.25]


def test_no_truth_is_told_unless_a_method_says_so_and_its_examples_are_not_those_of_noise() -> None:
    weak, truth = torch.full((100,), 0.25), torch.ones(100)
    assert torch.equal(with_truth(weak, truth, MethodChanges(), 0), weak)
    both = MethodChanges.from_spec({"ground_truth": 0.2, "label_noise": 0.2})
    told, noisy = with_truth(weak, truth, both, 0) == 1, flip_labels(weak, 0.2, 0) == 0.75
    assert 0 < (told & noisy).sum() < 15
    assert add_noise(weak, both, 0).eq(0.75).sum() == 20


@given(st.integers(1, 40), st.integers(0, 20), st.floats(-12, 12))
def test_balanced_labels_are_half_of_either_class_in_the_same_order_whatever_the_bias(
    half: int, seed: int, bias: float
) -> None:
    odds = torch.randn(2 * half, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    labels = (odds + bias).sigmoid()
    found = balanced(labels, labels)
    assert (found > 0.5).sum().item() == half
    assert torch.equal(found.argsort(), labels.argsort())
    torch.testing.assert_close(found, balanced(odds.sigmoid(), odds.sigmoid()), atol=1e-6, rtol=1e-4)
    assert balanced(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 0.5, 1.0])).isfinite().all()


def test_the_border_of_other_parts_is_that_of_the_part_that_is_trained_on() -> None:
    learned = torch.tensor([0.01, 0.02, 0.03])
    torch.testing.assert_close(balanced(torch.tensor([0.02]), learned), torch.tensor([0.5]))
    assert balanced(torch.tensor([0.015, 0.025]), learned).gt(0.5).tolist() == [False, True]


@pytest.mark.parametrize("tokens", [1, 10**6])
def test_states_are_what_the_head_reads_and_the_model_is_left_as_it_was(tokens: int) -> None:
    model, some = small_model().train(), texts(9)
    states = last_states(model, some, Budget(tokens))
    assert model.training
    model.eval()
    for part in some.all(10**6, torch.device("cpu"), Shape()):
        with torch.no_grad():
            logits = logits_of(model, part)
        torch.testing.assert_close(states[list(part.numbers)] @ model.head.weight.T, logits)
