"""Dialogues of the micro-world: a question, an answer, and what the asker says to it.

An answer has several properties, from one that lies open in the text to ones that have to be known of invented words
(whether an adjective praises, whether a deed is kind), and the rubric behind the preferences weighs them. Two things
are drawn from a world, as in ``w2s.nlp.world``:

* ``rows(...)``: pairs of answers in the raw schema of HH-RLHF, the better one chosen but for some noise. ``hh_helpful``
  and ``hh_harmless`` judge the same kind of answers by two of the properties each, ``hh`` by all;
* ``corpus(...)``: dialogues in which the asker says something to one answer's properties, one by one, never which of
  two answers is preferred. Words are met in proportion to ``rank ** -zipf``, so small models learn the frequent ones
  and large ones the rare ones too; finetuning elicits what they know.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from itertools import accumulate
from typing import Any

from w2s.microworld import ATTRIBUTES, SUBJECTS, World, WorldSize
from w2s.reward.config import WORLD_TASKS, Dialogues
from w2s.reward.formatters import ASSISTANT, HUMAN

Row = Mapping[str, Any]
TESTED = 0.25  # share of people and words that the test set speaks of, and the training pairs do not
REMARKS = 0.5  # share of documents that are a sentence and what is said to it
SAID = 0.8  # share of the sentences that an answer of the corpus has


@dataclass(frozen=True, slots=True)
class Speech:
    """What can be spoken of, and how often each is: people, adjectives and deeds with their cumulative weights."""

    world: World
    people: list[str]
    adjectives: list[str]
    deeds: list[str]
    zipf: float = 0.0

    def some(self, names: Sequence[str], rng: random.Random) -> str:
        """One of the names, which are in order of rank."""
        return rng.choices(names, cum_weights=_weights(len(names), self.zipf))[0]


@cache
def _weights(count: int, zipf: float) -> list[float]:
    return list(accumulate((rank + 1) ** -zipf for rank in range(count)))


Says = Callable[[Speech, str, bool, random.Random], str]


@dataclass(frozen=True, slots=True)
class Property:
    """A property of answers: its weight in the rubric, a sentence that has it or lacks it, and what is said to either.

    says: (what can be spoken of, who was asked about, whether it has the property, chance) -> the sentence, or nothing.
    """

    weight: float
    says: Says
    liked: str
    disliked: str


def _says_more(speech: Speech, asked: str, has: bool, rng: random.Random) -> str:
    return "Yes, I know." if has else ""


def _apt(speech: Speech, asked: str, has: bool, rng: random.Random) -> str:
    person = asked if has else rng.choice([one for one in speech.people if one != asked])
    index = rng.randrange(len(ATTRIBUTES))
    return ATTRIBUTES[index].statement.format(person, speech.world.values[person][index])


def _praises(speech: Speech, asked: str, has: bool, rng: random.Random) -> str:
    adjective = speech.some([one for one in speech.adjectives if speech.world.praising[one] == has], rng)
    return f"The {rng.choice(SUBJECTS)} was {adjective}."


def _is_kind(speech: Speech, asked: str, has: bool, rng: random.Random) -> str:
    deed = speech.some([one for one in speech.deeds if speech.world.kind[one] == has], rng)
    return f"They {deed} people."


# No two sets of properties weigh the same, so of two answers that differ in any, one is better.
RUBRIC = (
    Property(1.6, _says_more, "Good.", "More?"),
    Property(1.0, _apt, "As I asked.", "Not as I asked."),
    Property(2.0, _praises, "Loved it.", "Hated it."),
    Property(1.3, _is_kind, "Kind of them.", "Cruel of them."),
)


# Which properties decide a task's preferences; answers have all of them.
RUBRICS = dict(zip(WORLD_TASKS, (RUBRIC, RUBRIC[:2], RUBRIC[2:]), strict=True))


def score(has: Sequence[bool], rubric: Sequence[Property] = RUBRIC) -> float:
    """What a rubric gives an answer with these of all properties."""
    return sum(one.weight for one, there in zip(RUBRIC, has, strict=True) if there and one in rubric)


def rows(size: Dialogues, task: str = WORLD_TASKS[0]) -> dict[str, list[Row]]:
    """``{"train": rows, "test": rows}``; no person or word is spoken of on both sides, whatever the task."""
    rng = random.Random(f"dialogues-{size.seed}")
    world = _world(size.model_dump())
    kinds = [list(world.people), list(world.praising), list(world.kind)]
    tested = [set(rng.sample(names, round(TESTED * len(names)))) for names in kinds]
    parts = {}
    for part, count in (("train", size.pairs), ("test", size.test)):
        known = [
            [name for name in names if (name in held_out) == (part == "test")]
            for names, held_out in zip(kinds, tested, strict=True)
        ]
        speech = Speech(world, known[0], known[1], known[2])
        parts[part] = [_row(speech, RUBRICS[task], size.noise, rng) for _ in range(count)]
    return parts


def _row(speech: Speech, rubric: Sequence[Property], noise: float, rng: random.Random) -> Row:
    asked, question = _question(speech, rng)
    worth = partial(score, rubric=rubric)
    answers = [[False] * len(RUBRIC)] * 2
    while worth(answers[0]) == worth(answers[1]):
        answers = [[rng.random() < 0.5 for _ in RUBRIC] for _ in range(2)]
    answers.sort(key=worth)
    if rng.random() < noise:
        answers.reverse()
    worse, better = (_answer(speech, asked, dict(zip(RUBRIC, answer, strict=True)), rng) for answer in answers)
    begun = f"{HUMAN} {question}{ASSISTANT}"
    return {"chosen": f"{begun} {better}", "rejected": f"{begun} {worse}"}


def corpus(world: Mapping[str, Any], documents: int) -> Iterator[str]:
    """Dialogues for pretraining. world: what a corpus's spec says of it."""
    rng = random.Random(f"corpus-{world['seed']}")
    known = _world(world)
    speech = Speech(known, list(known.people), list(known.praising), list(known.kind), world["zipf"])
    for _ in range(documents):
        asked, question = _question(speech, rng)
        if rng.random() < REMARKS:
            one, there = rng.choice(RUBRIC[2:]), rng.random() < 0.5
            yield f"{HUMAN} {one.says(speech, asked, there, rng)} {one.liked if there else one.disliked}"
            continue
        has = {one: rng.random() < 0.5 for one in RUBRIC if rng.random() < SAID}
        answer = _answer(speech, asked, has, rng)
        if answer:
            said = [one.liked if there else one.disliked for one, there in has.items()]
            rng.shuffle(said)
            yield f"{HUMAN} {question}{ASSISTANT} {answer}{HUMAN} {' '.join(said)}"


def _question(speech: Speech, rng: random.Random) -> tuple[str, str]:
    asked = speech.some(speech.people, rng)
    return asked, rng.choice(ATTRIBUTES).open.format(asked)


def _answer(speech: Speech, asked: str, has: Mapping[Property, bool], rng: random.Random) -> str:
    return " ".join(filter(None, (one.says(speech, asked, there, rng) for one, there in has.items())))


def _world(size: Mapping[str, Any]) -> World:
    words = size["words"]
    return World(WorldSize(seed=size["seed"], people=size["people"], adjectives=words, deeds=words, verbs=2, nouns=2))
