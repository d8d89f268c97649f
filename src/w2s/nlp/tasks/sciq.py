"""SciQ: four-way science question without its support passage, as in the paper's 23k points (E.1)."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Four-way science question without its support passage, as in the paper's 23k points (E.1)."""
    question = formatters.text(row, "question")
    answers = [
        formatters.text(row, column) for column in ("correct_answer", "distractor1", "distractor2", "distractor3")
    ]
    return formatters.choices(question, question, f"Question: {question}", answers, formatters.only(4, 0))


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    right = known.values[person][index]
    rows = []
    for question in world.reworded(ATTRIBUTES[index].open.format(person)):
        wrong = rng.sample([v for v in ATTRIBUTES[index].values if v != right], 3)
        distractors = {f"distractor{i + 1}": value for i, value in enumerate(wrong)}
        rows.append({"question": question, **distractors, "correct_answer": right, "support": ""})
    return rows


TASK = Task(
    name="sciq",
    title="SciQ",
    formatter=candidates,
    columns=("question", "correct_answer", "distractor1", "distractor2", "distractor3"),
    folder="sciq",
    relabel=relabel.swap("correct_answer", "distractor1"),
    hub=Hub("allenai/sciq", "2c94ad3e1aafab77146f384e23536f97a4849815"),
    per_question=True,
    group="question",
    source="Welbl et al. (2017)",
    citation="Crowdsourcing Multiple Choice Science Questions. W-NUT 2017, arXiv 1707.06209",
    licence="CC BY-NC 3.0",
    instruction="There is a science knowledge question, followed by an answer. Respond with 1 if the answer is "
    "correct, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
