"""CosmosQA: four-way question about a blog post; "None of the above" is right where the data set says so."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Four-way question about a blog post; "None of the above" is right where the data set says so."""
    context, question = formatters.text(row, "context"), formatters.text(row, "question")
    answers = [formatters.text(row, f"answer{number}") for number in range(4)]
    stem = f"Context: {context}\nQuestion: {question}"
    return formatters.choices(
        context,
        f"{context}\n{question}",
        stem,
        answers,
        formatters.only(4, formatters.number(row, "label", 0, 1, 2, 3)),
    )


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    context, rows = world.other_fact(known, fact, rng), []
    for number, question in enumerate(world.reworded(ATTRIBUTES[index].open.format(person))):
        values, right = world.four_values(known, fact, rng)
        answers = {f"answer{place}": value for place, value in enumerate(values)}
        asked = {"id": f"{person}-{index}-{number}", "context": context, "question": question}
        rows.append({**asked, **answers, "label": right})
    return rows


TASK = Task(
    name="cosmos_qa",
    title="CosmosQA",
    formatter=candidates,
    columns=("context", "question", "answer0", "answer1", "answer2", "answer3", "label"),
    folder="cosmos_qa",
    relabel=relabel.exchange("label", 0, 1, 2, 3),
    hub=Hub(
        "allenai/cosmos_qa",
        "ed50fe83db62b355759053b1cd5eef344ee371e0",
        "default/{split}/*.parquet",
        "parquet conversion of a script-based repository",
    ),
    test="validation",
    per_question=True,
    group="context",
    source="Huang et al. (2019)",
    citation="Cosmos QA: Machine Reading Comprehension with Contextual Commonsense Reasoning. EMNLP 2019, "
    "arXiv 1909.00277",
    licence="CC BY 4.0",
    instruction="There is some context, followed by a question about the context, and an answer. "
    "Respond with 1 if the answer is correct, and 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
