"""What the NLP tasks ask of the micro-world: kinds of facts, and helpers that make rows of them.

A data set's rows are made in its own file (``w2s.nlp.tasks``), their split in ``w2s.nlp.synthetic``; the corpus that
says what is so is in ``w2s.nlp.prose``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from w2s.microworld import ATTRIBUTES, NOUNS, THINGS, World

OPENINGS = ("Tell me:", "Once more:", "Now then:", "And this:", "One thing:", "Say it:", "Just say:")
SAYING = ("People say:", "We know:", "It is said:", "They say:", "One hears:", "All agree:", "Word is:")

VIRTUES = (
    *("kind", "caring", "gentle", "warm", "tender", "mild", "loving", "helpful"),
    *("friendly", "generous", "patient", "polite", "noble", "fair", "decent", "humane"),
)
VICES = ("cruel", "harsh", "mean", "cold", "rough", "vicious", "brutal", "hostile")
LIVING = ("sleeps", "eats", "drinks", "breathes")  # what living things do

Row = dict[str, Any]
Fact = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """What a task asks: which facts there are (by rank), and the rows that ask one."""

    facts: Callable[[World], list[Fact]]
    rows: Callable[[World, Fact, random.Random], list[Row]]


def attributes(world: World) -> list[Fact]:
    """Every attribute of every person, by the person's rank."""
    return [(person, index) for person in world.people for index in range(len(ATTRIBUTES))]


def state_attribute(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence that states the fact."""
    person, index = fact
    return ATTRIBUTES[index].statement.format(person, world.values[person][index])


def wrong_value(world: World, fact: Fact, rng: random.Random) -> str:
    """A value of the attribute that the person does not have."""
    person, index = fact
    return rng.choice([v for v in ATTRIBUTES[index].values if v != world.values[person][index]])


def other_fact(world: World, fact: Fact, rng: random.Random) -> str:
    """Something true of the same person that does not give the answer away."""
    person, index = fact
    other = rng.choice([i for i in range(len(ATTRIBUTES)) if i != index])
    return state_attribute(world, (person, other), rng)


def reworded(text: str) -> list[str]:
    """The same in eight wordings: rows of one fact that differ on the surface only."""
    return [text, *(f"{opening} {text}" for opening in OPENINGS)]


def said(statement: str) -> list[str]:
    """A statement in eight wordings."""
    return [statement, *(f"{opening} {statement}" for opening in SAYING)]


def four_values(world: World, fact: Fact, rng: random.Random) -> tuple[list[str], int]:
    """(four values in random order, the number of the right one)."""
    person, index = fact
    right = world.values[person][index]
    values = [right, *rng.sample([v for v in ATTRIBUTES[index].values if v != right], 3)]
    rng.shuffle(values)
    return values, values.index(right)


def beginning(fact: Fact) -> str:
    """ "Mira lives in", to be completed."""
    person, index = fact
    return ATTRIBUTES[index].statement.partition("{}.")[0].format(person).strip()


def likes(world: World) -> list[Fact]:
    """Every person, for what they like."""
    return [(person,) for person in world.people]


def always_the_same(world: World, person: str, rng: random.Random) -> str:
    """One fact about a person, the same each time, so that all questions about what they like share it."""
    return state_attribute(world, (person, world.people.index(person) % len(ATTRIBUTES)), rng)


def liked_and_not(world: World, person: str) -> tuple[list[str], list[str]]:
    """(what a person likes, what not), both in order."""
    liked = world.likes[person]
    return sorted(liked), [thing for thing in THINGS if thing not in liked]


def adjectives(world: World) -> list[Fact]:
    """Every adjective, by rank."""
    return [(adjective,) for adjective in world.praising]


def adjective_pairs(world: World) -> list[Fact]:
    """Pairs of neighbours in rank: (one that praises, one that blames)."""
    return list(neighbours(world.praising))


def neighbours(sides: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """(the one that is true, the one that is not) of every two neighbours (see ``_sides``)."""
    names = list(sides)
    for first, second in zip(names[::2], names[1::2], strict=False):
        yield (first, second) if sides[first] else (second, first)


def verbs(world: World) -> list[Fact]:
    """Every verb, by rank."""
    return [(verb,) for verb in world.transitive]


def sentence(world: World, verb: str, with_object: bool, rng: random.Random) -> str:
    """A sentence of a verb, with an object or without."""
    person = rng.choice(world.people)
    return f"{person} {verb}s the {rng.choice(NOUNS)}." if with_object else f"{person} {verb}s often."


def deeds(world: World) -> list[Fact]:
    """Every deed, by rank."""
    return [(deed,) for deed in world.kind]


def nouns(world: World) -> list[Fact]:
    """Every noun with an ambiguous word, by rank."""
    return list(zip(world.living, world.ambiguous, strict=False))


def noun_pairs(world: World) -> list[Fact]:
    """Pairs of neighbours in rank: (a living thing, a lifeless one)."""
    return list(neighbours(world.living))
