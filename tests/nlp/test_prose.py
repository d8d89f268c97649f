"""The corpus says what the world holds, and never asks a task's own question."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from w2s.microworld import ATTRIBUTES, World, WorldSize
from w2s.nlp import prose, synthetic
from w2s.nlp.prose import KINDS, Kind
from w2s.nlp.tasks import TASKS, TOPICS

SMALL = World(WorldSize(people=20, adjectives=20, verbs=20, deeds=20, nouns=20))
ANSWERS = (" no", " yes")


def documents(count: int = 4000, statements: float = 0.3) -> list[str]:
    return list(prose.documents(SMALL, count, answers=ANSWERS, statements=statements))


def test_frequent_facts_are_told_more_often() -> None:
    told = documents()
    first, last = (sum(person in text for text in told) for person in (SMALL.people[0], SMALL.people[-1]))
    assert first > 5 * last
    assert len(told) == 4000


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_the_share_of_statements_is_the_one_asked_for(share: float) -> None:
    quizzes = sum(text.endswith(ANSWERS) for text in documents(statements=share)) / 4000
    assert quizzes == pytest.approx(1 - share, abs=0.03)


def test_the_corpus_follows_from_the_worlds_seed() -> None:
    assert documents(50) == documents(50)


@pytest.mark.parametrize("task", TOPICS)
def test_no_task_is_asked_in_its_own_layout(task: str) -> None:
    """Neither a text of a task nor the cue before its answer stands before an answer."""
    rows = synthetic.rows(SMALL, task)
    texts = {one.text for part in rows.values() for row in part for one in TASKS[task].formatter(row)}
    cues = {text.rsplit("\n", 1)[-1] for text in texts}
    for document in documents():
        answered = document.removesuffix(ANSWERS[0]).removesuffix(ANSWERS[1])
        assert answered not in texts
        assert answered == document or answered.rsplit("\n", 1)[-1] not in cues, document


def test_what_is_claimed_of_a_person_is_as_true_as_asked_for() -> None:
    attributes = next(kind for kind in KINDS if kind.facts.__name__ == "attributes")
    rng = random.Random(0)
    for fact in attributes.facts(SMALL):
        person, index = fact
        for truth in (True, False):
            value = re.split(r"[ .\n]", attributes.claim(SMALL, fact, truth, rng))[-1]
            assert value in ATTRIBUTES[index].values
            assert (value == SMALL.values[person][index]) == truth


@pytest.mark.parametrize(
    ("name", "has"), [("adjectives", "praising"), ("verbs", "transitive"), ("deeds", "kind"), ("nouns", "living")]
)
def test_what_is_claimed_of_a_word_is_as_true_as_asked_for(name: str, has: str) -> None:
    """It has the property or not; where two words are compared, the first is said to be better."""
    (kind,) = (kind for kind in KINDS if kind.facts.__name__ == name)
    sides: dict[str, bool] = getattr(SMALL, has)
    rng = random.Random(0)
    for fact in kind.facts(SMALL) * 5:
        for truth in (True, False):
            first, *_ = [sides[one] for one in kind.claim(SMALL, fact, truth, rng).split() if one in sides]
            assert first == truth


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.facts.__name__)
def test_the_answer_is_yes_as_often_as_no(kind: Kind) -> None:
    rng = random.Random(0)
    facts = kind.facts(SMALL)
    answers = Counter(prose.quiz(SMALL, kind, rng.choice(facts), ANSWERS, rng).rsplit(" ", 1)[-1] for _ in range(2000))
    assert set(answers) == {"yes", "no"}
    assert answers["yes"] / 2000 == pytest.approx(0.5, abs=0.05)
