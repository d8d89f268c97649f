"""One raw row in, candidates out: right for each schema, and never with the label in the text."""

from __future__ import annotations

from typing import Any

import pytest

from w2s.tasks import TASKS
from w2s.tasks.formatters import Candidate

ROWS: dict[str, dict[str, Any]] = {
    "boolq": {"passage": "Figs grow on trees.", "question": "do figs grow on trees", "answer": True},
    "dream": {
        "dialogue_id": "1-2",
        "dialogue": ["M: Tea?", "W: Coffee, please."],
        "question": "What does she want?",
        "choice": ["Tea.", "Coffee.", "Water."],
        "answer": "Coffee.",
    },
    "sciq": {
        "question": "What do plants breathe?",
        "correct_answer": "air",
        "distractor1": "sand",
        "distractor2": "stone",
        "distractor3": "glass",
        "support": "Plants breathe air.",
    },
    "anli": {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0},
    "cola": {"sentence": "The cat sat.", "label": 1},
    "sst2": {"sentence": "a warm and funny film ", "label": 1},
    "ethics_justice": {"scenario": "I thank him because he helped.", "label": 1},
    "ethics_deontology": {"scenario": "Could you help?", "excuse": "No, I am ill.", "label": 1},
    "multirc": {"paragraph": "Ann has a cat.", "question": "Who has a cat?", "answer": "Ann", "label": 1},
    "wic": {"word": "class", "sentence1": "A class of ten.", "sentence2": "She has class.", "label": 0},
}


def formatted(task: str, **changed: Any) -> list[Candidate]:
    return TASKS[task].formatter({**ROWS[task], **changed})


def test_every_task_has_an_example_here() -> None:
    assert set(ROWS) == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_a_formatter_reads_only_the_columns_that_it_names(task: str) -> None:
    only = {name: value for name, value in ROWS[task].items() if name in TASKS[task].columns}
    assert TASKS[task].formatter(only) == formatted(task)


@pytest.mark.parametrize("task", TASKS)
def test_texts_end_in_a_cue_and_have_no_stray_space(task: str) -> None:
    for candidate in formatted(task):
        assert candidate.text.endswith(":")
        assert all(line == line.strip() for line in candidate.text.splitlines())
        assert candidate.group


@pytest.mark.parametrize(
    "task", ["anli", "boolq", "cola", "ethics_deontology", "ethics_justice", "sst2", "wic", "multirc"]
)
def test_the_text_is_the_same_whatever_the_label(task: str) -> None:
    """The leak that published formatters have: a prompt that ends in its own answer."""
    column = "answer" if task == "boolq" else "label"
    texts = {label: formatted(task, **{column: label})[0].text for label in (0, 1)}
    assert texts[0] == texts[1]


def test_boolq() -> None:
    (candidate,) = formatted("boolq")
    assert candidate.text == "Passage: Figs grow on trees.\nQuestion: do figs grow on trees?\nAnswer:"
    assert (candidate.label, candidate.group) == (1, "Figs grow on trees.")
    assert formatted("boolq", answer=False)[0].label == 0


def test_dream_gives_one_candidate_a_choice() -> None:
    candidates = formatted("dream")
    assert [candidate.label for candidate in candidates] == [0, 1, 0]
    assert candidates[1].text == (
        "M: Tea?\nW: Coffee, please.\nQuestion: What does she want?\nAnswer: Coffee.\nCorrect:"
    )
    assert {candidate.group for candidate in candidates} == {"1-2"}


def test_sciq_gives_the_answer_and_three_distractors_without_the_support() -> None:
    candidates = formatted("sciq")
    assert [candidate.label for candidate in candidates] == [1, 0, 0, 0]
    assert candidates[0].text == "Question: What do plants breathe?\nAnswer: air\nCorrect:"
    assert all("Plants breathe air" not in candidate.text for candidate in candidates)


@pytest.mark.parametrize(("label", "entailed"), [(0, 1), (1, 0), (2, 0)])
def test_anli_takes_neutral_and_contradiction_together(label: int, entailed: int) -> None:
    assert formatted("anli", label=label)[0].label == entailed


def test_variants_of_a_justice_scenario_stay_together() -> None:
    one = formatted("ethics_justice", scenario="I used to walk with her but she moved.")
    other = formatted("ethics_justice", scenario="I used to walk with her but I was lazy.", label=0)
    assert one[0].group == other[0].group


def test_phrases_of_one_review_stay_together() -> None:
    one = formatted("sst2", sentence="a warm and funny film ")
    other = formatted("sst2", sentence="a warm and funny ")
    assert one[0].group == other[0].group


def test_multirc_answers_share_their_question_and_paragraph() -> None:
    one, other = formatted("multirc")[0], formatted("multirc", answer="Bob", label=0)[0]
    assert (one.question, one.group) == (other.question, other.group)
    assert (one.label, other.label) == (1, 0)
