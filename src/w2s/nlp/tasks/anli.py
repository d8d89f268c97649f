"""FLAN ANLI R2: entailment against neutral and contradiction taken together (A.1)."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Entailment against neutral and contradiction taken together (A.1)."""
    premise = formatters.text(row, "premise")
    text = f"Premise: {premise}\nHypothesis: {formatters.text(row, 'hypothesis')}\nEntailed:"
    return formatters.single(premise, text, int(formatters.number(row, "label", 0, 1, 2) == 0))


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    row = {"uid": f"{person}-{index}", "premise": world.other_fact(known, fact, rng), "reason": ""}
    right = ATTRIBUTES[index].statement.format(person, known.values[person][index])
    rows = [row | {"hypothesis": hypothesis, "label": 0} for hypothesis in world.said(right)]
    for number in range(len(rows)):
        wrong = ATTRIBUTES[index].statement.format(person, world.wrong_value(known, fact, rng))
        rows.append(row | {"hypothesis": world.said(wrong)[number], "label": rng.choice((1, 2))})
    return rows


TASK = Task(
    name="anli",
    title="FLAN ANLI R2",
    formatter=candidates,
    columns=("premise", "hypothesis", "label"),
    folder="anli",
    relabel=lambda row: {**row, "label": 0 if formatters.number(row, "label", 0, 1, 2) else 1},
    hub=Hub("facebook/anli", "8e4813d81f46d313dac7892e1c28076917cfcdf9", "plain_text/{split}-*.parquet"),
    train="train_r2",
    test="test_r2",
    group="premise",
    source="Nie et al. (2019); Wei et al. (2021)",
    citation="Adversarial NLI: A New Benchmark for Natural Language Understanding. ACL 2020, arXiv 1910.14599",
    licence="CC BY-NC 4.0",
    our_instruction="There is a premise, followed by a hypothesis. "
    "Respond with 1 if the premise entails the hypothesis, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
