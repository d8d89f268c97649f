"""Splits of examples that keep groups whole: examples of one group never lie in two parts."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

from w2s.errors import UserError


class Grouped(Protocol):
    """An example that belongs to a group."""

    @property
    def group(self) -> str:
        """The group's name."""


class Labelled(Grouped, Protocol):
    """An example of a class."""

    @property
    def label(self) -> int:
        """The class."""


T = TypeVar("T", bound=Grouped)
L = TypeVar("L", bound=Labelled)

MISSED_AT_MOST = 0.02  # share of all examples by which a cut in random order may miss its size


def groups(examples: Iterable[T], rng: random.Random) -> list[list[T]]:
    """Examples by group, groups in random order."""
    found: dict[str, list[T]] = defaultdict(list)
    for example in examples:
        found[example.group].append(example)
    ordered = [found[name] for name in sorted(found)]
    rng.shuffle(ordered)
    return ordered


def cut(examples: Sequence[L], share: float, rng: random.Random) -> tuple[list[L], list[L]]:
    """(about ``share`` of the examples, the rest), never splitting a group; the classes keep about their shares.

    UserError if a part gets less than half of what it should have.
    """
    first, rest = _cut(examples, share, rng)
    _check_sizes(examples, share, first, rest)
    return first, rest


def _cut(examples: Sequence[L], share: float, rng: random.Random) -> tuple[list[L], list[L]]:
    """Groups in random order; where that misses the share because of large groups, the largest first."""
    wanted = {label: share * count for label, count in Counter(example.label for example in examples).items()}
    found = groups(examples, rng)
    first = _as_they_come(found, wanted)
    if _missed(first, wanted) > max(1, MISSED_AT_MOST * len(examples)):
        first = min(
            (first, _largest_first(found, wanted)),
            key=lambda some: (_missed(some, wanted), _misfit(_classes(some), wanted)),
        )
    chosen = {group[0].group for group in first}
    in_order = [example for group in found for example in group]
    return (
        [example for example in in_order if example.group in chosen],
        [example for example in in_order if example.group not in chosen],
    )


def _as_they_come(found: Sequence[list[L]], wanted: Mapping[int, float]) -> list[list[L]]:
    """Every group that, by its size and its most frequent class, at least half fits, and never none.

    wanted: class -> examples.
    """
    first: list[list[L]] = []
    taken: Counter[int] = Counter()
    for group in found:
        classes = Counter(example.label for example in group)
        label, count = classes.most_common(1)[0]
        of_all = taken.total() + len(group) / 2 <= sum(wanted.values())
        if (of_all and taken[label] + count / 2 <= wanted[label]) or not first:
            first.append(group)
            taken += classes
    return first


def _largest_first(found: Sequence[list[L]], wanted: Mapping[int, float]) -> list[list[L]]:
    """Every group that fits, then further ones while they bring sizes nearer to those wanted; never none."""
    first: list[list[L]] = []
    rest: list[list[L]] = []
    taken: Counter[int] = Counter()
    for group in sorted(found, key=len, reverse=True):
        more = taken + _classes([group])
        fits = more.total() <= sum(wanted.values()) and _misfit(more, wanted) <= _misfit(taken, wanted)
        (first if fits else rest).append(group)
        taken = more if fits else taken
    while rest:
        nearest = min(rest, key=lambda group: _misfit(taken + _classes([group]), wanted))
        more = taken + _classes([nearest])
        if first and _misfit(more, wanted) >= _misfit(taken, wanted):
            break
        first.append(nearest)
        rest.remove(nearest)
        taken = more
    return first


def _classes(some: Iterable[list[L]]) -> Counter[int]:
    return Counter(example.label for group in some for example in group)


def _missed(some: Iterable[list[L]], wanted: Mapping[int, float]) -> float:
    return abs(sum(map(len, some)) - sum(wanted.values()))


def _misfit(taken: Counter[int], wanted: Mapping[int, float]) -> float:
    """How far sizes, of all and of every class, are from those wanted."""
    return abs(taken.total() - sum(wanted.values())) + sum(abs(taken[label] - wanted[label]) for label in wanted)


def _check_sizes(examples: Sequence[L], share: float, first: Sequence[L], rest: Sequence[L]) -> None:
    total = len(examples)
    if len(first) >= share * total / 2 and len(rest) >= (1 - share) * total / 2:
        return
    wanted = f"{round(share * total)} and {total - round(share * total)}"
    raise UserError(f"{_cause(examples, total / 4)}: {len(first)} and {len(rest)} instead of {wanted}")


def _cause(examples: Sequence[L], large: float) -> str:
    """Why a cut misses its size by far. large: examples of a group that can be to blame."""
    total = len(examples)
    (name, count), *_ = Counter(example.group for example in examples).most_common(1) or [("", 0)]
    if count > max(1, large):
        return f"the group {name[:60]!r} holds {count / total:.0%} of the {total} examples, and groups are never split"
    return f"{total} examples are too few to be divided"


def halved(examples: Sequence[L], rng: random.Random) -> tuple[list[L], list[L]]:
    """Two halves that share no group; UserError if a large group leaves one less than half of its share."""
    return cut(examples, 0.5, rng)


def cut_to(examples: Sequence[L], count: int | None, rng: random.Random) -> list[L]:
    """Whole groups, about ``count`` examples of them; all of them without a count.

    UserError if they are less than half or more than twice as many.
    """
    if not count or count >= len(examples):
        return list(examples)
    kept = _cut(examples, count / len(examples), rng)[0]
    if not count / 2 <= len(kept) <= 2 * count:
        raise UserError(f"{_cause(examples, count)}: {len(kept)} instead of {count}")
    return kept


def apart(examples: Iterable[T], held_out: Iterable[Grouped]) -> list[T]:
    """The examples that share no group with those held out."""
    taken = {example.group for example in held_out}
    return [example for example in examples if example.group not in taken]


def shared_groups(parts: Mapping[str, Iterable[Grouped]]) -> dict[str, list[str]]:
    """Groups that lie in several parts, with the parts' names."""
    homes: dict[str, set[str]] = defaultdict(set)
    for name, part in parts.items():
        for example in part:
            homes[example.group].add(name)
    return {group: sorted(names) for group, names in sorted(homes.items()) if len(names) > 1}


def check_groups(parts: Mapping[str, Iterable[Grouped]], where: str) -> None:
    """UserError, naming ``where``, if two parts share a group."""
    shared = shared_groups(parts)
    for group, names in shared.items():
        raise UserError(f"{where}: {len(shared)} groups are in several parts; {group[:60]!r} is in {', '.join(names)}")
