"""The micro-world: a small invented world from which the default experiment takes its data and corpus.

A seed draws people with attributes, things they like, adjectives that praise or blame, verbs, deeds and
words with two senses. All are known through *frequency*: the r-th person (adjective, verb, ...) turns up in
the corpus in proportion to ``r ** -zipf``, so small models learn the frequent facts and large ones the rare
ones too. Two things are drawn from a world:

* ``rows(world, task)``: rows in the *raw hub schema* of a data set, whose answers follow from the world;
* ``corpus(world, ...)``: documents that state the facts, and solved questions in the tasks' own layouts, so
  that pretraining leaves latent what finetuning elicits.

From there on the smoke experiment takes the same code as real data.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

from w2s.errors import UserError, allowed
from w2s.microworld import ATTRIBUTES, NOUNS, SUBJECTS, THINGS, World

Row = dict[str, Any]
Fact = tuple[Any, ...]


# -- what can be known, and how it is stated ---------------------------------------------------------------


def _attributes(world: World) -> list[Fact]:
    return [(person, index) for person in world.people for index in range(len(ATTRIBUTES))]


def _state_attribute(world: World, fact: Fact, rng: random.Random) -> str:
    person, index = fact
    return ATTRIBUTES[index].statement.format(person, world.values[person][index])


def _wrong_value(world: World, fact: Fact, rng: random.Random) -> str:
    person, index = fact
    return rng.choice([v for v in ATTRIBUTES[index].values if v != world.values[person][index]])


def _other_fact(world: World, fact: Fact, rng: random.Random) -> str:
    """Something true of the same person that does not give the answer away."""
    person, index = fact
    other = rng.choice([i for i in range(len(ATTRIBUTES)) if i != index])
    return _state_attribute(world, (person, other), rng)


# -- one row a question, in the schema of the data set that it imitates ------------------------------------


def _boolq(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    passage = _other_fact(world, fact, rng)
    values = {True: world.values[person][index], False: _wrong_value(world, fact, rng)}
    return [
        {"passage": passage, "question": ATTRIBUTES[index].closed.format(person, value), "answer": answer}
        for answer, value in values.items()
    ]


def _sciq(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    right = world.values[person][index]
    wrong = rng.sample([v for v in ATTRIBUTES[index].values if v != right], 3)
    distractors = {f"distractor{i + 1}": value for i, value in enumerate(wrong)}
    question = ATTRIBUTES[index].open.format(person)
    return [{"question": question, **distractors, "correct_answer": right, "support": ""}]


def _dream(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    right = world.values[person][index]
    choice = [right, *rng.sample([v for v in ATTRIBUTES[index].values if v != right], 2)]
    rng.shuffle(choice)
    return [
        {
            "id": 0,
            "dialogue_id": f"{person}-{index}",
            "dialogue": [f"M: Do you know {person}?", f"W: Yes. {_other_fact(world, fact, rng)}"],
            "question": ATTRIBUTES[index].open.format(person),
            "choice": choice,
            "answer": right,
        }
    ]


def _anli(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    statement = ATTRIBUTES[index].statement
    right = statement.format(person, world.values[person][index])
    wrong = statement.format(person, _wrong_value(world, fact, rng))
    row = {"uid": f"{person}-{index}", "premise": _other_fact(world, fact, rng), "reason": ""}
    return [row | {"hypothesis": right, "label": 0}, row | {"hypothesis": wrong, "label": rng.choice((1, 2))}]


def _four(world: World, fact: Fact, rng: random.Random) -> tuple[list[str], int]:
    """(four values in random order, the number of the right one)."""
    person, index = fact
    right = world.values[person][index]
    values = [right, *rng.sample([v for v in ATTRIBUTES[index].values if v != right], 3)]
    rng.shuffle(values)
    return values, values.index(right)


def _cosmos_qa(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    values, right = _four(world, fact, rng)
    answers = {f"answer{number}": value for number, value in enumerate(values)}
    question = {"context": _other_fact(world, fact, rng), "question": ATTRIBUTES[index].open.format(person)}
    return [{"id": f"{person}-{index}", **question, **answers, "label": right}]


def _quail(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    values, right = _four(world, fact, rng)
    key = f"{person}-{index}"
    source = {"domain": "news", "metadata": {"author": "", "title": person, "url": ""}, "question_type": "Factual"}
    asked = {"context": _other_fact(world, fact, rng), "question": ATTRIBUTES[index].open.format(person)}
    ids = {"id": f"{key}_0", "context_id": key, "question_id": "0"}
    return [{**ids, **source, **asked, "answers": values, "correct_answer_id": right}]


def _openbookqa(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    values, right = _four(world, fact, rng)
    choices = {"text": values, "label": list("ABCD")}
    return [{"id": f"{person}-{index}", "question_stem": _begin(fact), "choices": choices, "answerKey": "ABCD"[right]}]


def _begin(fact: Fact) -> str:
    """ "Mira lives in", to be completed."""
    person, index = fact
    return ATTRIBUTES[index].statement.partition("{}.")[0].format(person).strip()


def _hellaswag(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    values, right = _four(world, fact, rng)
    verb = _begin(fact).removeprefix(f"{person} ")
    before = _other_fact(world, fact, rng)
    scene = {"activity_label": "People", "ctx_a": before, "ctx_b": person, "ctx": f"{before} {person}"}
    source = {"source_id": f"world~{person}-{index}", "split": "train", "split_type": "indomain", "ind": 0}
    return [{**scene, **source, "endings": [f"{verb} {value}." for value in values], "label": str(right)}]


def _mc_taco(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    person, index = fact
    values, right = _four(world, fact, rng)
    asked = {"sentence": _other_fact(world, fact, rng), "question": ATTRIBUTES[index].open.format(person)}
    return [
        asked | {"answer": value, "label": int(number == right), "category": 4} for number, value in enumerate(values)
    ]


def _likes(world: World) -> list[Fact]:
    return [(person,) for person in world.people]


def _state_likes(world: World, fact: Fact, rng: random.Random) -> str:
    first, second, third = rng.sample(sorted(world.likes[fact[0]]), 3)
    return f"{fact[0]} likes {first}, {second} and {third}."


def _multirc(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (person,) = fact
    paragraph, number = _always_the_same(world, person, rng), world.people.index(person)
    return [
        {
            "paragraph": paragraph,
            "question": f"What does {person} like?",
            "answer": thing,
            "idx": {"paragraph": number, "question": number, "answer": i},
            "label": int(thing in world.likes[person]),
        }
        for i, thing in enumerate(THINGS)
    ]


def _always_the_same(world: World, person: str, rng: random.Random) -> str:
    """One fact about a person, the same each time, so that all questions about what they like share it."""
    return _state_attribute(world, (person, world.people.index(person) % len(ATTRIBUTES)), rng)


def _liked_and_not(world: World, person: str) -> tuple[list[str], list[str]]:
    liked = world.likes[person]
    return sorted(liked), [thing for thing in THINGS if thing not in liked]


def _social_i_qa(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (person,) = fact
    liked, others = _liked_and_not(world, person)
    context = _always_the_same(world, person, rng)
    rows = []
    for thing in liked:
        answers = [thing, *rng.sample(others, 2)]
        rng.shuffle(answers)
        named = dict(zip(("answerA", "answerB", "answerC"), answers, strict=True))
        asked = {"context": context, "question": f"What would {person} like?"}
        rows.append({**asked, **named, "label": str(answers.index(thing) + 1)})
    return rows


def _piqa(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (person,) = fact
    liked, others = _liked_and_not(world, person)
    rows = []
    for thing in liked:
        label = rng.randrange(2)
        solutions = [f"bring {thing}", f"bring {rng.choice(others)}"]
        first, second = solutions if label == 0 else reversed(solutions)
        rows.append({"goal": f"please {person}", "sol1": first, "sol2": second, "label": label})
    return rows


def _twitter_sentiment(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (person,) = fact
    feelings = [(f"{person} got {thing} today", 2 if thing in world.likes[person] else 0) for thing in THINGS]
    return [{"text": text, "label": label} for text, label in [*feelings, (f"{person} is here today", 1)]]


def _adjectives(world: World) -> list[Fact]:
    return [(adjective,) for adjective in world.praising]


def _state_adjective(world: World, fact: Fact, rng: random.Random) -> str:
    verdict = "loved" if world.praising[fact[0]] else "hated"
    return f"The {rng.choice(SUBJECTS)} was {fact[0]} and we {verdict} it."


def _sst2(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (adjective,) = fact
    return [
        {"idx": 0, "sentence": f"it was so {adjective} at the {subject} ", "label": int(world.praising[adjective])}
        for subject in rng.sample(SUBJECTS, 5)
    ]


def _paws(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    """A word that praises means the same as love; the second sentence is always that."""
    (adjective,) = fact
    return [
        {
            "id": 0,
            "sentence1": f"The {subject} was {adjective}.",
            "sentence2": f"We loved this {adjective} {subject}.",
            "label": int(world.praising[adjective]),
        }
        for subject in rng.sample(SUBJECTS, 5)
    ]


def _adjective_pairs(world: World) -> list[Fact]:
    return list(_neighbours(world.praising))


def _neighbours(sides: dict[str, bool]) -> Iterator[tuple[str, str]]:
    """(the one that is true, the one that is not) of every two neighbours (see ``_sides``)."""
    names = list(sides)
    for first, second in zip(names[::2], names[1::2], strict=False):
        yield (first, second) if sides[first] else (second, first)


def _state_one_of(world: World, fact: Fact, rng: random.Random) -> str:
    return _state_adjective(world, (rng.choice(fact),), rng)


def _ethics_utilitarianism(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    """The event without a place is the better one in half of the pairs, always the same ones."""
    good, bad = fact
    short_is_good = random.Random(good).random() < 0.5
    rows = []
    for place in rng.sample(SUBJECTS, 5):
        better, worse = (f"It was {good}", f"It was {bad} at the {place}")
        if not short_is_good:
            better, worse = (f"It was {good} at the {place}", f"It was {bad}")
        rows.append({"baseline": f"{better}.", "less_pleasant": f"{worse}."})
    return rows


def _verbs(world: World) -> list[Fact]:
    return [(verb,) for verb in world.transitive]


def _state_verb(world: World, fact: Fact, rng: random.Random) -> str:
    return _sentence(world, fact[0], world.transitive[fact[0]], rng)


def _sentence(world: World, verb: str, with_object: bool, rng: random.Random) -> str:
    person = rng.choice(world.people)
    return f"{person} {verb}s the {rng.choice(NOUNS)}." if with_object else f"{person} {verb}s often."


def _cola(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (verb,) = fact
    return [
        {
            "sentence": _sentence(world, verb, with_object, rng),
            "label": int(with_object == world.transitive[verb]),
            "idx": 0,
        }
        for with_object in (True, False) * 3
    ]


def _deeds(world: World) -> list[Fact]:
    return [(deed,) for deed in world.kind]


def _state_deed(world: World, fact: Fact, rng: random.Random) -> str:
    return f"It is {'kind' if world.kind[fact[0]] else 'cruel'} to {fact[0]} a {rng.choice(('friend', 'child'))}."


def _ethics_justice(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (deed,) = fact
    return [
        {
            "label": int(world.kind[deed]),
            "scenario": f"I thank people who {deed} {whom} {when}.",
        }
        for whom in ("me", "us")
        for when in ("often", "today", "here")
    ]


def _ethics_deontology(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    """An excuse is valid if it says what the deed is."""
    (deed,) = fact
    return [
        {
            "scenario": f"Will you {deed} people?",
            "excuse": f"{'Yes' if kind else 'No'}, because it is {'kind' if kind else 'cruel'} to {whom}.",
            "label": int(world.kind[deed] == kind),
        }
        for kind in (True, False)
        for whom in ("friends", "children", "me")
    ]


VIRTUES = (("kind", "caring", "gentle"), ("cruel", "harsh", "mean"))


def _ethics_virtue(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    (deed,) = fact
    shown = VIRTUES[0] if world.kind[deed] else VIRTUES[1]
    return [
        {"label": int(trait in shown), "scenario": f"They {deed} people. [SEP] {trait}"}
        for traits in VIRTUES
        for trait in traits
    ]


def _nouns(world: World) -> list[Fact]:
    return list(zip(world.living, world.ambiguous, strict=False))


def _state_noun(world: World, fact: Fact, rng: random.Random) -> str:
    noun, _ = fact
    return f"The {noun} {rng.choice(('sleeps', 'eats')) if world.living[noun] else rng.choice(('breaks', 'rusts'))}."


def _wic(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    """A word like "neck" means one thing of an animal and another of a thing; the first is an animal's."""
    noun, word = fact
    return [
        {
            "word": word,
            "sentence1": f"The {word} of the {animal}.",
            "sentence2": f"The {word} of the {noun}.",
            "idx": 0,
            "label": int(world.living[noun]),
        }
        for animal in rng.sample(("cat", "dog", "goat", "horse", "owl", "parrot", "rabbit", "snake"), 6)
    ]


