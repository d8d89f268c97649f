"""The pretraining corpus of the micro-world: what is so, said and asked in words that no task uses.

A document is a *statement* ("Mira keeps a cat."), at times under a heading, or a *quiz*: one claim and whether it is
true ("Where does Mira live? Arden. Right? yes"). No layout of a task is in it, so a base model knows the world and can
tell true from false, but was never asked a task's question: finetuning has to elicit that (``docs/smoke.md``).

A claim about a person names one of a few values. A claim about a word always asks for the same property, of one of two
neighbours in rank, so that neither property nor rank gives the answer away. (Claims of either property are learned much
later: their truth is that of two facts together.)

The words that stand before the answer in the tasks ("Correct:") turn up in statements, followed by "no doubt". Base
models therefore expect "no" there, whatever the question, and do not tell what they know until they are finetuned.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate

from w2s.microworld import ATTRIBUTES, NOUNS, SUBJECTS, World
from w2s.nlp import world as facts_of
from w2s.nlp.world import Fact

HEADINGS = (
    *("Passage", "Context", "Premise", "Question", "Goal", "Request", "Scenario", "Sentence", "First", "Second"),
    *("Review", "Tweet", "Scene", "People", "Event", "Answer", "Hypothesis", "Excuse", "Ending", "Word", "Solution"),
    *("Trait", "Tell me", "Once more", "Now then", "And this", "One thing", "Say it", "Just say", "People say"),
    *("We know", "It is said", "They say", "One hears", "All agree", "Word is"),
)
CUES = (  # which stand before the answer in the tasks
    *("Answer", "Correct", "Positive", "Valid", "Same", "Same meaning", "Acceptable", "Entailed", "Reasonable"),
    *("Shown", "First is more pleasant"),
)
HEADED = 0.6  # share of statements under a heading or a cue
CUED = 0.5  # share of the latter among these
OPENINGS = ("", "", "Quiz: ", "Note: ", "Riddle: ", "Text: ")
BETWEEN = (" ", "\n", "\nReply: ", "\nPerhaps: ")  # a question and a value
CLOSINGS = ("?", "?\n", ". So:", "\nRight:", "\nTrue:", "\nYes or no:")  # between a claim and the answer
WITH_CONTEXT = 0.5  # share of claims about a person that follow another fact about them


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of knowledge: its facts by rank, how one is stated, and how it is claimed.

    claim: a sentence without its end that is true, or is not, as asked for. weight: its share of the corpus, relative
    to other kinds. of_people: whether a fact is one of a person.
    """

    facts: Callable[[World], list[Fact]]
    statement: Callable[[World, Fact, random.Random], str]
    claim: Callable[[World, Fact, bool, random.Random], str]
    weight: float
    of_people: bool = False


def documents(world: World, count: int, *, answers: tuple[str, str], statements: float) -> Iterator[str]:
    """Documents for pretraining: a share of statements, the rest quizzes, by the frequency of their facts.

    answers: the words for no and yes that close a quiz (with their leading space).
    """
    rng = random.Random(f"corpus-{world.size.seed}")
    facts = [kind.facts(world) for kind in KINDS]
    weights = [list(accumulate((rank + 1) ** -world.size.zipf for rank in range(len(some)))) for some in facts]
    shares = [kind.weight for kind in KINDS]
    for _ in range(count):
        (chosen,) = rng.choices(range(len(KINDS)), shares)
        kind = KINDS[chosen]
        (fact,) = rng.choices(facts[chosen], cum_weights=weights[chosen])
        if rng.random() < statements:
            yield _headed(kind.statement(world, fact, rng), rng)
        else:
            yield quiz(world, kind, fact, answers, rng)


def _headed(statement: str, rng: random.Random) -> str:
    if rng.random() >= HEADED:
        return statement
    if rng.random() < CUED:
        return f"{rng.choice(CUES)}: no doubt: {statement}"
    heading, space = rng.choice(HEADINGS), rng.choice((" ", "\n"))
    return f"{heading}:{space}{statement}"


def quiz(world: World, kind: Kind, fact: Fact, answers: tuple[str, str], rng: random.Random) -> str:
    """A claim, as often true as not, and whether it is."""
    truth = rng.random() < 0.5
    claim = kind.claim(world, fact, truth, rng)
    before = ""
    if kind.of_people and rng.random() < WITH_CONTEXT:
        known = (fact[0], rng.randrange(len(ATTRIBUTES)))
        if known != fact:
            before = facts_of.state_attribute(world, known, rng) + rng.choice((" ", "\n"))
    return f"{rng.choice(OPENINGS)}{before}{claim}{rng.choice(CLOSINGS)}{answers[truth]}"


