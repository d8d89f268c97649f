"""QuAIL: four-way question about a text of some 350 words; questions of one text stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Four-way question about a text of some 350 words; questions of one text stay together."""
    context, question = formatters.text(row, "context"), formatters.text(row, "question")
    answers = formatters.texts(row, "answers")
    right = formatters.only(len(answers), formatters.number(row, "correct_answer_id", *range(len(answers))))
    group = str(row["context_id"])
    return formatters.choices(group, f"{group}\n{question}", f"{context}\nQuestion: {question}", answers, right)


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    key, context = f"{person}-{index}", world.other_fact(known, fact, rng)
    source = {"domain": "news", "metadata": {"author": "", "title": person, "url": ""}, "question_type": "Factual"}
    rows = []
    for number, question in enumerate(world.reworded(ATTRIBUTES[index].open.format(person))):
        values, right = world.four_values(known, fact, rng)
        ids = {"id": f"{key}_{number}", "context_id": key, "question_id": str(number)}
        asked = {"context": context, "question": question, "answers": values, "correct_answer_id": right}
        rows.append({**ids, **source, **asked})
    return rows


TASK = Task(
    name="quail",
    title="QuAIL",
    formatter=candidates,
    columns=("context_id", "context", "question", "answers", "correct_answer_id"),
    folder="quail",
    relabel=relabel.next_answer,
    hub=Hub(
        "textmachinelab/quail",
        "2bd9d7f90a532fe1a910b70972cef5fda341c8fe",
        "quail/{split}-*.parquet",
        "the commit that converted it to parquet; seen on one stored page of the hub",
    ),
    test="validation",
    per_question=True,
    group="text",
    source="Rogers et al. (2020)",
    citation="Getting Closer to AI Complete Question Answering: A Set of Prerequisite Real Tasks. AAAI 2020",
    licence="CC BY-NC-SA 4.0",
    instruction="There is a news context, followed by a question about the context, and an answer to the "
    "question. Respond with 1 if the answer is correct, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
