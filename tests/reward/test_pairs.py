"""Raw rows of the hub's schemas as comparisons: where they are cut, what is malformed, what is a mistake."""

from __future__ import annotations

from typing import Any

import pytest

from w2s.reward.formatters import MalformedError, UndecidedError, hh, shp, summarize, webgpt

FIRST = "\n\nHuman: Where is the sun?\n\nAssistant:"


def test_a_dialogue_is_cut_at_the_last_assistant_turn_that_both_share() -> None:
    said = f"{FIRST} Up.\n\nHuman: Sure?\n\nAssistant:"
    found = hh({"chosen": f"{said} Yes, look.", "rejected": f"{said} Yes."})
    assert (found.prefix, found.better, found.worse) == (said, " Yes, look.", " Yes.")
    assert not found.diverges_early


def test_dialogues_that_part_early_keep_their_further_turns() -> None:
    found = hh({"chosen": f"{FIRST} Up.\n\nHuman: Ok\n\nAssistant: Bye", "rejected": f"{FIRST} Down."})
    assert found.prefix == FIRST
    assert found.better == " Up.\n\nHuman: Ok\n\nAssistant: Bye"
    assert found.diverges_early


def test_turns_of_one_conversation_are_one_group() -> None:
    short = hh({"chosen": f"{FIRST} Up.", "rejected": f"{FIRST} Down."})
    later = f"{FIRST} Up.\n\nHuman: Sure?\n\nAssistant:"
    long = hh({"chosen": f"{later} Yes.", "rejected": f"{later} No."})
    other = hh({"chosen": FIRST.replace("sun", "moon") + " a", "rejected": FIRST.replace("sun", "moon") + " b"})
    assert short.group == long.group != other.group


@pytest.mark.parametrize(
    ("chosen", "rejected", "said"),
    [
        (f"{FIRST} ", f"{FIRST} Up.", "a completion is empty"),
        ("Up.", f"{FIRST} Up.", "does not begin with a turn"),
        (f"{FIRST} Up.\n\nHuman: And?", f"{FIRST} Up.", "does not end with the assistant"),
        (f"{FIRST} Up.", "\n\nHuman: What?\n\nAssistant: Eh.", "share no assistant turn"),
        (None, f"{FIRST} Up.", "chosen is missing"),
    ],
)
def test_a_row_without_a_comparison_says_why(chosen: Any, rejected: str, said: str) -> None:
    with pytest.raises(MalformedError, match=said):
        hh({"chosen": chosen, "rejected": rejected})


def test_two_summaries_of_a_post() -> None:
    info = {"id": "t3", "title": "Cat ", "subreddit": "pets", "post": " My cat sleeps. ", "article": None}
    row = {"info": info, "summaries": [{"text": " Cat."}, {"text": "Cat sleeps."}], "choice": 1}
    found = summarize(row)
    assert found.prefix == "Subreddit: r/pets\n\nTitle: Cat\n\nMy cat sleeps.\n\nTL;DR:"
    assert (found.better, found.worse, found.group) == (" Cat sleeps.", " Cat.", "t3")
    with pytest.raises(MalformedError, match="no text to summarize"):
        summarize(row | {"info": info | {"post": None}})
    with pytest.raises(MalformedError, match="not a choice"):
        summarize(row | {"choice": -1})


def test_label_one_of_shp_prefers_a() -> None:
    row = {"post_id": "p", "history": "Why?", "human_ref_A": "Because.", "human_ref_B": "No.", "labels": 1}
    assert (shp(row).better, shp(row).worse) == (" Because.", " No.")
    assert shp(row | {"labels": 0}).better == " No."
    assert shp(row).prefix == "Why?\n\nComment:"


def test_the_higher_score_of_webgpt_is_preferred_and_a_draw_is_none() -> None:
    row = {"question": {"full_text": "Why?"}, "answer_0": "A", "answer_1": "B", "score_0": -0.5, "score_1": 0.5}
    assert (webgpt(row).better, webgpt(row).worse) == (" B", " A")
    assert webgpt(row | {"score_0": 1.0}).better == " A"
    with pytest.raises(UndecidedError, match="neither answer is preferred"):
        webgpt(row | {"score_0": 0.5})


@pytest.mark.parametrize("kind", [int, float, bool, str, lambda label: f" {label}.0"])
def test_choices_may_be_numbers_truth_values_or_text(kind: Any) -> None:
    row = {"post_id": "p", "history": "Why?", "human_ref_A": "A", "human_ref_B": "B"}
    assert [shp(row | {"labels": kind(label)}).better for label in (0, 1)] == [" B", " A"]
    post = {"info": {"id": "t", "post": "Text."}, "summaries": [{"text": "A"}, {"text": "B"}]}
    assert [summarize(post | {"choice": kind(choice)}).better for choice in (0, 1)] == [" A", " B"]


def test_scores_are_compared_as_numbers_and_a_missing_one_is_malformed() -> None:
    row = {"question": {"full_text": "Why?"}, "answer_0": "A", "answer_1": "B", "score_0": "10", "score_1": "9.5"}
    assert webgpt(row).better == " A"
    for missing in (None, float("nan"), "nan"):
        with pytest.raises(MalformedError, match="score_1 is missing"):
            webgpt(row | {"score_1": missing})
    with pytest.raises(TypeError, match="score_0 is no number"):
        webgpt(row | {"score_0": "good"})


def test_a_row_of_another_schema_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        hh({"text": "a"})
    with pytest.raises(TypeError):
        hh({"chosen": 3, "rejected": 4})
