"""From rows to a task's examples: equal answers, balanced classes, grouped halves, validation and test.

Paper: 4.1 and Appendix A.1. Every step works on examples sorted by id, so that the order of rows in a file
does not matter, and draws from a generator seeded by the task and the run's seed.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s.engine.splits import apart, cut, cut_to, halved
from w2s.errors import UserError, located
from w2s.nlp import formatters, guards
from w2s.nlp.config import Sizes
from w2s.nlp.formatters import Candidate, EmptyTextError, Row
from w2s.nlp.task import Task

PARTS = ("weak", "strong", "validation", "test")
EMPTY_AT_MOST = 0.01  # share of rows with an empty text; more of them is a mistake somewhere
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
    *,
    test_yields: bool = False,
) -> Examples:
    """Examples of all four parts. rows: ``train``, and ``test`` unless the test set is cut from train.

    The weak and strong halves share no group; nor do they with validation and test: training loses the groups that the
    test set has, or with ``test_yields`` the test set those of all training rows. Validation is taken from both halves
    alike, and both are of one size, so that students see as many examples as their ceilings. origins: split -> where
    its rows come from, for messages.
    UserError for a row that is not of the task's schema, and where a guard finds a leak.
    """
    rng = random.Random(f"{task.name}-{seed}")
    counts: dict[str, Any] = {}
    candidates = {split: _candidates(task, some, split, origins or {}, counts) for split, some in rows.items()}
    question_of = {_id(task, one): one.question for some in candidates.values() for one in some}
    home = _components(one for some in candidates.values() for one in some)
    train = _examples(task, candidates["train"], "train", home, rng, counts)
    _check_classes(task, train, "training")
    if "test" in rows:
        test = _examples(task, candidates["test"], "test", home, rng, counts)
        if test_yields:
            free = apart(test, train)
            counts["test_examples_of_a_training_group_dropped"] = len(test) - len(free)
            test = free
        _check_classes(task, test, "test")
        test = _at_most(_rebalanced(test, rng), sizes.test, task, rng, question_of)
        kept = apart(train, test)
        counts["training_examples_of_a_test_group_dropped"] = len(train) - len(kept)
        train = kept
    else:
        with located(f"task {task.name!r}: test set, training examples"):
            test, train = cut(train, sizes.test_share, rng)
        counts["training_examples_cut_off_as_test_set"] = len(test)
        _check_classes(task, test, "test")
        test = _at_most(_rebalanced(test, rng), sizes.test, task, rng, question_of)
    _check_classes(task, train, "training")
    uneven = _is_uneven(train)
    if uneven:
        train = _rebalanced(train, rng)
    counts["after_balancing"] = len(train)
    with located(f"task {task.name!r}: sizes.train, training examples"):
        train = cut_to(train, sizes.train, rng)
    with located(f"task {task.name!r}: validation, both halves"):
        validation, train = cut(train, sizes.validation_share / 2, rng)
    with located(f"task {task.name!r}: halves"):
        weak, strong = halved(train, rng)
    parts = {"weak": weak, "strong": strong, "validation": validation}
    for name, part in parts.items():
        _check_classes(task, part, name)
    # Groups are cut whole, so a part may have come out uneven again.
    parts = {name: _rebalanced(part, rng) if uneven or _is_uneven(part) else part for name, part in parts.items()}
    half = min(len(parts["weak"]), len(parts["strong"]))
    parts |= {name: _at_most(parts[name], half, task, rng, question_of) for name in ("weak", "strong")}
    parts["test"] = test
    for name, part in parts.items():
        if not part:
            raise UserError(f"task {task.name!r}: no examples left for the {name} part; it needs more rows")
        parts[name] = sorted(part, key=lambda example: example.id)
    counts["rebalanced"] = uneven
    counts["parts"] = {name: _describe(part) for name, part in parts.items()}
    return Examples(parts, counts, guards.measure(task, parts, question_of))


def _check_classes(task: Task, part: Sequence[Example], name: str) -> None:
    """UserError if a part has no examples, or those of one class only."""
    classes = Counter(example.label for example in part)
    if not classes:
        raise UserError(f"task {task.name!r}: no {name} examples are left; it needs more rows")
    if len(part) == 1:
        raise UserError(f"task {task.name!r}: only 1 {name} example is left; it needs more rows")
    if len(classes) == 1:
        groups = len({example.group for example in part})
        raise UserError(
            f"task {task.name!r}: all {len(part)} {name} examples (of {groups} groups, which are never split) have "
            f"label {min(classes)}; both are needed"
        )


def _id(task: Task, one: Candidate) -> str:
    """A hash of task, group and text."""
    return hashlib.sha256(f"{task.name}\0{one.group}\0{one.text}".encode()).hexdigest()[:16]


def _at_most(
    examples: list[Example], count: int | None, task: Task, rng: random.Random, question_of: Mapping[str, str]
) -> list[Example]:
    """At most ``count`` examples: whole questions where a question has several answers, else with the same shares of
    the classes."""
    if not count or count >= len(examples):
        return examples
    if not task.per_question:
        return _sample(examples, count, rng)
    questions: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda example: example.id):
        questions[question_of[example.id]].append(example)
    names = sorted(questions)
    rng.shuffle(names)
    chosen: list[Example] = []
    for name in names:
        if len(chosen) + len(questions[name]) <= count:
            chosen += questions[name]
    return chosen


def _components(candidates: Iterable[Candidate]) -> dict[str, str]:
    """Group -> the name that it shares with every group it is tied to, directly or not.

    Groups that differ in case, punctuation, spaces or accents alone are one, as are those of the same text. Its name is
    the least of theirs.
    """
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = name = parent[parent[name]]
        return name

    keys: dict[str, str] = {}
    of_text: dict[str, str] = {}
    for one in candidates:
        groups = (one.group, one.also or one.group, of_text.setdefault(one.text, one.group))
        first, *others = sorted({root(keys.setdefault(group, formatters.alike(group))) for group in groups})
        parent |= dict.fromkeys(others, first)
    names: dict[str, str] = {}
    for group, key in keys.items():
        name = formatters.plain(group)
        names[root(key)] = min(name, names.get(root(key), name))
    shared = {name for name, count in Counter(names.values()).items() if count > 1}  # by strangers without its marks
    return {
        group: f"{name} ({root(key)})" if (name := names[root(key)]) in shared else name for group, key in keys.items()
    }


def _examples(
    task: Task,
    candidates: Sequence[Candidate],
    split: str,
    home: Mapping[str, str],
    rng: random.Random,
    counts: dict[str, Any],
) -> list[Example]:
    """Equalised and without duplicates, sorted by id."""
    labels: dict[str, set[int]] = defaultdict(set)
    distinct: dict[str, tuple[str, Candidate]] = {}
    for digest, one in sorted(((_id(task, one), one) for one in candidates), key=lambda pair: pair[0]):
        labels[one.text].add(one.label)
        distinct.setdefault(one.text, (digest, one))  # of several groups that have the text: the least id
    sound = {digest: one for digest, one in distinct.values() if len(labels[one.text]) == 1}
    chosen = _equalised(sound, rng) if task.per_question else sound
    kept = [Example(digest, home[one.group], one.text, one.label) for digest, one in sorted(chosen.items())]
    counts[split] = {
        "candidates": len(candidates),
        "duplicates_dropped": len(candidates) - len(distinct),
        "contradictions_dropped": len(distinct) - len(sound),
        "surplus_answers_dropped": len(sound) - len(chosen),
        "questions": len({one.question for one in chosen.values()}),
        "examples": len(kept),
        "positive_share": round(_positive_share(kept), 4),
    }
    return kept


def _candidates(
    task: Task, rows: Sequence[Row], split: str, origins: Mapping[str, str], counts: dict[str, Any]
) -> list[Candidate]:
    """Candidates of all rows; how many rows with an empty text were left out goes into ``counts``."""
    found, empty = [], 0
    for made in formatted(task, rows, split, origins.get(split)):
        if made is None:
            empty += 1
        else:
            found += made
    if empty:
        counts.setdefault("rows_with_empty_text_dropped", {})[split] = empty
    return found


def formatted(task: Task, rows: Sequence[Row], split: str, origin: str | None) -> Iterator[list[Candidate] | None]:
    """Every row's candidates, checked by the hard guard; None for a row of which a text is empty.

    UserError, naming task, split, row and origin, for a row that is not of the task's schema, and once more than
    ``EMPTY_AT_MOST`` of the rows are empty.
    """
    empty = 0
    for number, row in enumerate(rows):
        where = f"task {task.name!r}, {split} row {number}" + (f" of {origin}" if origin else "")
        try:
            yield format_row(task, row, where)
        except EmptyTextError as error:
            empty += 1
            if empty > max(1, EMPTY_AT_MOST * len(rows)):
                raise UserError(f"{where}: {error}, as in more than {EMPTY_AT_MOST:.0%} of the rows") from None
            yield None


def format_row(task: Task, row: Row, where: str) -> list[Candidate]:
    """A row's candidates; UserError, naming ``where``, for one that is not of the task's schema or leaks.

    EmptyTextError for a row of which a text is empty.
    """
    try:
        candidates = task.formatter(row)
        for candidate in candidates:
            if type(candidate.label) is not int or candidate.label not in (0, 1):
                raise UserError(f"{where}: label {candidate.label!r} is not allowed; allowed: 0, 1")
        guards.check_relabelled(task, row, candidates, where)
    except EmptyTextError:
        raise
    except UserError as error:
        raise UserError(str(error) if str(error).startswith(where) else f"{where}: {error}") from None
    except Exception as error:  # whatever a user's own code does with a row that it did not expect
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


def _sample(examples: Sequence[Example], count: int, rng: random.Random) -> list[Example]:
    """``count`` of the examples; the classes keep their shares."""
    sides = [[example for example in examples if example.label == label] for label in (0, 1)]
    positive = round(count * len(sides[1]) / len(examples))
    counts = (count - positive, positive)
    return [example for side, some in zip(sides, counts, strict=True) for example in rng.sample(side, some)]


def _describe(examples: Sequence[Example]) -> dict[str, Any]:
    lengths = [len(example.text) for example in examples]
    return {
        "examples": len(examples),
        "groups": len(Counter(example.group for example in examples)),
        "positive_share": round(_positive_share(examples), 4),
        "mean_characters": round(sum(lengths) / len(lengths), 1),
    }
