"""One raw row in, candidates out: right for each schema, and never with the label in the text."""

from __future__ import annotations

from typing import Any

import pytest

from w2s.errors import UserError
from w2s.nlp.build import format_row
from w2s.nlp.formatters import Candidate
from w2s.nlp.tasks import TASKS

ABCD = {"text": ["sand", "air", "stone", "glass"], "label": ["A", "B", "C", "D"]}
ROWS: dict[str, dict[str, Any]] = {
    "boolq": {"passage": "Figs grow on trees.", "question": "do figs grow on trees", "answer": True},
    "cosmos_qa": {
        "id": "x",
        "context": "I went home .",
        "question": "Why ?",
        "answer0": "I was late .",
        "answer1": "I was tired .",
        "answer2": "I was lost .",
        "answer3": "None of the above choices .",
        "label": 1,
    },
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
    "openbookqa": {"id": "7-980", "question_stem": "Plants breathe", "choices": ABCD, "answerKey": "B"},
    "quartz": {
        "id": "Q-1",
        "para": "More water means more growth.",
        "question": "With less water there is",
        "choices": {"text": ["less growth", "more growth"], "label": ["A", "B"]},
        "answerKey": "A",
    },
    "piqa": {"goal": "Dry a shirt", "sol1": "Hang it up ", "sol2": "Put it in water", "label": 0},
    "hellaswag": {
        "ind": 1,
        "activity_label": "Skiing",
        "ctx_a": "A man skis.",
        "ctx_b": "he",
        "ctx": "A man skis. he",
        "endings": ["falls.", "sings.", "reads.", "flies."],
        "source_id": "activitynet~v_1",
        "label": "3",
    },
    "quail": {
        "id": "f1_0",
        "context_id": "f1",
        "context": "Ann came home.",
        "question": "Who came?",
        "answers": ["Bob", "Ann", "Eve", "not enough information"],
        "correct_answer_id": 1,
    },
    "social_i_qa": {
        "context": "Ann helped Bob.",
        "question": "How does Bob feel?",
        "answerA": "angry",
        "answerB": "grateful",
        "answerC": "bored",
        "label": "2",
    },
    "mc_taco": {"sentence": "He slept.", "question": "How long?", "answer": "8 hours", "label": 1, "category": 0},
    "anli": {"premise": "It rains.", "hypothesis": "It is wet.", "label": 0},
    "paws": {"id": 1, "sentence1": "Ann met Bob .", "sentence2": "Bob met Ann .", "label": 1},
    "cola": {"sentence": "The cat sat.", "label": 1},
    "sst2": {"sentence": "a warm and funny film ", "label": 1},
    "twitter_sentiment": {"text": "Great day! ", "label": 2},
    "ethics_justice": {"scenario": "I thank him because he helped.", "label": 1},
    "ethics_deontology": {"scenario": "Could you help?", "excuse": "No, I am ill.", "label": 1},
    "ethics_virtue": {"scenario": "Ann shared her bread. [SEP] generous", "label": 1},
    "ethics_utilitarianism": {"baseline": "I won a prize.", "less_pleasant": "I lost a shoe."},
    "multirc": {"paragraph": "Ann has a cat.", "question": "Who has a cat?", "answer": "Ann", "label": 1},
    "wic": {"word": "class", "sentence1": "A class of ten.", "sentence2": "She has class.", "label": 0},
}
MULTIPLE_CHOICE = {
    "cosmos_qa": 1,
    "dream": 1,
    "sciq": 0,
    "openbookqa": 1,
    "quartz": 0,
    "piqa": 0,
    "hellaswag": 3,
    "quail": 1,
    "social_i_qa": 1,
}


def formatted(task: str, **changed: Any) -> list[Candidate]:
    return TASKS[task].formatter({**ROWS[task], **changed})


def test_there_are_the_22_data_sets_of_table_1() -> None:
    assert len(TASKS) == 22
    assert set(ROWS) == set(TASKS)


@pytest.mark.parametrize("task", TASKS)
def test_every_task_says_where_it_is_from_and_what_it_may_be_used_for(task: str) -> None:
    one = TASKS[task]
    assert one.title
    assert one.source
    assert one.citation
    assert one.licence
    assert one.group
    assert one.hub is not None
    assert "{split}" in one.hub.files
    pinned = len(one.hub.revision) == 40 and set(one.hub.revision) <= set("0123456789abcdef")
    assert pinned or "commit" in one.hub.note


