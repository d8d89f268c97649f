"""Rows of the micro-world in the *raw hub schema* of a data set, whose answers follow from the world.

From there on the smoke experiment takes the same code as real data.
"""

from __future__ import annotations

import random
from typing import Any

from w2s.errors import UserError, allowed
from w2s.microworld import World
from w2s.nlp.tasks import TOPICS

Row = dict[str, Any]
TEST_SHARE = 1 / 3  # of the people, adjectives, ... that rows ask about


def rows(world: World, task: str, *, test_share: float = TEST_SHARE) -> dict[str, list[Row]]:
    """``{"train": rows, "test": rows}`` of one data set; no person, adjective, ... is asked about on both sides."""
    if task not in TOPICS:
        raise UserError(f"task {task!r}: the micro-world has no such data set; {allowed(task, TOPICS)}")
    topic, rng = TOPICS[task], random.Random(f"rows-{world.size.seed}-{task}")
    facts = topic.facts(world)
    subjects = list(dict.fromkeys(fact[0] for fact in facts))
    tested = set(rng.sample(subjects, round(test_share * len(subjects))))
    split: dict[str, list[Row]] = {"train": [], "test": []}
    for fact in facts:
        split["test" if fact[0] in tested else "train"] += topic.rows(world, fact, rng)
    return split
