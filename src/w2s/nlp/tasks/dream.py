"""DREAM: three-way multiple choice about a dialogue; questions of one dialogue stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Three-way multiple choice about a dialogue; questions of one dialogue stay together."""
    dialogue = "\n".join(turn.strip() for turn in formatters.texts(row, "dialogue"))
    question, choices = formatters.text(row, "question"), formatters.texts(row, "choice")
    if row["answer"] not in choices:
        raise ValueError(f"answer {row['answer']!r} is not one of the choices")
    stem = f"{dialogue}\nQuestion: {question}"
    right = [choice == row["answer"] for choice in choices]
    return formatters.choices(str(row["dialogue_id"]), f"{row['dialogue_id']}\n{question}", stem, choices, right)


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    right = known.values[person][index]
    dialogue = [f"M: Do you know {person}?", f"W: Yes. {world.other_fact(known, fact, rng)}"]
    asked = {"id": 0, "dialogue_id": f"{person}-{index}", "dialogue": dialogue, "answer": right}
    rows = []
    for question in world.reworded(ATTRIBUTES[index].open.format(person)):
        choice = [right, *rng.sample([v for v in ATTRIBUTES[index].values if v != right], 2)]
        rng.shuffle(choice)
        rows.append(asked | {"question": question, "choice": choice})
    return rows


TASK = Task(
    name="dream",
    title="DREAM",
    formatter=candidates,
    columns=("dialogue_id", "dialogue", "question", "choice", "answer"),
    folder="dream",
    relabel=relabel.next_choice,
    hub=Hub(
        "dataset-org/dream",
        "ca4c45feaf089ecfc37579eb2c594375f70dbfd5",
        "plain_text/{split}/*.parquet",
        "parquet conversion of a script-based repository; seen in one project",
    ),
    per_question=True,
    group="dialogue",
    source="Sun et al. (2019)",
    citation="DREAM: A Challenge Dataset and Models for Dialogue-Based Reading Comprehension. TACL 7, 2019, "
    "arXiv 1902.00164",
    licence="non-commercial research",
    our_instruction="There is a dialogue, followed by a question about it, and an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
