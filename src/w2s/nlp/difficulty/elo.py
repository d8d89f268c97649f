"""Elo ratings from comparisons of two: the one that is judged harder wins, so a high rating is a hard question."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

START = 1500.0
SCALE = 400.0  # points by which a rating is ahead that wins ten times in eleven

Pair = tuple[int, int]


def pairs(count: int, rounds: int, seed: str) -> list[Pair]:
    """Random pairs of ``count`` questions: in every round each meets one other (of an odd number one sits out)."""
    rng = random.Random(seed)
    found: list[Pair] = []
    for _ in range(rounds if count > 1 else 0):
        order = rng.sample(range(count), count)
        found += list(zip(order[::2], order[1::2], strict=False))
    return found


def expected(own: float, other: float) -> float:
    """The share of comparisons that a rating wins against another."""
    return float(1 / (1 + 10 ** ((other - own) / SCALE)))


def ratings(count: int, compared: Sequence[Pair], scores: Sequence[float], step: float) -> list[float]:
    """Ratings after the comparisons, in their order.

    scores: 1 where the first of a pair is judged harder, 0 where the second is, 1/2 for a tie. Every comparison moves
    both ratings by ``step`` times what the score exceeds its expectation by, so their sum stays.
    """
    found = [START] * count
    for (first, second), score in zip(compared, scores, strict=True):
        moved = step * (score - expected(found[first], found[second]))
        found[first] += moved
        found[second] -= moved
    return found


def easiest(ids: Sequence[str], elo: Mapping[str, float], share: float) -> list[str]:
    """The share of examples with the lowest ratings, one at least; equal ratings go by id."""
    ordered = sorted(ids, key=lambda one: (elo[one], one))
    return ordered[: max(1, round(share * len(ordered)))]
