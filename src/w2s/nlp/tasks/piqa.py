"""PIQA: two ways of reaching a goal, one of which works."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Two ways of reaching a goal, one of which works."""
    goal = formatters.text(row, "goal")
    answers = [formatters.text(row, "sol1"), formatters.text(row, "sol2")]
    return formatters.choices(
        goal, goal, f"Goal: {goal}", answers, formatters.only(2, formatters.number(row, "label", 0, 1)), word="Solution"
    )


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    (person,) = fact
    liked, others = world.liked_and_not(known, person)
    rows = []
    for goal in world.reworded(f"please {person}"):
        for thing in liked:
            label = rng.randrange(2)
            solutions = [f"bring {thing}", f"bring {rng.choice(others)}"]
            first, second = solutions if label == 0 else reversed(solutions)
            rows.append({"goal": goal, "sol1": first, "sol2": second, "label": label})
    return rows


TASK = Task(
    name="piqa",
    title="PIQA",
    formatter=candidates,
    columns=("goal", "sol1", "sol2", "label"),
    folder="piqa",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(
        "baber/piqa",
        "142f6d7367fd9877f0fb3b5734ea6a545f54cdd1",
        "piqa_{split}.parquet",
        "a mirror; the first-party repository ybisk/piqa is script-based",
    ),
    test="validation",
    per_question=True,
    group="goal",
    source="Bisk et al. (2020)",
    citation="PIQA: Reasoning about Physical Commonsense in Natural Language. AAAI 2020, arXiv 1911.11641",
    licence="unknown",
    our_instruction="There is a practical goal, followed by a way of reaching it. "
    "Respond with 1 if the way works, and with 0 otherwise.",
    topic=world.Topic(facts=world.likes, rows=rows),
)
