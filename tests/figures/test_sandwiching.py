"""What the figure of sandwiching shows: a line for each who answers, at the values behind it."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.figures.conftest import Shape, about, numbers
from tests.figures.fake import Fake, halfway
from tests.figures.seen import draw, xs
from w2s import figures
from w2s.analysis.results import Predictions
from w2s.figures.text import tables
from w2s.nlp.sandwiching import analysis as sandwiching
from w2s.nlp.sandwiching.analysis import ASSISTANT, ASSISTED, EXPERT, NON_EXPERT, STUDENT, STUDENT_OF_ASSISTED
from w2s.nlp.sandwiching.config import PROMPTED


def test_lines_are_the_non_expert_every_assistant_with_what_comes_of_it_and_the_expert(shape: Shape) -> None:
    plan = shape()
    left, right = draw("sandwiching", plan).axes
    words = [" ".join(text.get_text().split()) for text in left.get_yticklabels()]
    told = ["non-expert with label hints", "student of the assisted"]
    assert words == [
        *("non-expert alone", "its student"),
        *("assistant: strong model, prompted", *told),
        *("assistant: non-expert's student", *told),
        "strong model, expert's labels",
    ]
    assert not any(text.get_text() for text in right.get_yticklabels())
    debate = shape(nlp={"sandwiching": {"assistants": ["student", "debate"]}})
    words = [" ".join(text.get_text().split()) for text in draw("sandwiching", debate).axes[0].get_yticklabels()]
    assert words[5:8] == ["debate: the stronger case", "non-expert as judge", "student of the assisted"]
    several = shape(nlp={"sandwiching": {"methods": ["naive", "confidence"], "assistants": ["zero-shot"]}})
    words = [" ".join(text.get_text().split()) for text in draw("sandwiching", several).axes[0].get_yticklabels()]
    assert words[1:3] == ["its student, naive", "its student, confidence"]
    assert len(words) == 1 + 2 + 2 + 2 + 1


def test_marks_stand_at_their_values_in_the_order_of_the_lines(shape: Shape) -> None:
    plan = shape(seeds=1, nlp={"sandwiching": {"non_experts": 1, "assistants": ["zero-shot"]}})
    left, right = draw("sandwiching", plan).axes
    marks = [line for line in left.lines if line.get_marker() == "o"]
    # Of Fake: truth 60 to 90, students half way; prompted 20 below truth; four points more with an assistant.
    assert [xs(mark)[0] for mark in marks] == pytest.approx([60, 75, 70, 64, 79, 90])
    recovered = [xs(line)[0] for line in right.lines if line.get_marker() == "o"]
    assert recovered == pytest.approx([0, 50, 100 / 3, 40 / 3, 190 / 3, 100])


def test_trust_is_told_apart_by_whether_the_assistant_is_right(shape: Shape) -> None:
    """The assistant is right on the first 70 of a hundred, the non-expert that is told on the first 64."""
    plan = shape(seeds=1, nlp={"sandwiching": {"non_experts": 1}})
    table = numbers("sandwiching", plan)
    row = table[(table["who"] == ASSISTED) & (table["assistant"] == PROMPTED) & (table["task"] == "boolq")].iloc[0]
    assert row["agreement"] == pytest.approx(0.94)
    assert row["agreement_right"] == pytest.approx(64 / 70)
    assert row["agreement_wrong"] == pytest.approx(1.0)


def test_examples_are_matched_by_id_never_by_position() -> None:
    assistant: Predictions = {"id": ["a", "b", "s"], "probability": [0.9, 0.2, 0.5], "part": ["test", "test", "strong"]}
    assisted: Predictions = {"id": ["s", "b", "a"], "probability": [0.5, 0.3, 0.8], "part": ["strong", "test", "test"]}
    truth: Predictions = {"truth": [1, 0, 1]}
    expected: tuple[list[float], ...] = ([0, 1], [0.2, 0.9], [0.3, 0.8])
    *said, ids = sandwiching._both(assistant, assisted | truth)
    assert tuple(said) == expected
    assert ids == ["b", "a"]


def test_labels_are_judged_on_the_strong_half() -> None:
    predictions: Predictions = {
        "part": ["strong", "strong", "strong", "test"],
        "truth": [1, 0, 1, 1],
        "probability": [0.9, 0.9, 0.6, 0.1],
    }
    assert sandwiching.of_labels(predictions) == pytest.approx(2 / 3)


def test_every_row_says_who_and_the_table_prints(shape: Shape) -> None:
    plan = shape()
    table = numbers("sandwiching", plan)
    assert set(table["who"]) == {NON_EXPERT, ASSISTANT, ASSISTED, STUDENT, STUDENT_OF_ASSISTED, EXPERT}
    said = "\n".join(tables(table))
    assert "student of assisted" in said
    assert "agreement_wrong" in said


def test_the_figure_reads_what_it_needs_and_no_more(shape: Shape) -> None:
    plan = shape()
    results = Fake(halfway(plan))
    rows = figures.numbers("sandwiching", plan, results)
    assert results.read == {run.key for run in figures.module("sandwiching").needs(plan)}
    assert figures.module("sandwiching").draw(pd.DataFrame(rows), about(plan))