def test_the_seven_prompts_of_table_2_are_there() -> None:
    prompted = {name for name, task in TASKS.items() if task.instruction}
    ethics = {f"ethics_{name}" for name in ("deontology", "justice", "virtue")}
    assert prompted == {"cosmos_qa", "quail", "sciq", "social_i_qa"} | ethics


@pytest.mark.parametrize("task", TASKS)
def test_a_formatter_reads_only_the_columns_that_it_names(task: str) -> None:
    optional = {"source_id"}  # a better group, where it is there
    only = {name: value for name, value in ROWS[task].items() if name in {*TASKS[task].columns, *optional}}
    assert TASKS[task].formatter(only) == formatted(task)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("missing", [None, "", 7.5])
def test_an_empty_or_odd_value_in_any_column_is_refused(task: str, missing: Any) -> None:
    for column in TASKS[task].columns:
        if column in ("dialogue_id", "context_id"):
            continue  # names of groups may be anything
        with pytest.raises((ValueError, TypeError, KeyError)):
            formatted(task, **{column: missing})


@pytest.mark.parametrize("task", TASKS)
def test_texts_end_in_a_cue_and_have_no_stray_space(task: str) -> None:
    for candidate in formatted(task):
        assert candidate.text.endswith(":")
        assert all(line == line.strip() for line in candidate.text.splitlines())
        assert candidate.group


@pytest.mark.parametrize("task", TASKS)
def test_the_text_is_the_same_whichever_answer_is_right(task: str) -> None:
    """The leak that published formatters have: a prompt that shows which of its answers is right."""
    relabel = TASKS[task].relabel
    assert relabel is not None
    one, other = ({c.text: c.label for c in TASKS[task].formatter(row)} for row in (ROWS[task], relabel(ROWS[task])))
    assert one.keys() == other.keys()
    assert one != other
    format_row(TASKS[task], ROWS[task], "here")


@pytest.mark.parametrize(("task", "right"), MULTIPLE_CHOICE.items())
def test_multiple_choice_gives_one_candidate_an_answer(task: str, right: int) -> None:
    labels = [candidate.label for candidate in formatted(task)]
    assert labels == [int(number == right) for number in range(len(labels))]
    assert len({candidate.question for candidate in formatted(task)}) == 1
    assert TASKS[task].per_question


def test_boolq() -> None:
    (candidate,) = formatted("boolq")
    assert candidate.text == "Passage: Figs grow on trees.\nQuestion: do figs grow on trees?\nAnswer:"
    assert (candidate.label, candidate.group) == (1, "Figs grow on trees.")
    assert formatted("boolq", answer=False)[0].label == 0


@pytest.mark.parametrize(("written", "label"), [("1", 1), ("0", 0), ("True", 1), ("false", 0), ("1.0", 1), (0.0, 0)])
def test_labels_may_be_text_as_in_csv_files(written: str, label: int) -> None:
    assert formatted("boolq", answer=written)[0].label == label


@pytest.mark.parametrize("wrong", [-1, 2, 0.5, "0.5", "yes?", float("inf")])
def test_a_hidden_or_odd_label_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError, match="is not allowed; allowed: 0, 1"):
        formatted("cola", label=wrong)


def test_dream_has_its_dialogue() -> None:
    assert formatted("dream")[1].text == (
        "M: Tea?\nW: Coffee, please.\nQuestion: What does she want?\nAnswer: Coffee.\nCorrect:"
    )
    with pytest.raises(ValueError, match="not one of the choices"):
        formatted("dream", answer="Milk.")


def test_sciq_is_without_the_support() -> None:
    candidates = formatted("sciq")
    assert candidates[0].text == "Question: What do plants breathe?\nAnswer: air\nCorrect:"
    assert all("Plants breathe air" not in candidate.text for candidate in candidates)


def test_openbookqa_shows_the_text_of_right_and_wrong_answers_alike() -> None:
    assert [candidate.text.splitlines()[1] for candidate in formatted("openbookqa")] == [
        f"Answer: {answer}" for answer in ABCD["text"]
    ]
    with pytest.raises(ValueError, match="answerKey 'E' is not allowed; allowed: A, B, C, D"):
        formatted("openbookqa", answerKey="E")


