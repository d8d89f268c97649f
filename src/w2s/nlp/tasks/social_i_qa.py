"""Social IQa: three-way question about people in a situation; labels are "1" to "3"."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Three-way question about people in a situation; labels are "1" to "3"."""
    context, question = formatters.text(row, "context"), formatters.text(row, "question")
    answers = [formatters.text(row, f"answer{letter}") for letter in "ABC"]
    right = formatters.only(3, formatters.number(row, "label", 1, 2, 3) - 1)
    return formatters.choices(
        context, f"{context}\n{question}", f"Context: {context}\nQuestion: {question}", answers, right
    )


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    (person,) = fact
    liked, others = world.liked_and_not(known, person)
    context = world.always_the_same(known, person, rng)
    rows = []
    for question in world.reworded(f"What would {person} like?"):
        for thing in liked:
            answers = [thing, *rng.sample(others, 2)]
            rng.shuffle(answers)
            named = dict(zip(("answerA", "answerB", "answerC"), answers, strict=True))
            asked = {"context": context, "question": question}
            rows.append({**asked, **named, "label": str(answers.index(thing) + 1)})
    return rows


TASK = Task(
    name="social_i_qa",
    title="Social IQa",
    formatter=candidates,
    columns=("context", "question", "answerA", "answerB", "answerC", "label"),
    folder="social_i_qa",
    relabel=relabel.exchange("label", 1, 2, 3),
    hub=Hub(
        "lighteval/siqa",
        "54c6a1f8cb6daf4f5abf24a601852612fb35eb25",
        note="a mirror; the first-party repository allenai/social_i_qa is script-based",
    ),
    test="validation",
    per_question=True,
    group="context",
    source="Sap et al. (2019)",
    citation="Social IQa: Commonsense Reasoning about Social Interactions. EMNLP 2019, arXiv 1904.09728",
    licence="none stated",
    instruction="There is some context, followed by a social question, followed by an answer. Respond with 1 "
    "if "
    "the answer is correct, and 0 otherwise.",
    topic=world.Topic(facts=world.likes, rows=rows),
)