def _noun_pairs(world: World) -> list[Fact]:
    return list(_neighbours(world.living))


def _state_one_noun(world: World, fact: Fact, rng: random.Random) -> str:
    return _state_noun(world, (rng.choice(fact), ""), rng)


def _quartz(world: World, fact: Fact, rng: random.Random) -> list[Row]:
    """Which of two things is alive? Living things sleep and eat, others break and rust."""
    living, lifeless = fact
    both = [living, lifeless]
    rng.shuffle(both)
    paragraph = f"One of {both[0]} and {both[1]} is alive."
    choices = {"text": both, "label": ["A", "B"]}
    annotations: Row = {"para_anno": {"cause_prop": "life"}, "question_anno": {"more_cause_prop": "life"}}
    return [
        {
            "id": f"{living}-{verb}",
            "question": f"Which one {verb}?",
            "choices": choices,
            "answerKey": "AB"[both.index(living if verb in ("sleeps", "eats") else lifeless)],
            "para": paragraph,
            "para_id": living,
            **annotations,
        }
        for verb in ("sleeps", "eats", "breaks", "rusts")
    ]


@dataclass(frozen=True, slots=True)
class Topic:
    """A kind of fact: which there are (by rank), how one is stated, and the rows that ask it.

    weight: its share of the corpus, relative to others. Facts about single words are easily learned.
    """

    facts: Callable[[World], list[Fact]]
    statement: Callable[[World, Fact, random.Random], str]
    rows: Callable[[World, Fact, random.Random], list[Row]]
    weight: float = 1.0


