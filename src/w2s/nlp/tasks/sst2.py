"""GLUE SST-2: sentiment of a phrase. Phrases of one review nest: those that begin or end alike stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import SUBJECTS, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import GLUE, Task


def candidates(row: Row) -> list[Candidate]:
    """Sentiment of a phrase. Phrases of one review nest: those that begin or end with the same six words are tied."""
    sentence = formatters.text(row, "sentence")
    first, last = formatters.first_words(sentence, 6), formatters.last_words(sentence, 6)
    text, label = f"Review: {sentence}\nPositive:", formatters.number(row, "label", 0, 1)
    return [Candidate(first, first, text, label, last)]


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    (adjective,) = fact
    return [
        {
            "idx": 0,
            "sentence": f"that day it was so {adjective} {where} the {subject} ",
            "label": int(known.praising[adjective]),
        }
        for subject in SUBJECTS
        for where in ("at", "in", "after", "near")
    ]


TASK = Task(
    name="sst2",
    title="GLUE SST-2",
    formatter=candidates,
    columns=("sentence", "label"),
    folder="glue.sst2",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(GLUE.repository, GLUE.revision, "sst2/{split}-*.parquet"),
    test="validation",
    group="first or last six words",
    source="Wang et al. (2019); Socher et al. (2013)",
    citation="Recursive Deep Models for Semantic Compositionality Over a Sentiment Treebank. EMNLP 2013",
    licence="unknown",
    our_instruction="There is a passage from a film review. "
    "Respond with 1 if its sentiment is positive, and with 0 otherwise.",
    topic=world.Topic(facts=world.adjectives, rows=rows),
)
