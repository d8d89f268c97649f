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


def groups(examples: Iterable[T], rng: random.Random) -> list[list[T]]:
    """Examples by group, groups in random order."""
    found: dict[str, list[T]] = defaultdict(list)
    for example in examples:
        found[example.group].append(example)
    ordered = [found[name] for name in sorted(found)]
    rng.shuffle(ordered)
    return ordered


def cut(examples: Sequence[L], share: float, rng: random.Random) -> tuple[list[L], list[L]]:
    """(about ``share`` of the examples, the rest), never splitting a group; the classes keep about their shares."""
    first: list[L] = []
    rest: list[L] = []
    wanted = {label: share * count for label, count in Counter(example.label for example in examples).items()}
    taken: Counter[int] = Counter()
    for group in groups(examples, rng):
        classes = Counter(example.label for example in group)
        label, count = classes.most_common(1)[0]
        of_all = len(first) + len(group) / 2 <= share * len(examples)
        if (of_all and taken[label] + count / 2 <= wanted[label]) or not first:
            first += group
            taken += classes
        else:
            rest += group
    return first, rest


def halved(examples: Sequence[L], rng: random.Random) -> tuple[list[L], list[L]]:
    """Two halves that share no group; UserError if a large group leaves one less than half of its share."""
    first, rest = cut(examples, 0.5, rng)
    if min(len(first), len(rest)) < len(examples) / 4:
        (name, count), *_ = Counter(example.group for example in examples).most_common(1) or [("", 0)]
        raise UserError(
            f"halves of {len(first)} and {len(rest)} examples: the group {name[:60]!r} holds {count} of "
            f"{len(examples)}, and groups are never split"
            if count > max(1, len(examples) / 4)
            else f"{len(examples)} examples are too few to be halved"
        )
    return first, rest


def cut_to(examples: Sequence[L], count: int | None, rng: random.Random) -> list[L]:
    """Whole groups, about ``count`` examples of them; all of them without a count."""
    return cut(examples, count / len(examples), rng)[0] if count and count < len(examples) else list(examples)


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