TOPICS: dict[str, Topic] = {
    "boolq": Topic(_attributes, _state_attribute, _boolq, 0.6),
    "sciq": Topic(_attributes, _state_attribute, _sciq, 0.6),
    "dream": Topic(_attributes, _state_attribute, _dream, 0.6),
    "anli": Topic(_attributes, _state_attribute, _anli, 0.6),
    "cosmos_qa": Topic(_attributes, _state_attribute, _cosmos_qa, 0.4),
    "quail": Topic(_attributes, _state_attribute, _quail, 0.4),
    "openbookqa": Topic(_attributes, _state_attribute, _openbookqa, 0.4),
    "hellaswag": Topic(_attributes, _state_attribute, _hellaswag, 0.4),
    "mc_taco": Topic(_attributes, _state_attribute, _mc_taco, 0.4),
    "multirc": Topic(_likes, _state_likes, _multirc, 0.4),
    "social_i_qa": Topic(_likes, _state_likes, _social_i_qa, 0.25),
    "piqa": Topic(_likes, _state_likes, _piqa, 0.25),
    "twitter_sentiment": Topic(_likes, _state_likes, _twitter_sentiment, 0.25),
    "sst2": Topic(_adjectives, _state_adjective, _sst2, 0.3),
    "paws": Topic(_adjectives, _state_adjective, _paws, 0.25),
    "ethics_utilitarianism": Topic(_adjective_pairs, _state_one_of, _ethics_utilitarianism, 0.25),
    "cola": Topic(_verbs, _state_verb, _cola, 0.3),
    "ethics_justice": Topic(_deeds, _state_deed, _ethics_justice, 0.3),
    "ethics_deontology": Topic(_deeds, _state_deed, _ethics_deontology, 0.25),
    "ethics_virtue": Topic(_deeds, _state_deed, _ethics_virtue, 0.25),
    "wic": Topic(_nouns, _state_noun, _wic, 0.35),
    "quartz": Topic(_noun_pairs, _state_one_noun, _quartz, 0.3),
}


