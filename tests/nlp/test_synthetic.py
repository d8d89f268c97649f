"""Rows and documents of the micro-world follow from its facts and its seed."""

from __future__ import annotations

import json
import re

import pytest

from w2s.errors import UserError
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp.tasks import TASKS, TOPICS


def test_the_world_follows_from_its_seed() -> None:
    one, same, other = (World(WorldSize(seed=seed)) for seed in (0, 0, 1))
    assert vars(one) == vars(same)
    assert one.people != other.people


def test_no_fact_is_asked_in_both_training_and_test_rows() -> None:
    small = World(WorldSize(people=20))
    asked = {split: {row["question"] for row in part} for split, part in synthetic.rows(small, "sciq").items()}
    assert not asked["train"] & asked["test"]


@pytest.mark.parametrize("task", TOPICS)
def test_rows_answer_what_the_world_says(task: str) -> None:
    """Every row formats, and both labels turn up."""
    rows = synthetic.rows(World(WorldSize(people=20)), task)["train"]
    labels = {candidate.label for row in rows for candidate in TASKS[task].formatter(row)}
    assert labels == {0, 1}


def test_an_unknown_world_task_says_which_there_are() -> None:
    with pytest.raises(UserError, match=r"task 'wik'.*did you mean 'wic'"):
        synthetic.rows(World(WorldSize(people=20)), "wik")


@pytest.mark.parametrize(
    ("task", "other"), [("sciq", "boolq"), ("sciq", "openbookqa"), ("ethics_justice", "ethics_deontology")]
)
def test_another_test_set_asks_about_none_that_training_rows_ask_about(task: str, other: str) -> None:
    small = World(WorldSize(people=30, deeds=60))
    subjects = {fact[0] for fact in TOPICS[task].facts(small)}

    def asked(rows: list[synthetic.Row]) -> set[str]:
        return subjects & set(re.findall(r"\w+", json.dumps(rows)))

    trained = asked(synthetic.rows(small, task)["train"])
    assert asked(synthetic.rows(small, other)["test"]) & trained  # by itself it does
    tested = asked(synthetic.rows(small, other, held_out_of=task)["test"])
    assert tested == subjects - trained


def test_a_test_set_about_other_subjects_stays_as_it_is() -> None:
    small = World(WorldSize(people=20))
    assert synthetic.rows(small, "sst2", held_out_of="sciq") == synthetic.rows(small, "sst2")
