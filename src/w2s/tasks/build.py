"""From rows to a task's examples: equal answers, balanced classes, grouped halves, validation and test.

Paper: 4.1 and Appendix A.1. Every step works on examples sorted by id, so that the order of rows in a file
does not matter, and draws from a generator seeded by the task and the run's seed.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s.errors import UserError
from w2s.experiment import Sizes
from w2s.tasks import guards
from w2s.tasks.formatters import Candidate, Row
from w2s.tasks.task import Task

PARTS = ("weak", "strong", "validation", "test")
REBALANCE_ABOVE = 0.55  # share of the larger class beyond which a data set is rebalanced (A.1)


@dataclass(frozen=True, slots=True)
class Example:
    """One binary example. ``id`` is a hash of task, group and text, so it is stable under any reordering."""

    id: str
    group: str
    text: str
    label: int


@dataclass(frozen=True, slots=True)
class Examples:
    """A built task: part -> examples, and for the manifest the counts of every step and what the guards found."""

    parts: Mapping[str, list[Example]]
    counts: Mapping[str, Any]
    guards: Mapping[str, Any]


def build(
    task: Task,
    rows: Mapping[str, Sequence[Row]],
    sizes: Sizes,
    seed: int,
    origins: Mapping[str, str] | None = None,
) -> Examples:
    """Examples of all four parts. rows: ``train``, and ``test`` unless the test set is cut from train.

    The weak and strong halves share no group; nor do they with validation (cut from the strong half) and
    test, from which groups seen in training are dropped. origins: split -> where its rows come from, for
    messages. UserError for a row that is not of the task's schema, and where a guard finds a leak.
    """
    rng = random.Random(f"{task.name}-{seed}")
    counts: dict[str, Any] = {}
    candidates = {split: _candidates(task, some, split, origins or {}) for split, some in rows.items()}
    home = _components(one for some in candidates.values() for one in some)
    train = _examples(task, candidates["train"], "train", home, rng, counts)
    if "test" in rows:
        test = _examples(task, candidates["test"], "test", home, rng, counts)
        seen = {example.group for example in train}
        kept = [example for example in test if example.group not in seen]
        counts["test_examples_of_a_training_group_dropped"] = len(test) - len(kept)
        test = kept
    else:
        test, train = _cut(train, sizes.test_share, rng)
    uneven = _is_uneven(train)
    if uneven:
        train = _rebalanced(train, rng)
    counts["after_balancing"] = len(train)
    if sizes.train:
        train = _cut_to(train, sizes.train, rng)
    weak, strong = _cut(train, 0.5, rng)
    validation, strong = _cut(strong, sizes.validation_share, rng)
    parts = {"weak": weak, "strong": strong, "validation": validation}
    if uneven:  # a half may have come out uneven again
        parts = {name: _rebalanced(part, rng) for name, part in parts.items()}
    test = _rebalanced(test, rng)
    parts["test"] = _balanced_sample(test, sizes.test, rng) if sizes.test else test
    for name, part in parts.items():
        if not part:
            raise UserError(f"task {task.name!r}: no examples left for the {name} part; it needs more rows")
        parts[name] = sorted(part, key=lambda example: example.id)
    counts["rebalanced"] = uneven
    counts["parts"] = {name: _describe(part) for name, part in parts.items()}
    question_of = {one.text: one.question for some in candidates.values() for one in some}
    return Examples(parts, counts, guards.measure(task, parts, question_of))


def _components(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Group -> the name that it shares with every group it is tied to, directly or not."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    for one in candidates:
        first, second = sorted((root(one.group), root(one.also or one.group)))
        parent[second] = first
    return {name: root(name) for name in list(parent)}


def _examples(
    task: Task,
    candidates: Sequence[Candidate],
    split: str,
    home: Mapping[str, str],
    rng: random.Random,
    counts: dict[str, Any],
) -> list[Example]:
    """Equalised and without duplicates, sorted by id."""
    distinct: dict[str, Candidate] = {}
    contradicted = set()
    for candidate in candidates:
        digest = hashlib.sha256(f"{task.name}\0{candidate.group}\0{candidate.text}".encode()).hexdigest()[:16]
        if distinct.setdefault(digest, candidate).label != candidate.label:
            contradicted.add(digest)
    sound = {digest: distinct[digest] for digest in sorted(distinct) if digest not in contradicted}
    chosen = _equalised(sound, rng) if task.per_question else sound
    kept = [Example(digest, home[one.group], one.text, one.label) for digest, one in sorted(chosen.items())]
    counts[split] = {
        "candidates": len(candidates),
        "duplicates_dropped": len(candidates) - len(distinct),
        "contradictions_dropped": len(contradicted),
        "surplus_answers_dropped": len(sound) - len(chosen),
        "questions": len({one.question for one in chosen.values()}),
        "examples": len(kept),
        "positive_share": round(_positive_share(kept), 4),
    }
    return kept


def _candidates(task: Task, rows: Iterable[Row], split: str, origins: Mapping[str, str]) -> list[Candidate]:
    """Formatted rows, each checked by the hard guard."""
    origin = f" of {origins[split]}" if split in origins else ""
    return [
        one
        for number, row in enumerate(rows)
        for one in format_row(task, row, f"task {task.name!r}, {split} row {number}{origin}")
    ]


def format_row(task: Task, row: Row, where: str) -> list[Candidate]:
    """A row's candidates; UserError, naming ``where``, for one that is not of the task's schema or leaks."""
    try:
        candidates = task.formatter(row)
        for candidate in candidates:
            if type(candidate.label) is not int or candidate.label not in (0, 1):
                raise UserError(f"{where}: label {candidate.label!r} is not allowed; allowed: 0, 1")
        guards.check_relabelled(task, row, candidates, where)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where}: not in the expected form ({type(error).__name__}: {error})") from None
    return candidates


def _equalised(candidates: Mapping[str, Candidate], rng: random.Random) -> dict[str, Candidate]:
    """As many right as wrong answers for every question; surplus ones are dropped at random. Ids are in order."""
    questions: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for digest, candidate in candidates.items():
        questions[candidate.question][candidate.label].append(digest)
    chosen: dict[str, Candidate] = {}
    for question in sorted(questions):
        sides = questions[question]
        count = min(map(len, sides))
        chosen |= {digest: candidates[digest] for side in sides for digest in rng.sample(side, count)}
    return chosen


def _groups(examples: Iterable[Example], rng: random.Random) -> list[list[Example]]:
    """Examples by group, groups in random order."""
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.group].append(example)
    ordered = [groups[name] for name in sorted(groups)]
    rng.shuffle(ordered)
    return ordered


def _cut(examples: Sequence[Example], share: float, rng: random.Random) -> tuple[list[Example], list[Example]]:
    """(about ``share`` of the examples, the rest), never splitting a group."""
    first: list[Example] = []
    rest: list[Example] = []
    wanted = share * len(examples)
    for group in _groups(examples, rng):
        fits = len(first) + len(group) / 2 <= wanted or not first
        (first if fits else rest).extend(group)
    return first, rest


def _cut_to(examples: Sequence[Example], count: int, rng: random.Random) -> list[Example]:
    """Whole groups, about ``count`` examples of them."""
    return _cut(examples, count / len(examples), rng)[0] if count < len(examples) else list(examples)


def _positive_share(examples: Sequence[Example]) -> float:
    return sum(example.label for example in examples) / len(examples) if examples else 0.5


def _is_uneven(examples: Sequence[Example]) -> bool:
    share = _positive_share(examples)
    return max(share, 1 - share) > REBALANCE_ABOVE


def _rebalanced(examples: Iterable[Example], rng: random.Random) -> list[Example]:
    """Exactly as many of either class; the larger one loses random examples."""
    sides: tuple[list[Example], list[Example]] = ([], [])
    for example in examples:
        sides[example.label].append(example)
    count = min(map(len, sides))
    return [example for side in sides for example in rng.sample(side, count)]


def _balanced_sample(examples: Sequence[Example], count: int, rng: random.Random) -> list[Example]:
    """At most ``count`` of already balanced examples, half of either class."""
    if count >= len(examples):
        return list(examples)
    sides = [[example for example in examples if example.label == label] for label in (0, 1)]
    return [example for side in sides for example in rng.sample(side, count // 2)]


def _describe(examples: Sequence[Example]) -> dict[str, Any]:
    lengths = [len(example.text) for example in examples]
    return {
        "examples": len(examples),
        "groups": len(Counter(example.group for example in examples)),
        "positive_share": round(_positive_share(examples), 4),
        "mean_characters": round(sum(lengths) / len(lengths), 1),
    }
