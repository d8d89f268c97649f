"""What special studies' runs do differently: a part of both halves, agreement by label, prompts that tell."""

from __future__ import annotations

import math
import random
import re
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.nlp import variants
from w2s.nlp.parts import Part, first_of, share_of, training_part
from w2s.nlp.specs import DebateSpec, LabelHintSpec
from w2s.training.batching import Texts


def part(*ids: str) -> Part:
    numbers = [float(one[1:]) for one in ids]
    return Part(
        list(ids), Texts([[int(number), 7] for number in numbers]), torch.tensor(numbers), torch.tensor(numbers)
    )


PARTS = {"weak": part("w1", "w2"), "strong": part("s3", "s4", "s5"), "validation": part("v6")}


def test_a_half_is_that_half() -> None:
    assert training_part(PARTS, "strong", None, None) is PARTS["strong"]


def test_both_halves_or_what_a_subset_marks_of_them(tmp_path: Path) -> None:
    both = training_part(PARTS, "both", None, None)
    assert both.ids == ["w1", "w2", "s3", "s4", "s5"]
    marks = {"id": ["s5", "s4", "s3", "w2", "w1"], "some": [True, False, False, True, False]}
    artifacts.write_table(tmp_path / "examples.parquet", marks)
    chosen = training_part(PARTS, "both", tmp_path, "some")
    assert chosen.ids == ["w2", "s5"]
    assert chosen.truth.tolist() == chosen.labels.tolist() == [2.0, 5.0]
    assert [chosen.texts.ids(number) for number in range(2)] == [[2, 7], [5, 7]]


def test_a_subset_that_does_not_know_an_example_is_a_mistake(tmp_path: Path) -> None:
    artifacts.write_table(tmp_path / "examples.parquet", {"id": ["w1"], "some": [True]})
    with pytest.raises(UserError, match="4 examples are missing, first w2"):
        training_part(PARTS, "both", tmp_path, "some")


@settings(deadline=None)
@given(st.lists(st.integers(0, 5), min_size=1, max_size=40), st.integers(0, 9), st.randoms(use_true_random=False))
def test_shares_are_whole_groups_but_for_the_last_and_parts_of_larger_ones(
    of_groups: list[int], seed: int, mixing: random.Random
) -> None:
    ids = [f"e{number}" for number in range(len(of_groups))]
    groups = {one: f"g{group}" for one, group in zip(ids, of_groups, strict=True)}
    smaller: set[str] = set()
    for share in (0.1, 0.3, 0.5, 1.0):
        numbers = variants.at_random(ids, groups, share, seed)
        assert numbers == sorted(numbers)
        assert len(numbers) == max(1, round(share * len(ids)))
        drawn = {ids[number] for number in numbers}
        assert smaller <= drawn
        cut = [group for group in set(groups.values()) if 0 < sum(groups[one] == group for one in drawn)
               < sum(found == group for found in groups.values())]  # fmt: skip
        assert len(cut) <= 1
        mixed = mixing.sample(ids, len(ids))
        assert {mixed[number] for number in variants.at_random(mixed, groups, share, seed)} == drawn
        smaller = drawn


def test_another_seed_draws_other_groups() -> None:
    ids = [f"e{number}" for number in range(100)]
    groups = {one: one for one in ids}
    first, second = (variants.at_random(ids, groups, 0.3, seed) for seed in (0, 1))
    assert first != second
    assert variants.at_random(ids, groups, 0.3, 0) == first


def test_a_share_of_a_part_keeps_texts_and_labels_together(tmp_path: Path) -> None:
    artifacts.write_table(tmp_path / "examples.parquet", {"id": ["s3", "s4", "s5"], "group": ["a", "b", "a"]})
    for seed in range(4):
        some = share_of(PARTS["strong"], tmp_path, 2 / 3, seed)
        assert len(some.ids) == 2
        numbers = [int(one[1:]) for one in some.ids]
        assert some.truth.tolist() == some.labels.tolist() == numbers
        assert [some.texts.ids(place) for place in range(2)] == [[number, 7] for number in numbers]
    assert share_of(PARTS["strong"], tmp_path, None, 0) is PARTS["strong"]


def test_the_first_examples_of_a_part_keep_their_texts_and_labels() -> None:
    some = first_of(PARTS["strong"], 2)
    assert some.ids == ["s3", "s4"]
    assert some.truth.tolist() == some.labels.tolist() == [3.0, 4.0]
    assert [some.texts.ids(number) for number in range(2)] == [[3, 7], [4, 7]]
    assert first_of(PARTS["strong"], None) is first_of(PARTS["strong"], 9) is PARTS["strong"]


def test_agreement_is_told_apart_by_whether_the_label_is_right() -> None:
    truth, labels = torch.tensor([1.0, 1, 0, 0, 0]), torch.tensor([1.0, 1, 0, 1, 1])
    predicted = torch.tensor([0.9, 0.2, 0.3, 0.8, 0.4])
    assert variants.agreement(predicted, labels, truth) == {
        "test_labels_right": pytest.approx(2 / 3),
        "test_labels_wrong": 0.5,
    }
    assert math.isnan(variants.agreement(predicted, truth, truth)["test_labels_wrong"])


@pytest.mark.parametrize(("place", "text"), [("end", "Q: x\nA:\nI think no."), ("start", "I think no.\nQ: x\nA:")])
def test_a_label_hint_is_a_line_of_its_own(place: str, text: str) -> None:
    hint = LabelHintSpec.from_spec({"prompt": "I think {label}.", "words": ("no", "yes"), "place": place})
    assert variants.with_hint("Q: x\nA:", "no", hint) == text


DEBATE = DebateSpec(prompt="No: {no}. Yes: {yes}.", strengths=("poor", "fair", "good"), place="end")


@given(st.floats(0, 1), st.floats(0, 1))
def test_the_case_for_an_answer_is_no_weaker_where_the_advocate_is_surer_of_it(one: float, other: float) -> None:
    def cases(probability: float) -> tuple[int, int]:
        found = re.fullmatch(r"Q: x\nNo: (\w+)\. Yes: (\w+)\.", variants.with_debate("Q: x", probability, DEBATE))
        assert found
        no, yes = (DEBATE.strengths.index(word) for word in found.groups())
        return no, yes

    low, high = sorted((one, other))
    assert cases(low)[0] >= cases(high)[0]
    assert cases(low)[1] <= cases(high)[1]


def test_a_debate_has_the_strength_of_both_cases_on_a_line_of_its_own() -> None:
    assert variants.with_debate("Q", 0.0, DEBATE) == "Q\nNo: good. Yes: poor."
    assert variants.with_debate("Q", 0.5, DEBATE) == "Q\nNo: fair. Yes: fair."
    assert variants.with_debate("Q", 0.9, DEBATE) == "Q\nNo: poor. Yes: good."
    start = DEBATE.model_copy(update={"place": "start"})
    assert variants.with_debate("Q", 1.0, start) == "No: poor. Yes: good.\nQ"
