"""The micro-world: a small invented world that the default experiment's data and corpora speak of.

A seed draws people with attributes, things they like, adjectives that praise or blame, verbs, deeds and words with two
senses. All are known through *frequency*: the r-th person (adjective, verb, ...) turns up in a corpus in proportion to
``r ** -zipf``, so small models learn the frequent facts and large ones the rare ones too. What the NLP and the reward
setting say of it stands in ``w2s.nlp.world`` and ``w2s.reward.world``.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from pydantic import Field

from w2s.config.schema import Positive, Seed, Strict
from w2s.errors import UserError


@dataclass(frozen=True, slots=True)
class Attribute:
    """One thing every person has: how it is stated, asked with yes or no, and asked openly."""

    statement: str
    closed: str
    open: str
    values: tuple[str, ...]


ATTRIBUTES = (
    Attribute(
        "{} lives in {}.",
        "does {} live in {}",
        "Where does {} live?",
        ("Arden", "Belmar", "Corvo", "Dunmore", "Elstow", "Farley", "Girona", "Hexham"),
    ),
    Attribute(
        "{} eats {}.",
        "does {} eat {}",
        "What does {} eat?",
        ("apples", "beans", "carrots", "dates", "eggs", "figs", "grapes", "honey"),
    ),
    Attribute(
        "{} works as a {}.",
        "does {} work as a {}",
        "What does {} work as?",
        ("baker", "carpenter", "doctor", "farmer", "guard", "hunter", "mason", "weaver"),
    ),
    Attribute(
        "{} keeps a {}.",
        "does {} keep a {}",
        "What does {} keep?",
        ("cat", "dog", "goat", "horse", "owl", "parrot", "rabbit", "snake"),
    ),
    Attribute(
        "{} wears {}.",
        "does {} wear {}",
        "What does {} wear?",
        ("black", "blue", "brown", "green", "purple", "red", "white", "yellow"),
    ),
)
THINGS = ("boats", "books", "chess", "drums", "maps", "rain", "songs", "stars")
NOUNS = ("bridge", "garden", "lamp", "letter", "stone", "table", "tower", "wagon")
SUBJECTS = ("food", "music", "house", "story", "journey", "market", "play", "view")
SYLLABLES = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "en", "or", "il")]


class WorldSize(Strict):
    """How much there is to know."""

    seed: Seed = 0
    people: Positive = 80
    adjectives: Positive = 160
    verbs: Positive = 140
    deeds: Positive = 160
    nouns: Positive = 140
    zipf: float = Field(1.0, ge=0)  # frequency ~ rank ** -zipf in the corpus


class World:
    """Every fact there is, drawn once from the seed. Lists are ordered by rank, the most frequent first."""

    def __init__(self, size: WorldSize) -> None:
        rng = random.Random(f"world-{size.seed}")
        words = iter(_new_words(rng, size))

        def some(count: int) -> list[str]:
            return [next(words) for _ in range(count)]

        self.size = size
        self.people = [name.capitalize() for name in some(size.people)]
        self.values = {p: [rng.choice(a.values) for a in ATTRIBUTES] for p in self.people}
        self.likes = {p: frozenset(rng.sample(THINGS, 3)) for p in self.people}
        self.praising = _sides(rng, some(size.adjectives))
        self.transitive = _sides(rng, some(size.verbs))
        self.kind = _sides(rng, some(size.deeds))
        self.living = _sides(rng, some(size.nouns))
        self.ambiguous = some(size.nouns)


def _new_words(rng: random.Random, size: WorldSize) -> list[str]:
    wanted = size.people + size.adjectives + size.verbs + size.deeds + 2 * size.nouns
    if wanted > len(SYLLABLES) ** 2 // 2:
        raise UserError(f"world: {wanted} words requested, but only {len(SYLLABLES) ** 2 // 2} exist")
    words: dict[str, None] = {}
    while len(words) < wanted:
        words[rng.choice(SYLLABLES) + rng.choice(SYLLABLES)] = None
    return list(words)


def _sides(rng: random.Random, items: list[str]) -> dict[str, bool]:
    """A coin for each item, exactly one head in every two neighbours, so that rank says nothing."""
    sides: dict[str, bool] = {}
    for first, second in zip(items[::2], items[1::2], strict=False):
        sides[first] = rng.random() < 0.5
        sides[second] = not sides[first]
    return sides
