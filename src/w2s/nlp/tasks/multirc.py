"""SuperGLUE MultiRC: one row an answer, several of which may be right; questions of one paragraph stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import THINGS, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import SUPER_GLUE, Task


def candidates(row: Row) -> list[Candidate]:
    """One row an answer, several of which may be right; questions of one paragraph stay together."""
    paragraph, question = formatters.text(row, "paragraph"), formatters.text(row, "question")
    stem = f"{paragraph}\nQuestion: {question}"
    right = [formatters.number(row, "label", 0, 1) == 1]
    return formatters.choices(paragraph, f"{paragraph}\n{question}", stem, [formatters.text(row, "answer")], right)


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    (person,) = fact
    paragraph, number = world.always_the_same(known, person, rng), known.people.index(person)
    return [
        {
            "paragraph": paragraph,
            "question": question,
            "answer": thing,
            "idx": {"paragraph": number, "question": number * 10 + asked, "answer": i},
            "label": int(thing in known.likes[person]),
        }
        for asked, question in enumerate(world.reworded(f"What does {person} like?"))
        for i, thing in enumerate(THINGS)
    ]


TASK = Task(
    name="multirc",
    title="SuperGLUE MultiRC",
    formatter=candidates,
    columns=("paragraph", "question", "answer", "label"),
    folder="super_glue.multirc",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(SUPER_GLUE.repository, SUPER_GLUE.revision, "multirc/{split}-*.parquet"),
    test="validation",
    per_question=True,
    group="paragraph",
    source="Wang et al. (2019); Khashabi et al. (2018)",
    citation="Looking Beyond the Surface: A Challenge Set for Reading Comprehension over Multiple Sentences. "
    "NAACL 2018",
    licence="unknown",
    our_instruction="There is a paragraph, followed by a question about it, and an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    topic=world.Topic(facts=world.likes, rows=rows),
)
