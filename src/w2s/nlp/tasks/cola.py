"""GLUE CoLA: linguistic acceptability of a sentence."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import GLUE, Task


def candidates(row: Row) -> list[Candidate]:
    """Linguistic acceptability of a sentence."""
    sentence = formatters.text(row, "sentence")
    return formatters.single(sentence, f"Sentence: {sentence}\nAcceptable:", formatters.number(row, "label", 0, 1))


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Sentences with an object, which are right if the verb takes one."""
    (verb,) = fact
    return [
        {"sentence": world.sentence(known, verb, True, rng), "label": int(known.transitive[verb]), "idx": 0}
        for _ in range(32)
    ]


TASK = Task(
    name="cola",
    title="GLUE CoLA",
    formatter=candidates,
    columns=("sentence", "label"),
    folder="glue.cola",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(GLUE.repository, GLUE.revision, "cola/{split}-*.parquet"),
    test="validation",
    group="sentence",
    source="Wang et al. (2019); Warstadt et al. (2019)",
    citation="Neural Network Acceptability Judgments. TACL 7, 2019, arXiv 1805.12471",
    licence="unclear",
    our_instruction="There is a sentence. Respond with 1 if it is grammatically acceptable, and with 0 otherwise.",
    topic=world.Topic(facts=world.verbs, rows=rows),
)
