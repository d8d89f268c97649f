"""OpenBookQA: four-way science question or sentence to be completed. Right and wrong answers look the same."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Four-way science question or sentence to be completed. Right and wrong answers look the same."""
    answers, right = formatters.keyed(row)
    question = formatters.text(row, "question_stem")
    return formatters.choices(
        question, question, f"Question: {question}", answers, formatters.only(len(answers), right)
    )


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    rows = []
    for stem in world.reworded(world.beginning(fact)):
        values, right = world.four_values(known, fact, rng)
        choices = {"text": values, "label": list("ABCD")}
        rows.append({"id": f"{person}-{index}", "question_stem": stem, "choices": choices, "answerKey": "ABCD"[right]})
    return rows


TASK = Task(
    name="openbookqa",
    title="OpenBookQA",
    formatter=candidates,
    columns=("question_stem", "choices", "answerKey"),
    folder="openbookqa.main",
    relabel=relabel.next_letter,
    hub=Hub("allenai/openbookqa", "388097ea7776314e93a529163e0fea805b8a6454", "main/{split}-*.parquet"),
    per_question=True,
    group="question",
    source="Mihaylov et al. (2018)",
    citation="Can a Suit of Armor Conduct Electricity? A New Dataset for Open Book Question Answering. EMNLP "
    "2018, "
    "arXiv 1809.02789",
    licence="unknown",
    our_instruction="There is an elementary science question, followed by an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
