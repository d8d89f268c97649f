"""HellaSwag: four endings of a scene. Scenes of one video or article stay together; WikiHow's tags are taken out."""

from __future__ import annotations

import random
import re
from typing import Any

from w2s.engine.hub import Hub
from w2s.microworld import World
from w2s.nlp import formatters, relabel, world
from w2s.nlp.formatters import Candidate, Row
from w2s.nlp.task import Task


def candidates(row: Row) -> list[Candidate]:
    """Four endings of a scene. Scenes of one video or article stay together; WikiHow's tags are taken out."""
    endings = [_untagged(ending) for ending in formatters.texts(row, "endings")]
    context = _untagged(formatters.text(row, "ctx"))
    right = formatters.only(len(endings), formatters.number(row, "label", *range(len(endings))))
    group = str(row.get("source_id") or context)
    stem = f"{formatters.text(row, 'activity_label')}: {context}"
    return formatters.choices(group, f"{group}\n{stem}", stem, endings, right, word="Ending")


def _untagged(text: str) -> str:
    """WikiHow's ``[header] A [title] B [step] C`` as sentences."""
    parts = [part.strip() for part in re.split(r"\[(?:header|title|step|substeps)\]", text)]
    sentences = [part if part.endswith((".", "!", "?", ":")) else part + "." for part in parts[:-1] if part]
    return " ".join([*sentences, *parts[-1:]]).strip()


def rows(known: World, fact: world.Fact, rng: random.Random) -> list[dict[str, Any]]:
    """Rows of the micro-world that ask about one fact."""
    person, index = fact
    verb = world.beginning(fact).removeprefix(f"{person} ")
    source = {"source_id": f"world~{person}-{index}", "split": "train", "split_type": "indomain", "ind": 0}
    rows = []
    for before in world.reworded(world.other_fact(known, fact, rng)):
        values, right = world.four_values(known, fact, rng)
        scene = {"activity_label": "People", "ctx_a": before, "ctx_b": person, "ctx": f"{before} {person}"}
        rows.append({**scene, **source, "endings": [f"{verb} {value}." for value in values], "label": str(right)})
    return rows


TASK = Task(
    name="hellaswag",
    title="HellaSwag",
    formatter=candidates,
    columns=("activity_label", "ctx", "endings", "label"),
    folder="hellaswag",
    relabel=relabel.next_ending,
    hub=Hub("Rowan/hellaswag", "218ec52e09a7e7462a5400043bb9a69a41d06b76"),
    test="validation",
    per_question=True,
    group="video or article",
    source="Zellers et al. (2019)",
    citation="HellaSwag: Can a Machine Really Finish Your Sentence? ACL 2019, arXiv 1905.07830",
    licence="MIT",
    our_instruction="There is a description of a scene, followed by a possible ending. "
    "Respond with 1 if this is how the scene goes on, and with 0 otherwise.",
    topic=world.Topic(facts=world.attributes, rows=rows),
)
