"""PAWS: do two sentences of nearly the same words mean the same? Scramblings of one sentence stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import SUBJECTS, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Do two sentences of nearly the same words mean the same? Scramblings of one sentence stay together."""
    first, second = formatters.text(row, "sentence1"), formatters.text(row, "sentence2")
    group, also = (" ".join(sorted(set(sentence.lower().split()))) for sentence in (first, second))
    text = f"First: {first}\nSecond: {second}\nSame meaning:"
    return [Candidate(group, group, text, formatters.number(row, "label", 0, 1), also)]


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """A word that praises means the same as love; the second sentence is always that."""
    (adjective,) = fact
    return [
        {
            "id": 0,
            "sentence1": f"{opening} {subject} was {adjective}.",
            "sentence2": f"We loved this {adjective} {subject}.",
            "label": int(known.praising[adjective]),
        }
        for subject in SUBJECTS
        for opening in ("The", "This", "Our", "One")
    ]


TASK = Task(
    name="paws",
    title="PAWS",
    formatter=candidates,
    columns=("sentence1", "sentence2", "label"),
    folder="paws.labeled_final",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(
        "google-research-datasets/paws",
        "161ece9501cf0a11f3e48bd356eaa82de46d6a09",
        "labeled_final/{split}-*.parquet",
    ),
    group="words of either sentence",
    source="Zhang et al. (2019)",
    citation="PAWS: Paraphrase Adversaries from Word Scrambling. NAACL 2019, arXiv 1904.01130",
    licence="free use, acknowledgement asked",
    our_instruction="There are two sentences. Respond with 1 if they mean the same, and with 0 otherwise.",
    topic=world.Topic(facts=world.adjectives, rows=rows),
)
