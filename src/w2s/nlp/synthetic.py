"""Rows and documents of the micro-world, for all tasks that know it.

* ``rows(world, task)``: rows in the *raw hub schema* of a data set, whose answers follow from the world;
* ``corpus(world, ...)``: documents that state the facts, and solved questions in the tasks' own layouts, so
  that pretraining leaves latent what finetuning elicits.

From there on the smoke experiment takes the same code as real data.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Any

from w2s.errors import UserError, allowed
from w2s.microworld import World
from w2s.nlp.tasks import TOPICS

Row = dict[str, Any]


def rows(world: World, task: str, *, test_share: float = 0.25) -> dict[str, list[Row]]:
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


def corpus(
    world: World,
    documents: int,
    *,
    solve: Callable[[str, Row], list[tuple[str, int]]],
    answers: tuple[str, str],
    statements: float = 0.3,
) -> Iterator[str]:
    """Documents for pretraining: a share of plain statements, the rest solved questions.

    solve: (task, row) -> the task's texts with their labels, that is, its formatter.
    answers: the words for label 0 and 1 that close a solved question (with their leading space).
    """
    rng = random.Random(f"corpus-{world.size.seed}")
    names = list(TOPICS)
    shares = [TOPICS[name].weight for name in names]
    facts = {name: TOPICS[name].facts(world) for name in names}
    weights = {
        name: list(accumulate((rank + 1) ** -world.size.zipf for rank in range(len(facts[name])))) for name in names
    }
    for _ in range(documents):
        (name,) = rng.choices(names, shares)
        fact = rng.choices(facts[name], cum_weights=weights[name])[0]
        if rng.random() < statements:
            yield TOPICS[name].statement(world, fact, rng)
            continue
        texts: tuple[list[str], list[str]] = ([], [])
        for row in TOPICS[name].rows(world, fact, rng):
            for text, label in solve(name, row):
                texts[label].append(text)
        label = rng.choice([label for label in (0, 1) if texts[label]])
        yield rng.choice(texts[label]) + answers[label]
