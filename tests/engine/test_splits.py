"""Groups stay whole, shares are about what was asked for, and a split follows from its generator alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s.engine.splits import apart, check_groups, cut, cut_to, groups, halved, shared_groups
from w2s.errors import UserError


@dataclass(frozen=True)
class Item:
    group: str
    number: int
    label: int = 0


def items(sizes: Sequence[int]) -> list[Item]:
    return [Item(f"g{group}", number) for group, size in enumerate(sizes) for number in range(size)]


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), st.floats(0, 1), st.integers(0, 99))
def test_a_cut_splits_no_group_loses_nothing_and_comes_near_its_share(
    sizes: list[int], share: float, seed: int
) -> None:
    everything = items(sizes)
    try:
        first, rest = cut(everything, share, random.Random(seed))
    except UserError:
        assert max(sizes) >= min(share, 1 - share) * len(everything) / 2
        return
    assert not {item.group for item in first} & {item.group for item in rest}
    assert sorted(map(repr, [*first, *rest])) == sorted(map(repr, everything))
    assert first
    assert abs(len(first) - share * len(everything)) <= max(sizes)


@pytest.mark.parametrize(
    ("sizes", "best"),
    [
        ([200, 20, 180], 200),
        ([200, *[1] * 200], 200),
        ([200, *[10] * 20], 200),
        ([120, 120, 100, 60], 180),
        ([160, *[1] * 240], 200),
        ([240, *[1] * 160], 160),
        ([210, 110, 60, 20], 190),
    ],
)
def test_halves_are_as_near_as_large_groups_allow_for_every_seed(sizes: list[int], best: int) -> None:
    """Within 2% of all examples, which small groups in random order stay in."""
    for seed in range(50):
        halves = halved(items(sizes), random.Random(seed))
        assert abs(min(map(len, halves)) - best) <= 0.02 * sum(sizes)


def test_a_small_part_does_not_get_the_large_group() -> None:
    for seed in range(50):
        first, _ = cut(items([200, *[1] * 200]), 0.05, random.Random(seed))
        assert abs(len(first) - 20) <= 8
        assert abs(len(cut_to(items([200, *[1] * 200]), 20, random.Random(seed))) - 20) <= 8


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ([320, *[1] * 80], "the group 'g0' holds 80% of the 400 examples, and groups are never split: "),
        ([1], "1 examples are too few to be divided: 1 and 0 instead of "),
    ],
)
def test_halves_that_cannot_be_say_why(sizes: list[int], said: str) -> None:
    for seed in range(20):
        with pytest.raises(UserError) as caught:
            halved(items(sizes), random.Random(seed))
        assert str(caught.value).startswith(said)


@given(st.lists(st.integers(1, 3), min_size=20, max_size=60), st.floats(0.1, 0.9), st.integers(0, 99))
def test_the_classes_keep_their_shares(sizes: list[int], share: float, seed: int) -> None:
    """Groups of one class each: both parts have as much of either class as of all."""
    everything = [Item(f"g{group}", n, group % 2) for group, size in enumerate(sizes) for n in range(size)]
    first, rest = cut(everything, share, random.Random(seed))
    for label in (0, 1):
        there = sum(item.label == label for item in everything)
        assert abs(sum(item.label == label for item in first) - share * there) <= max(sizes)
        assert abs(sum(item.label == label for item in rest) - (1 - share) * there) <= max(sizes)


def test_the_order_of_groups_follows_from_their_names_and_the_generator() -> None:
    everything = items([1, 2, 3, 1, 2])
    here, there = (groups(some, random.Random(3)) for some in (everything, everything[::-1]))
    assert [group[0].group for group in here] == [group[0].group for group in there]
    names = sorted({item.group for item in everything})
    random.Random(3).shuffle(names)
    assert [group[0].group for group in here] == names


def test_a_count_keeps_whole_groups_and_a_large_one_draws_nothing() -> None:
    everything, rng = items([2] * 50), random.Random(0)
    before = rng.getstate()
    assert cut_to(everything, None, rng) == cut_to(everything, 100, rng) == everything
    assert rng.getstate() == before
    assert len(cut_to(everything, 30, rng)) == 30


@pytest.mark.parametrize(
    ("sizes", "count", "said"), [([100] * 3, 40, "33% of the 300"), ([10] * 9, 4, "11% of the 90")]
)
def test_a_count_that_groups_miss_by_far_says_why(sizes: list[int], count: int, said: str) -> None:
    for seed in range(5):
        with pytest.raises(UserError, match=rf"holds {said} examples, .* never split: {sizes[0]} instead of {count}$"):
            cut_to(items(sizes), count, random.Random(seed))


def test_what_shares_a_group_with_the_held_out_is_left_out() -> None:
    assert apart(items([2, 3, 1]), [Item("g1", 7)]) == [item for item in items([2, 3, 1]) if item.group != "g1"]


def test_shared_groups_are_found_and_named() -> None:
    parts = {"weak": items([1, 1]), "test": items([1]), "strong": [Item("g9", 0)]}
    assert shared_groups(parts) == {"g0": ["test", "weak"]}
    check_groups({"weak": items([1]), "test": [Item("g9", 0)]}, "task 'x'")
    with pytest.raises(UserError, match=r"^task 'x': 1 groups are in several parts; 'g0' is in test, weak$"):
        check_groups(parts, "task 'x'")