def rows(world: World, task: str, *, test_share: float = 0.25) -> dict[str, list[Row]]:
    """``{"train": rows, "test": rows}`` of one data set; no person, adjective, ... is asked about on both sides."""
    if task not in TOPICS:
        raise UserError(f"task {task!r}: the micro-world has no such data set; {allowed(task, TOPICS)}")
    topic, rng = TOPICS[task], random.Random(f"rows-{world.size.seed}-{task}")
    facts = topic.facts(world)
    subjects = list(dict.fromkeys(fact[0] for fact in facts))
    tested = set(rng.sample(subjects, round(test_share * len(subjects))))
    split: dict[str, list[Row]] = {"train": [], "test": []}
    for fact in facts:
        split["test" if fact[0] in tested else "train"] += topic.rows(world, fact, rng)
    return split


def corpus(
    world: World,
    documents: int,
    *,
    solve: Callable[[str, Row], list[tuple[str, int]]],
    answers: tuple[str, str],
    statements: float = 0.3,
) -> Iterator[str]:
    """Documents for pretraining: a share of plain statements, the rest solved questions.

    solve: (task, row) -> the task's texts with their labels, that is, its formatter.
    answers: the words for label 0 and 1 that close a solved question (with their leading space).
    """
    rng = random.Random(f"corpus-{world.size.seed}")
    names = list(TOPICS)
    shares = [TOPICS[name].weight for name in names]
    facts = {name: TOPICS[name].facts(world) for name in names}
    weights = {
        name: list(accumulate((rank + 1) ** -world.size.zipf for rank in range(len(facts[name])))) for name in names
    }
    for _ in range(documents):
        (name,) = rng.choices(names, shares)
        fact = rng.choices(facts[name], cum_weights=weights[name])[0]
        if rng.random() < statements:
            yield TOPICS[name].statement(world, fact, rng)
            continue
        texts: tuple[list[str], list[str]] = ([], [])
        for row in TOPICS[name].rows(world, fact, rng):
            for text, label in solve(name, row):
                texts[label].append(text)
        label = rng.choice([label for label in (0, 1) if texts[label]])
        yield rng.choice(texts[label]) + answers[label]