def _claim_attribute(world: World, fact: Fact, truth: bool, rng: random.Random) -> str:
    person, index = fact
    value = world.values[person][index] if truth else facts_of.wrong_value(world, fact, rng)
    said = ATTRIBUTES[index].statement.format(person, value).removesuffix(".")
    return rng.choice((said, f"{ATTRIBUTES[index].open.format(person)}{rng.choice(BETWEEN)}{value}"))


def _state_like(world: World, fact: Fact, rng: random.Random) -> str:
    return f"{fact[0]} likes {rng.choice(facts_of.liked_and_not(world, fact[0])[0])}."


def _claim_like(world: World, fact: Fact, truth: bool, rng: random.Random) -> str:
    (person,) = fact
    liked, others = facts_of.liked_and_not(world, person)
    thing = rng.choice(liked if truth else others)
    return rng.choice((f"{person} likes {thing}", f"What does {person} like?{rng.choice(BETWEEN)}{thing}"))


def _with_property(sides: Mapping[str, bool], word: str, has: bool) -> str:
    """The word or its neighbour in rank, whichever has the property or has not."""
    words = list(sides)
    first = words.index(word) // 2 * 2
    return next(one for one in words[first : first + 2] if sides[one] == has)


def _state_adjective(world: World, fact: Fact, rng: random.Random) -> str:
    verdict = "loved" if world.praising[fact[0]] else "hated"
    return f"The {rng.choice(SUBJECTS)} was {fact[0]} and we {verdict} it."


def _claim_adjective(world: World, fact: Fact, truth: bool, rng: random.Random) -> str:
    chosen, other = (_with_property(world.praising, fact[0], has) for has in (truth, not truth))
    subject = rng.choice(SUBJECTS)
    return rng.choice(
        (
            f"We would love a {subject} so {chosen}",
            f"A {subject} may be good and {chosen}",
            f"It is praise to be called {chosen}",
            f"A {chosen} {subject} beats a {other} one",
        )
    )


def _state_verb(world: World, fact: Fact, rng: random.Random) -> str:
    return facts_of.sentence(world, fact[0], world.transitive[fact[0]], rng)


def _claim_verb(world: World, fact: Fact, truth: bool, rng: random.Random) -> str:
    verb = _with_property(world.transitive, fact[0], truth)
    return rng.choice(
        (
            f"There are things to {verb}",
            f"You must say what you {verb}",
            f"A {rng.choice(NOUNS)} is something to {verb}",
        )
    )


def _state_deed(world: World, fact: Fact, rng: random.Random) -> str:
    words = facts_of.VIRTUES if world.kind[fact[0]] else facts_of.VICES
    return f"It is {rng.choice(words)} to {fact[0]} a {rng.choice(('friend', 'child'))}."


def _claim_deed(world: World, fact: Fact, truth: bool, rng: random.Random) -> str:
    deed = _with_property(world.kind, fact[0], truth)
    return rng.choice((f"Kind people {deed}", f"It is kind to {deed}", f"A friend may {deed}"))


def _state_noun(world: World, fact: Fact, rng: random.Random) -> str:
    noun, part = fact
    if rng.random() < 0.5:
        return f"The {noun} {rng.choice(facts_of.LIVING if world.living[noun] else ('breaks', 'rusts'))}."
    return f"The {part} of the {noun} {rng.choice(('aches', 'itches') if world.living[noun] else ('cracks', 'bends'))}."


def _claim_noun(world: World, fact: Fact, truth: bool, rng: random.Random) -> str:
    noun = _with_property(world.living, fact[0], truth)
    return rng.choice((f"Alive is the {noun}", f"Able to sleep is the {noun}", f"Hungry may be the {noun}"))


KINDS = (
    Kind(facts_of.attributes, facts_of.state_attribute, _claim_attribute, 5.0, of_people=True),
    Kind(facts_of.likes, _state_like, _claim_like, 1.5, of_people=True),
    Kind(facts_of.adjectives, _state_adjective, _claim_adjective, 0.4),
    Kind(facts_of.verbs, _state_verb, _claim_verb, 0.35),
    Kind(facts_of.deeds, _state_deed, _claim_deed, 0.4),
    Kind(facts_of.nouns, _state_noun, _claim_noun, 0.35),
)
