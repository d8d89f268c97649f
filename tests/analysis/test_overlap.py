"""Overlap density of predictions whose patterns are known."""

from __future__ import annotations

import numpy as np
import pytest

from w2s.analysis import overlap

SURE, UNSURE = (0.9, 0.99), (0.5, 0.6)


def said(patterns: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Probabilities of class 1 of a model that is sure where there is a pattern. patterns: (n,) bool."""
    confidence = np.where(patterns, rng.uniform(*SURE, len(patterns)), rng.uniform(*UNSURE, len(patterns)))
    return np.where(rng.integers(0, 2, len(patterns)) > 0, confidence, 1 - confidence)


def shares(easy: np.ndarray, hard: np.ndarray, seed: int = 0) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    found = overlap.density(range(len(easy)), said(easy, rng), said(hard, rng))
    return {name: estimate.value for name, estimate in found.items()}


@pytest.mark.parametrize("seed", range(5))
def test_shares_are_those_of_the_patterns_in_the_texts(seed: int) -> None:
    rng = np.random.default_rng(seed)
    easy, hard = rng.random((2, 300)) < rng.uniform(0.1, 0.9, (2, 1))
    expected = {
        "overlap": (easy & hard).mean(),
        "weak_only": (easy & ~hard).mean(),
        "strong_only": (~easy & hard).mean(),
    }
    assert shares(easy, hard, seed) == pytest.approx(expected)


def test_patterns_in_different_texts_do_not_overlap() -> None:
    easy = np.arange(100) < 30
    assert shares(easy, ~easy) == pytest.approx({"overlap": 0, "weak_only": 0.3, "strong_only": 0.7})


@pytest.mark.parametrize(("probability", "expected"), [(0.95, 1.0), (0.05, 1.0), (0.6, 0.0)])
def test_models_that_are_always_as_sure_overlap_everywhere_or_nowhere(probability: float, expected: float) -> None:
    same = np.full(50, probability)
    assert overlap.density(range(50), same, same)["overlap"].value == expected


def test_neither_the_order_of_texts_nor_the_class_matters() -> None:
    rng = np.random.default_rng(0)
    weak, strong = rng.uniform(0, 1, (2, 200))
    ids = [f"e{number:03}" for number in range(200)]
    found = overlap.density(ids, weak, strong)
    order = rng.permutation(200)
    for other in (
        overlap.density([ids[number] for number in order], weak[order], strong[order]),
        overlap.density(ids, 1 - weak, strong),
    ):
        for name, estimate in found.items():
            assert other[name].value == estimate.value
            assert other[name].bounds == estimate.bounds


def test_models_in_exchanged_roles_exchange_what_only_one_is_sure_of() -> None:
    weak, strong = np.random.default_rng(1).uniform(0, 1, (2, 100))
    one, other = (overlap.density(range(100), *both) for both in ((weak, strong), (strong, weak)))
    assert one["overlap"].value == other["overlap"].value
    assert one["weak_only"].value == other["strong_only"].value


@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_leaves_less_distance_to_the_means(seed: int) -> None:
    values = np.random.default_rng(seed).beta(2, 1, 60).round(2)

    def distance(threshold: float) -> float:
        parts = values[values > threshold], values[values <= threshold]
        return sum(float(((part - part.mean()) ** 2).sum()) for part in parts if len(part))

    best = distance(overlap.change_point(values))
    assert best == pytest.approx(min(distance(value) for value in values))
