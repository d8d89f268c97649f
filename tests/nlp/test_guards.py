"""The guards find what they are there to find, and stay silent where there is nothing."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.nlp.test_build import SIZES, world_rows
from tests.nlp.test_formatters import ROWS
from w2s.errors import UserError
from w2s.microworld import WorldSize
from w2s.nlp import guards
from w2s.nlp.build import Example, build, format_row
from w2s.nlp.formatters import Candidate
from w2s.nlp.relabel import exchange
from w2s.nlp.task import Task
from w2s.nlp.tasks import TASKS


def replaced(task: str, formatter: Any) -> Task:
    one = TASKS[task]
    return Task(one.name, one.title, formatter, one.columns, one.folder, one.relabel, per_question=one.per_question)


def with_text(candidates: list[Candidate], change: Any) -> list[Candidate]:
    return [Candidate(c.group, c.question, change(c), c.label, c.also) for c in candidates]


LEAKS = {
    "right answers as a letter, wrong ones as text (a published OpenBookQA formatter)": (
        "openbookqa",
        lambda row: with_text(TASKS["openbookqa"].formatter(row), lambda c: "A" if c.label else c.text),
    ),
    "the answer behind the question (a published ETHICS formatter)": (
        "ethics_justice",
        lambda row: with_text(TASKS["ethics_justice"].formatter(row), lambda c: c.text + " ny"[c.label + 0]),
    ),
    "the better event first": (
        "ethics_utilitarianism",
        lambda row: [Candidate("g", "g", f"{row['baseline']} {row['less_pleasant']}", 1)],
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_a_text_that_shows_which_answer_is_right_is_refused(leak: str) -> None:
    name, formatter = LEAKS[leak]
    with pytest.raises(UserError, match=r"the text contains its label: with another answer it would not be"):
        format_row(replaced(name, formatter), ROWS[name], "task, train row 0")


def test_labels_that_do_not_follow_the_answer_are_refused() -> None:
    stuck = replaced("cola", lambda row: [Candidate("g", "g", row["sentence"], 1)])
    with pytest.raises(UserError, match="labels do not change with the right answer"):
        format_row(stuck, ROWS["cola"], "task, train row 0")


@pytest.mark.parametrize("task", TASKS)
def test_no_task_of_ours_leaks_by_construction(task: str) -> None:
    for row in world_rows(task)["train"][:50]:
        format_row(TASKS[task], row, "here")


@pytest.mark.parametrize(
    ("task", "changed"),
    [
        ("dream", {"choice": ["Tea.", "Tea.", "Milk."], "answer": "Tea."}),
        ("openbookqa", {"choices": {"text": ["air"] * 4, "label": ["A", "B", "C", "D"]}}),
        ("piqa", {"sol1": "wait", "sol2": "wait"}),
    ],
)
def test_equal_answers_are_no_leak(task: str, changed: dict[str, Any]) -> None:
    assert format_row(TASKS[task], ROWS[task] | changed, "here")


def plain(texts: list[tuple[str, int]], prefix: str = "") -> list[Example]:
    return [Example(f"{prefix}{n:06d}", f"{prefix}{n}", text, label) for n, (text, label) in enumerate(texts)]


def noise(count: int, seed: int) -> list[tuple[str, int]]:
    rng = random.Random(seed)
    return [(" ".join(rng.choices(["red", "blue", "green", "grey"], k=rng.randint(3, 9))), n % 2) for n in range(count)]


def test_probes_find_nothing_in_noise() -> None:
    train, test = plain(noise(600, 0)), plain(noise(400, 1), "t")
    for words in (True, False):
        found = guards.probe(train, test, words=words)
        assert found is not None
        assert abs(found - 0.5) < 0.1


def test_probes_find_a_word_its_line_and_a_length() -> None:
    word = [(text + (" ay" if label else ""), label) for text, label in noise(600, 0)]
    line = [(f"x{' ay' * label}\ny{' ay' * (1 - label)}", label) for _, label in noise(600, 0)]
    length = [("a b " * (4 + 3 * label), label) for _, label in noise(600, 0)]
    for texts in (word, line):
        assert guards.probe(plain(texts), plain(texts, "t"), words=True) == 1.0
    assert guards.probe(plain(length), plain(length, "t"), words=False) == 1.0


def test_a_data_set_whose_words_give_every_label_away_is_refused() -> None:
    def formatter(row: Any) -> list[Candidate]:
        return [Candidate(row["text"], row["text"], f"{row['text']} {row['mood']}:", row["label"])]

    task = Task("given", "Given", formatter, ("text", "label"), "given", exchange("label", 0, 1))
    rows = [{"text": f"text {n}", "mood": ("sad", "glad")[n % 2], "label": n % 2} for n in range(1200)]
    with pytest.raises(UserError, match=r"bag of words accuracy on the test set is 100.0%, so the text reveals"):
        build(task, {"train": rows}, SIZES, 0)


def test_near_duplicates_are_those_of_nearly_the_same_words() -> None:
    known = plain([("the cat sat on the mat and slept all day long in the sun", 0), ("something else entirely", 1)])
    asked = plain([("the cat sat on the mat and slept all day long in the sun !", 0), ("nothing of the kind", 1)], "a")
    assert guards.near_duplicates(known, asked) == 0.5
    assert guards.near_duplicates(known, known) == 1.0


def test_guards_land_in_the_manifest_of_a_build() -> None:
    found = build(TASKS["sciq"], world_rows("sciq", WorldSize()), SIZES, 0).guards
    assert found["text_independent_of_answer"] is True
    assert found["groups_in_several_parts"] == 0
    assert found["questions_with_unequal_answers"] == {"weak": 0, "strong": 0, "validation": 0, "test": 0}
    assert set(found["positive_share"]) == {"weak", "strong", "validation", "test"}
    assert {"bag_of_words_accuracy", "length_only_accuracy", "near_duplicates"} <= set(found)
