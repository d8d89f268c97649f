"""SuperGLUE WiC: does a word mean the same in two sentences? Rows about one word stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import SUPER_GLUE, Task


def candidates(row: Row) -> list[Candidate]:
    """Does a word mean the same in two sentences? Rows about one word stay together."""
    first, second = formatters.text(row, "sentence1"), formatters.text(row, "sentence2")
    text = f"First: {first}\nSecond: {second}\nWord: {formatters.text(row, 'word')}\nSame:"
    return formatters.single(formatters.text(row, "word"), text, formatters.number(row, "label", 0, 1))


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """A word like "neck" means one thing of an animal and another of a thing; the first is an animal's."""
    noun, word = fact
    return [
        {
            "word": word,
            "sentence1": f"The {word} of the {animal}.",
            "sentence2": f"{opening} {word} of the {noun}.",
            "idx": 0,
            "label": int(known.living[noun]),
        }
        for animal in ("cat", "dog", "goat", "horse", "owl", "parrot", "rabbit", "snake")
        for opening in ("The", "This", "One", "That")
    ]


TASK = Task(
    name="wic",
    title="SuperGLUE WiC",
    formatter=candidates,
    columns=("word", "sentence1", "sentence2", "label"),
    folder="super_glue.wic",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(SUPER_GLUE.repository, SUPER_GLUE.revision, "wic/{split}-*.parquet"),
    test="validation",
    group="word",
    source="Wang et al. (2019); Pilehvar and Camacho-Collados (2018)",
    citation="WiC: the Word-in-Context Dataset for Evaluating Context-Sensitive Meaning Representations. "
    "NAACL 2019, "
    "arXiv 1808.09121",
    licence="CC BY-NC 4.0",
    our_instruction="There are two sentences, followed by a word that is in both. "
    "Respond with 1 if the word means the same in both sentences, and with 0 otherwise.",
    topic=world.Topic(facts=world.nouns, rows=rows),
)
