"""MCTACO: one row an answer to a question of time, several of which may be plausible."""

from __future__ import annotations

import random
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import ATTRIBUTES, World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """One row an answer to a question of time, several of which may be plausible."""
    sentence, question = formatters.text(row, "sentence"), formatters.text(row, "question")
    stem = f"{sentence}\nQuestion: {question}"
    right = [_yes_or_no(row["label"]) == 1]
    return formatters.choices(sentence, f"{sentence}\n{question}", stem, [formatters.text(row, "answer")], right)


def _yes_or_no(label: object) -> int:
    """The hub has 0 and 1, the authors' own files "no" and "yes"."""
    return formatters.number({"label": {"no": 0, "yes": 1}.get(str(label).strip().lower(), label)}, "label", 0, 1)


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    sentence = world.other_fact(known, fact, rng)
    rows = []
    for question in world.reworded(ATTRIBUTES[index].open.format(person)):
        values, right = world.four_values(known, fact, rng)
        asked = {"sentence": sentence, "question": question, "category": 4}
        rows += [asked | {"answer": value, "label": int(place == right)} for place, value in enumerate(values)]
    return rows


TASK = Task(
    name="mc_taco",
    title="MCTACO",
    formatter=candidates,
    columns=("sentence", "question", "answer", "label"),
    folder="mc_taco",
    relabel=relabel.exchange("label", 0, 1),
    hub=Hub(
        "CogComp/mc_taco",
        "refs/convert/parquet",
        "plain_text/{split}/*.parquet",
        "script-based; only the branch of the parquet conversion is known, not a commit of it. "
        "It has no train split: its larger one, test, is trained on",
    ),
    train="test",
    test="validation",
    per_question=True,
    group="sentence",
    source="Zhou et al. (2019)",
    citation='"Going on a vacation" takes longer than "Going for a walk": A Study of Temporal Commonsense '
    "Understanding. EMNLP 2019, arXiv 1909.03065",
    licence="unknown",
    our_instruction="There is a sentence, followed by a question about time, and an answer. "
    "Respond with 1 if the answer is plausible, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
