"""Rows of the micro-world in the *raw hub schema* of a data set, whose answers follow from the world.

From there on the smoke experiment takes the same code as real data.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from w2s.errors import UserError, allowed
from w2s.microworld import World
from w2s.nlp.tasks import TOPICS
from w2s.nlp.world import Fact

Row = dict[str, Any]
TEST_SHARE = 1 / 3  # of the people, adjectives, ... that rows ask about


def rows(
    world: World, task: str, *, test_share: float = TEST_SHARE, held_out_of: str | None = None
) -> dict[str, list[Row]]:
    """``{"train": rows, "test": rows}`` of one data set; no person, adjective, ... is asked about on both sides.

    held_out_of: another data set; the test rows ask about no subject that its training rows ask about.
    """
    if task not in TOPICS:
        raise UserError(f"task {task!r}: the micro-world has no such data set; {allowed(task, TOPICS)}")
    topic, rng = TOPICS[task], random.Random(f"rows-{world.size.seed}-{task}")
    facts = topic.facts(world)
    tested = _tested(facts, rng, test_share)
    if held_out_of is not None:
        others = TOPICS[held_out_of].facts(world)
        held_out = _tested(others, random.Random(f"rows-{world.size.seed}-{held_out_of}"), test_share)
        if {fact[0] for fact in facts} & {fact[0] for fact in others}:  # data sets about the same kind of subject
            tested = held_out
    split: dict[str, list[Row]] = {"train": [], "test": []}
    for fact in facts:
        split["test" if fact[0] in tested else "train"] += topic.rows(world, fact, rng)
    return split


def _tested(facts: Sequence[Fact], rng: random.Random, share: float) -> set[Any]:
    """The subjects, a share of all, that test rows ask about."""
    subjects = list(dict.fromkeys(fact[0] for fact in facts))
    return set(rng.sample(subjects, round(share * len(subjects))))
