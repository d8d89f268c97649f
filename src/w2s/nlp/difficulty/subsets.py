"""Training sets that are a part of both halves: drawn at random, with equal classes where that is asked for."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence

from w2s.errors import UserError

HALVES = ("weak", "strong")  # what training sets are drawn from


def sides(ids: Sequence[str], labels: Mapping[str, int]) -> tuple[list[str], list[str]]:
    """The examples of class 0 and of class 1, in order of id."""
    ordered = sorted(ids)
    return [one for one in ordered if not labels[one]], [one for one in ordered if labels[one]]


def fitting(ids: Sequence[str], labels: Mapping[str, int], *, balance: bool) -> int:
    """How many of these examples can be drawn."""
    return 2 * min(map(len, sides(ids, labels))) if balance else len(ids)


def drawn(ids: Sequence[str], labels: Mapping[str, int], count: int, *, balance: bool, seed: str) -> list[str]:
    """``count`` of the examples (an even number where classes are to be equal), in order of id, whatever theirs."""
    rng = random.Random(seed)
    if not balance:
        return sorted(rng.sample(sorted(ids), count))
    return sorted(one for side in sides(ids, labels) for one in rng.sample(side, count // 2))


def refuse_empty(count: int, what: str, way_out: str) -> None:
    """UserError where nothing can be drawn."""
    if not count:
        raise UserError(f"{what}: none, or all of one class; {way_out}")
