"""Six supervisors err as often as the weak model does, each on examples of its own kind."""

from __future__ import annotations

import random

import pytest

from w2s.nlp.errors.config import CONFIDENT, KINDS, LONGEST, RANDOM, SHORTEST, UNCONFIDENT, WEAK
from w2s.nlp.errors.flips import Example, error_rate, flipped


@pytest.fixture
def examples() -> list[Example]:
    rng = random.Random(1)
    return [
        Example(f"e{number:03}", number % 2, rng.random(), rng.random(), rng.randrange(50, 500))
        for number in range(101)
    ]


def wrong(examples: list[Example], kind: str, seed: str = "s") -> set[str]:
    labels = flipped(examples, kind, error_rate(examples), seed)
    return {one.id for one, label in zip(examples, labels, strict=True) if label != one.truth}


def test_every_kind_has_the_weak_models_error_rate(examples: list[Example]) -> None:
    rate = error_rate(examples)
    assert 0.3 < rate < 0.7
    assert {len(wrong(examples, kind)) for kind in KINDS} == {round(rate * len(examples))}


def test_the_weak_supervisors_errors_are_its_own(examples: list[Example]) -> None:
    assert wrong(examples, WEAK) == {one.id for one in examples if (one.weak > 0.5) != bool(one.truth)}


def test_random_errors_follow_the_seed_and_not_the_order(examples: list[Example]) -> None:
    assert wrong(examples, RANDOM) == wrong(examples[::-1], RANDOM) != wrong(examples, RANDOM, "t")


@pytest.mark.parametrize("kind", [LONGEST, SHORTEST, UNCONFIDENT, CONFIDENT])
def test_errors_lie_at_one_end_of_what_the_kind_is_about(examples: list[Example], kind: str) -> None:
    def place(one: Example) -> float:
        return {
            LONGEST: -one.letters,
            SHORTEST: one.letters,
            UNCONFIDENT: max(one.strong, 1 - one.strong),
            CONFIDENT: -(one.strong if one.truth else 1 - one.strong),
        }[kind]

    chosen = wrong(examples, kind)
    inside = [place(one) for one in examples if one.id in chosen]
    outside = [place(one) for one in examples if one.id not in chosen]
    assert max(inside) <= min(outside)
