"""What must stay on one side of every split: variants of one scenario, phrases of one review, spellings of one text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest

from w2s.errors import UserError
from w2s.nlp.build import PARTS, Examples, _components, build
from w2s.nlp.config import Sizes
from w2s.nlp.formatters import Candidate, plain
from w2s.nlp.task import Task
from w2s.nlp.tasks import TASKS

SIZES = Sizes(validation_share=0.2, test_share=0.2)


def groups_of(task: str, rows: Iterable[dict[str, Any]]) -> list[str]:
    """Row -> the name of its group, after ties; rows are told apart by their order in the text."""
    made = [TASKS[task].formatter(row)[0] for row in rows]
    home = _components(made)
    return [home[one.group] for one in made]


def justice(*scenarios: str) -> list[str]:
    return groups_of("ethics_justice", [{"scenario": one, "label": 1} for one in scenarios])


def test_justice_variants_share_the_claim_or_the_reason() -> None:
    claim = "My aunt ought to bring me soup tonight"
    one, two, three, other = justice(
        f"{claim} because I have a cold.",
        f"{claim}, but I am in another town.",
        "I asked the nurse to stay because I have a cold",
        "My aunt ought to bring me a horse because she has a farm.",  # the same first five words
    )
    assert one == two == three != other


def test_justice_scenarios_without_a_reason_share_their_first_words() -> None:
    one, two, other = justice(
        "I help my brother with his garden every week, now he asked for more.",
        "I help my brother with his garden every month and he thanked me.",
        "I help my brother with his homework, and he thanked me.",
    )
    assert one != other
    assert justice(*(f"I help my brother with his garden every {when}" for when in ("day", "week")))[0] != other
    assert two != other


def sst2(*sentences: str) -> list[str]:
    return groups_of("sst2", [{"sentence": one, "label": 1} for one in sentences])


def test_phrases_of_one_review_that_begin_or_end_alike_stay_together() -> None:
    whole = "a slow and tender portrait of two brothers who lose their farm in one winter"
    words = whole.split()
    groups = sst2(whole, " ".join(words[:8]), " ".join(words[5:]), "a slow and tender tale of the sea", "in one winter")
    assert groups[0] == groups[1] == groups[2]
    assert len({groups[0], groups[3], groups[4]}) == 3


@pytest.mark.parametrize("other", ["A Fine film .", "a fine film", "a fine, film!", "a  fine film"])
def test_texts_that_differ_in_case_or_punctuation_are_one_group(other: str) -> None:
    first, second, third = sst2("a fine film", other, "a fine farm")
    assert first == second != third


def test_a_text_without_words_is_its_own_group() -> None:
    assert plain("?!") == "?!"
    assert plain("Straße, 3rd") == plain("STRASSE 3RD")


SPELLINGS = [
    ("a caf\u00e9 of mine", "a cafe\u0301 of mine"),
    ("the caf\u00e9s", "the cafe\u0301s"),
    ("a na\u00efve film", "a naive film"),
    ("we don\u2019t", "we don't"),
    ("we don\u02bct", "we don't"),
    ("to co\u00adoperate", "to cooperate"),
    ("\uff21 \uff46\uff49\uff4e\uff45 film", "a fine film"),
    ("\u0130stanbul", "istanbul"),
    ("\u2764\ufe0f a film", "a film"),
    ("\u201ca film\u201d\u2014good\u2026", "a film good"),
    ("\u0915\u093f\u0924\u093e\u092c\u0964", "\u0915\u093f\u0924\u093e\u092c"),
]


@pytest.mark.parametrize(("one", "other"), SPELLINGS)
def test_accents_and_unicodes_punctuation_do_not_tell_groups_apart(one: str, other: str) -> None:
    home = _components([Candidate(group, group, group, 1) for group in (one, other, "an other film")])
    assert home[one] == home[other] != home["an other film"]


def test_marks_of_other_scripts_are_letters() -> None:
    """Vowels of Hindi: words that differ in them alone are strangers, under any name."""
    words = ["\u0915\u093f", "\u0915\u093e", "\u0915\u0941"]
    assert len(set(_components([Candidate(word, word, word, 1) for word in words]).values())) == 3


def built(rows: list[dict[str, Any]], sizes: Sizes = SIZES, seed: int = 0) -> Examples:
    task = Task(
        "plain", "Plain", lambda row: [Candidate(row["group"], row["group"], row["text"], row["label"])], (), "p"
    )
    return build(task, {"train": rows}, sizes, seed)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("positive", [0.35, 0.5, 0.7])
def test_every_part_is_balanced_and_halves_are_of_one_size(positive: float, seed: int) -> None:
    """Groups of one to four examples, mostly of one class each."""
    rows = [
        {"group": f"g{n // (n % 4 + 1)}", "text": f"text {n}", "label": int((n * 7919 % 1000) / 1000 < positive)}
        for n in range(1200)
    ]
    parts = built(rows, seed=seed).parts
    assert len(parts["weak"]) == len(parts["strong"])
    for name in PARTS:
        assert 0.45 <= sum(one.label for one in parts[name]) / len(parts[name]) <= 0.55


def test_students_see_as_many_examples_as_their_ceilings_and_none_is_lost() -> None:
    parts = built([{"group": str(n), "text": f"text {n}", "label": n % 2} for n in range(1000)]).parts
    assert {name: len(parts[name]) for name in PARTS} == {"weak": 360, "strong": 360, "validation": 80, "test": 200}


@pytest.mark.parametrize("seed", range(3))
def test_the_same_text_in_several_groups_is_one_example_or_none(seed: int) -> None:
    """A formatter that makes each row its own group, and rows that are there twice, some with the other label."""
    rows = [{"group": str(n), "text": f"text {n % 300}", "label": n % 2} for n in range(600)]
    rows += [{"group": f"{n} again", "text": f"text {n}", "label": 1 - n % 2} for n in range(20)]
    made = built(rows, seed=seed)
    texts = [one.text for name in PARTS for one in made.parts[name]]
    assert len(texts) == len(set(texts))
    assert not {f"text {n}" for n in range(20)} & set(texts)
    train = made.counts["train"]
    assert (train["candidates"], train["duplicates_dropped"], train["contradictions_dropped"]) == (620, 320, 20)
    assert train["examples"] == 280


def test_groups_that_share_a_text_are_one_and_stay_out_of_training_if_one_is_tested() -> None:
    """The same dialogue under two ids, with other questions to each."""
    rows = [{"group": f"g{n // 2}", "text": f"text {n}", "label": n % 2} for n in range(400)]
    tested = [{"group": f"t{n // 2}", "text": f"text {n}" if n < 40 else f"t {n}", "label": n % 2} for n in range(99)]
    task = Task("plain", "Plain", lambda row: [Candidate(row["group"], "", row["text"], row["label"])], (), "p")
    made = build(task, {"train": rows, "test": [row for row in tested if row["text"] != "text 1"]}, SIZES, 0)
    assert made.counts["training_examples_of_a_test_group_dropped"] == 40
    assert not {f"text {n}" for n in range(40)} & {one.text for name in PARTS[:3] for one in made.parts[name]}


def refusal(rows: list[dict[str, Any]]) -> str:
    with pytest.raises(UserError) as refused:
        built(rows)
    return str(refused.value)


@pytest.mark.parametrize("seed", range(4))
def test_a_group_that_holds_most_of_the_examples_is_named(seed: int) -> None:
    """Never a half of 200 beside one of 20, whatever the seed."""
    rows = [{"group": "g" if n < 700 else str(n), "text": f"text {n}", "label": n % 2} for n in range(1000)]
    with pytest.raises(UserError, match=r"task 'plain': halves: the group 'g' holds 7\d% of the \d+ examples"):
        built(rows, Sizes(validation_share=0.1, test_share=0.05), seed)


def test_examples_of_one_class_are_refused_as_such() -> None:
    rows = [{"group": str(n), "text": f"text {n}", "label": 1} for n in range(50)]
    said = refusal(rows)
    assert "all 50 training examples (of 50 groups, which are never split) have label 1; both are needed" in said


def test_too_few_rows_are_refused_as_such() -> None:
    assert "no training examples are left" in refusal([])
    few = [{"group": str(n), "text": f"text {n}", "label": n % 2} for n in range(6)]
    for some in (few[:4], few):
        assert re.search(r"(only 1|no) \w+ examples? (is|are) left; it needs more rows", refusal(some))


@pytest.mark.parametrize("yields", [False, True])
def test_either_training_or_the_test_set_loses_what_is_tied_to_the_other(yields: bool) -> None:
    """Phrases that begin alike are one group; it takes its name from the least of all of them."""

    def row(number: int, end: str) -> dict[str, Any]:
        words = [f"{number}{letter}" for letter in ("begin", *"abcdefg", *(end + letter for letter in "hijklmn"))]
        return {"sentence": " ".join(words), "label": number % 2}

    rows = {
        "train": [row(number, "x") for number in range(60)],
        "test": [row(number, "y") for number in range(40, 80)],
    }
    built = build(TASKS["sst2"], rows, SIZES, 0, test_yields=yields)
    trained, tested = (
        {re.findall(r"\d+(?=begin)", example.text)[0] for part in parts for example in built.parts[part]}
        for parts in (("weak", "strong", "validation"), ("test",))
    )
    assert not trained & tested
    tied = set(map(str, range(40, 60)))
    assert bool(trained & tied) is yields
    assert bool(tested & tied) is not yields