@pytest.mark.parametrize("task", [task for task, row in ROWS.items() if "label" in row])
@pytest.mark.parametrize("kind", [float, lambda label: str(float(label))])
def test_labels_of_a_column_that_lacks_one_may_be_floats(task: str, kind: Any) -> None:
    """The row is formatted as ever, and also with another answer."""
    label = kind(ROWS[task]["label"])
    assert format_row(TASKS[task], ROWS[task] | {"label": label}, "here") == formatted(task)


@pytest.mark.parametrize("missing", [None, float("nan"), "", "nan", " NaN "])
def test_a_missing_label_is_called_so_and_its_row_is_named(missing: Any) -> None:
    with pytest.raises(UserError, match=r"^train row 7: .*label is missing \(.*\); allowed: 0, 1"):
        format_row(TASKS["cola"], ROWS["cola"] | {"label": missing}, "train row 7")


@pytest.mark.parametrize(("label", "entailed"), [(0, 1), (1, 0), (2, 0)])
def test_anli_takes_neutral_and_contradiction_together(label: int, entailed: int) -> None:
    assert formatted("anli", label=label)[0].label == entailed


@pytest.mark.parametrize(("label", "labels"), [(0, [0]), (1, []), (2, [1])])
def test_neutral_tweets_make_no_example(label: int, labels: list[int]) -> None:
    assert [candidate.label for candidate in formatted("twitter_sentiment", label=label)] == labels


def test_wikihow_tags_become_sentences() -> None:
    (first, *_) = formatted(
        "hellaswag",
        ctx="[header] How to ski [title] Buy skis. [step] Go to a shop.",
        endings=["[title] Look around [step] Ask.", "b", "c", "d"],
    )
    assert first.text == ("Skiing: How to ski. Buy skis. Go to a shop.\nEnding: Look around. Ask.\nCorrect:")


def test_hellaswag_groups_by_video_or_else_by_context() -> None:
    assert {one.group for one in formatted("hellaswag")} == {"activitynet~v_1"}
    assert {one.group for one in formatted("hellaswag", source_id="")} == {"A man skis. he"}


def test_mc_taco_takes_the_hubs_and_the_authors_own_labels() -> None:
    assert [formatted("mc_taco", label=label)[0].label for label in (0, 1, "no", "yes")] == [0, 1, 0, 1]


def test_virtue_splits_its_raw_column_at_the_last_separator() -> None:
    (one,) = formatted("ethics_virtue")
    assert one.text == "Scenario: Ann shared her bread.\nTrait: generous\nShown:"
    with pytest.raises(ValueError, match=r"scenario \[SEP\] trait"):
        formatted("ethics_virtue", scenario="Ann shared her bread.")


def test_utilitarianism_orders_events_whichever_is_better_and_about_half_each_way() -> None:
    labels = [formatted("ethics_utilitarianism", baseline=f"Event {number}.")[0].label for number in range(400)]
    assert 150 < sum(labels) < 250
    (one,) = formatted("ethics_utilitarianism")
    (mirrored,) = formatted("ethics_utilitarianism", baseline="I lost a shoe.", less_pleasant="I won a prize.")
    assert one.text == mirrored.text
    assert one.label == 1 - mirrored.label


def test_variants_of_a_justice_scenario_stay_together() -> None:
    one = formatted("ethics_justice", scenario="I used to walk with her but she moved.")
    other = formatted("ethics_justice", scenario="I used to walk with her but I was lazy.", label=0)
    assert one[0].group == other[0].group


def test_phrases_of_one_review_stay_together() -> None:
    (whole,) = formatted("sst2", sentence="a warm and funny film of two brothers ")
    (beginning,) = formatted("sst2", sentence="a warm and funny film of two ")
    (end,) = formatted("sst2", sentence="and funny film of two brothers ")
    assert whole.group == beginning.group
    assert whole.also == end.also


def test_scrambled_sentences_stay_together() -> None:
    (one,) = formatted("paws")
    (other,) = formatted("paws", sentence1="bob met ann .", sentence2="Ann left .")
    assert one.group == other.group == one.also


def test_multirc_answers_share_their_question_and_paragraph() -> None:
    one, other = formatted("multirc")[0], formatted("multirc", answer="Bob", label=0)[0]
    assert (one.question, one.group) == (other.question, other.group)
    assert (one.label, other.label) == (1, 0)
