"""QuaRTz: two-way question about a qualitative relationship; questions of one paragraph stay together."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Two-way question about a qualitative relationship; questions of one paragraph stay together."""
    answers, right = formatters.keyed(row)
    paragraph, question = formatters.text(row, "para"), formatters.text(row, "question")
    stem = f"{paragraph}\nQuestion: {question}"
    return formatters.choices(
        paragraph, f"{paragraph}\n{question}", stem, answers, formatters.only(len(answers), right)
    )


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Which of two things is alive?"""
    living, lifeless = fact
    both = [living, lifeless]
    rng.shuffle(both)
    paragraph = f"One of {both[0]} and {both[1]} is alive."
    choices = {"text": both, "label": ["A", "B"]}
    annotations: dict[str, Any] = {"para_anno": {"cause_prop": "life"}, "question_anno": {"more_cause_prop": "life"}}
    return [
        {
            "id": f"{living}-{verb}",
            "question": question,
            "choices": choices,
            "answerKey": "AB"[both.index(living)],
            "para": paragraph,
            "para_id": living,
            **annotations,
        }
        for verb in world.LIVING
        for question in world.reworded(f"Which one {verb}?")
    ]


TASK = Task(
    name="quartz",
    title="QuaRTz",
    formatter=candidates,
    columns=("para", "question", "choices", "answerKey"),
    folder="quartz",
    relabel=relabel.next_letter,
    hub=Hub("allenai/quartz", "28c1dbb56caf81799296cb17892fa73402e23464"),
    per_question=True,
    group="paragraph",
    source="Tafjord et al. (2019)",
    citation="QuaRTz: An Open-Domain Dataset of Qualitative Relationship Questions. EMNLP 2019, arXiv 1909.03553",
    licence="CC BY 4.0",
    our_instruction="There is a short text, followed by a question that it helps to answer, and an answer. "
    "Respond with 1 if the answer is correct, and with 0 otherwise.",
    topic=world.Topic(facts=world.noun_pairs, rows=rows),
)
