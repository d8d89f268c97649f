"""From comparisons to preference pairs in parts (Section 4.1, Appendix A.3).

Every step works on pairs sorted by id, so that the order of rows in a file does not matter, and draws from a generator
seeded by the task and the run's seed. Which completion comes first is decided by a hash of the texts alone, so that
neither the place of a completion nor a pair's id says which is preferred.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s.engine.splits import apart, check_groups, cut, cut_to, halved
from w2s.errors import UserError, located
from w2s.reward.config import PairSizes
from w2s.reward.formatters import Comparison, MalformedError, Row, UndecidedError
from w2s.reward.tasks import PreferenceTask

PARTS = ("weak", "strong", "validation", "test")
MALFORMED_AT_MOST = 0.2  # share of rows; more of them is a mistake somewhere


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """Two completions of one prefix. label: 1 if the second is preferred. id: a hash of task and texts, not of it."""

    id: str
    group: str
    prefix: str
    first: str
    second: str
    label: int


@dataclass(frozen=True, slots=True)
class Built:
    """A built task: part -> pairs, and for the manifest the counts of every step."""

    parts: Mapping[str, list[PreferencePair]]
    counts: Mapping[str, Any]


def build(
    task: PreferenceTask,
    rows: Mapping[str, Sequence[Row]],
    sizes: PairSizes,
    seed: int,
    origins: Mapping[str, str] | None = None,
) -> Built:
    """Pairs of all parts (no ``validation`` where its share is 0). rows: ``train``, ``test`` unless it is to be cut.

    The weak and strong halves share no group; nor do they with validation (taken from both alike) and test: training
    loses the groups that the test set has. UserError for rows that are not of the task's schema.
    """
    rng = random.Random(f"{task.name}-{seed}")
    counts: dict[str, Any] = {}
    distinct = {
        split: _distinct(task, comparisons(task, some, split, (origins or {}).get(split), counts), split, counts)
        for split, some in rows.items()
    }
    train = distinct["train"]
    if "test" in distinct:
        kept = apart(train, distinct["test"])
        counts["training_pairs_of_a_test_group_dropped"] = len(train) - len(kept)
        test, train = distinct["test"], kept
    else:
        with located(f"task {task.name!r}: test set, training pairs"):
            test, train = cut(train, sizes.test_share, rng)
    with located(f"task {task.name!r}: sizes.test, test pairs"):
        test = cut_to(test, sizes.test, rng)
    with located(f"task {task.name!r}: sizes.train, training pairs"):
        train = cut_to(train, sizes.train, rng)
    parts = {}
    if sizes.validation_share:
        with located(f"task {task.name!r}: validation, both halves"):
            parts["validation"], train = cut(train, sizes.validation_share / 2, rng)
    with located(f"task {task.name!r}: halves"):
        parts["weak"], parts["strong"] = halved(train, rng)
    parts["test"] = test
    for name, part in parts.items():
        if not part:
            raise UserError(f"task {task.name!r}: no pairs left for the {name} part; it needs more rows")
        parts[name] = sorted(part, key=lambda pair: pair.id)
    check_groups(parts, f"task {task.name!r}")
    counts["parts"] = {name: describe(part) for name, part in parts.items()}
    return Built(parts, counts)


def comparisons(
    task: PreferenceTask, rows: Sequence[Row], split: str, origin: str | None, counts: dict[str, Any]
) -> Iterator[Comparison]:
    """The rows' comparisons; malformed and undecided rows are left out and counted by what is the matter with them.

    UserError, naming task, split, row and origin, for a row that is not of the task's schema, and where more than
    ``MALFORMED_AT_MOST`` of the rows are malformed.
    """
    malformed: Counter[str] = Counter()
    undecided: Counter[str] = Counter()
    for number, row in enumerate(rows):
        where = f"task {task.name!r}, {split} row {number}" + (f" of {origin}" if origin else "")
        try:
            yield task.formatter(row)
        except UndecidedError as error:
            undecided[str(error)] += 1
        except MalformedError as error:
            malformed[str(error)] += 1
            if malformed.total() > max(1, MALFORMED_AT_MOST * len(rows)):
                raise UserError(
                    f"{where}: {error}; more than {MALFORMED_AT_MOST:.0%} of the rows are malformed"
                ) from None
        except (KeyError, TypeError, AttributeError) as error:
            raise UserError(f"{where}: not in the expected form ({type(error).__name__}: {error})") from None
    counts[split] = {"rows": len(rows), "malformed_dropped": dict(sorted(malformed.items()))}
    counts[split]["undecided_dropped"] = dict(sorted(undecided.items()))


def pair_of(task: str, one: Comparison) -> PreferencePair:
    """The comparison as a pair whose order says nothing."""
    texts = sorted((one.better, one.worse))
    digest = hashlib.sha256("\0".join((task, one.prefix, *texts)).encode()).digest()
    first, second = texts if digest[-1] % 2 else reversed(texts)
    return PreferencePair(digest.hex()[:16], one.group, one.prefix, first, second, int(second == one.better))


def _distinct(
    task: PreferenceTask, found: Iterable[Comparison], split: str, counts: dict[str, Any]
) -> list[PreferencePair]:
    """By id, each once: without identical completions, and without pairs that are judged both ways."""
    distinct: dict[str, PreferencePair] = {}
    contradicted = set()
    number = identical = later = 0
    for number, one in enumerate(found, start=1):  # noqa: B007
        if one.better == one.worse:
            identical += 1
            continue
        pair = pair_of(task.name, one)
        if distinct.setdefault(pair.id, pair).label != pair.label:
            contradicted.add(pair.id)
        later += one.diverges_early
    kept = [distinct[one] for one in sorted(distinct) if one not in contradicted]
    counts[split] |= {
        "comparisons": number,
        "identical_completions_dropped": identical,
        "duplicates_dropped": number - identical - len(distinct),
        "contradictions_dropped": len(contradicted),
        "with_further_turns": later,
        "pairs": len(kept),
    }
    return kept


def describe(part: Sequence[PreferencePair]) -> dict[str, Any]:
    """Counts of a part, and what a reader who only looks at place or length would score."""
    lengths = [(len(pair.first), len(pair.second)) for pair in part]
    longer = [int((second > first) == bool(pair.label)) for pair, (first, second) in zip(part, lengths, strict=True)]
    return {
        "pairs": len(part),
        "groups": len({pair.group for pair in part}),
        "second_preferred_share": round(sum(pair.label for pair in part) / len(part), 4),
        "longer_preferred_share": round(sum(longer) / len(part), 4),
        "mean_prefix_characters": round(sum(len(pair.prefix) for pair in part) / len(part), 1),
        "mean_completion_characters": round(sum(map(sum, lengths)) / 2 / len(part), 1),
    }
