"""BoolQ: yes/no question about a passage."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Yes/no question about a passage."""
    passage = formatters.text(row, "passage")
    text = f"Passage: {passage}\nQuestion: {formatters.as_question(formatters.text(row, 'question'))}\nAnswer:"
    return formatters.single(passage, text, formatters.number(row, "answer", 0, 1))


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    passage = world.other_fact(known, fact, rng)
    return [
        {"passage": passage, "question": question, "answer": answer}
        for answer in (True, False)
        for question in world.reworded(
            ATTRIBUTES[index].closed.format(
                person, known.values[person][index] if answer else world.wrong_value(known, fact, rng)
            )
        )
    ]


TASK = Task(
    name="boolq",
    title="BoolQ",
    formatter=candidates,
    columns=("passage", "question", "answer"),
    folder="boolq",
    relabel=relabel.exchange("answer", 0, 1),
    hub=Hub("google/boolq", "35b264d03638db9f4ce671b711558bf7ff0f80d5"),
    test="validation",
    group="passage",
    source="Clark et al. (2019)",
    citation="BoolQ: Exploring the Surprising Difficulty of Natural Yes/No Questions. NAACL 2019, arXiv 1905.10044",
    licence="CC BY-SA 3.0",
    our_instruction="There is a passage, followed by a yes/no question about it. "
    "Respond with 1 if the answer is yes, and with 0 if it is no.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
