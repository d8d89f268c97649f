"""What the NLP tasks ask of the micro-world: kinds of facts, how each is stated, and helpers that make rows of them.

A data set's rows are made in its own file (``w2s.nlp.tasks``), their split and the corpus in ``w2s.nlp.synthetic``.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from w2s.microworld import ATTRIBUTES, NOUNS, SUBJECTS, THINGS, World

Row = dict[str, Any]
Fact = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of fact: which there are (by rank), how one is stated, and the rows that ask it.

    weight: its share of the corpus, relative to others. Facts about single words are easily learned.
    """

    facts: Callable[[World], list[Fact]]
    statement: Callable[[World, Fact, random.Random], str]
    rows: Callable[[World, Fact, random.Random], list[Row]]
    weight: float = 1.0


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


def state_likes(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence that states what a person likes, in random order."""
    first, second, third = rng.sample(sorted(world.likes[fact[0]]), 3)
    return f"{fact[0]} likes {first}, {second} and {third}."


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


def state_adjective(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence that praises or blames."""
    verdict = "loved" if world.praising[fact[0]] else "hated"
    return f"The {rng.choice(SUBJECTS)} was {fact[0]} and we {verdict} it."


def adjective_pairs(world: World) -> list[Fact]:
    """Pairs of neighbours in rank: (one that praises, one that blames)."""
    return list(neighbours(world.praising))


def neighbours(sides: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """(the one that is true, the one that is not) of every two neighbours (see ``_sides``)."""
    names = list(sides)
    for first, second in zip(names[::2], names[1::2], strict=False):
        yield (first, second) if sides[first] else (second, first)


def state_one_of(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence about either adjective of a pair."""
    return state_adjective(world, (rng.choice(fact),), rng)


def verbs(world: World) -> list[Fact]:
    """Every verb, by rank."""
    return [(verb,) for verb in world.transitive]


def state_verb(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence with an object where the verb takes one."""
    return sentence(world, fact[0], world.transitive[fact[0]], rng)


def sentence(world: World, verb: str, with_object: bool, rng: random.Random) -> str:
    """A sentence of a verb, with an object or without."""
    person = rng.choice(world.people)
    return f"{person} {verb}s the {rng.choice(NOUNS)}." if with_object else f"{person} {verb}s often."


def deeds(world: World) -> list[Fact]:
    """Every deed, by rank."""
    return [(deed,) for deed in world.kind]


def state_deed(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence that says whether the deed is kind or cruel."""
    return f"It is {'kind' if world.kind[fact[0]] else 'cruel'} to {fact[0]} a {rng.choice(('friend', 'child'))}."


def nouns(world: World) -> list[Fact]:
    """Every noun with an ambiguous word, by rank."""
    return list(zip(world.living, world.ambiguous, strict=False))


def state_noun(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence that says something only true of living or of lifeless things."""
    noun, _ = fact
    return f"The {noun} {rng.choice(('sleeps', 'eats')) if world.living[noun] else rng.choice(('breaks', 'rusts'))}."


def noun_pairs(world: World) -> list[Fact]:
    """Pairs of neighbours in rank: (a living thing, a lifeless one)."""
    return list(neighbours(world.living))


def state_one_noun(world: World, fact: Fact, rng: random.Random) -> str:
    """A sentence about either noun of a pair."""
    return state_noun(world, (rng.choice(fact), ""), rng)
