"""Halves share no group, classes are balanced, ids are stable, and no surface cue gives the label away."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from w2s.errors import UserError
from w2s.microworld import World, WorldSize
from w2s.nlp import synthetic
from w2s.nlp.build import PARTS, Example, Examples, build
from w2s.nlp.config import Sizes
from w2s.nlp.formatters import Candidate
from w2s.nlp.task import Task
from w2s.nlp.tasks import TASKS, TOPICS

SIZES = Sizes()
SMALL = WorldSize(people=30, adjectives=60, verbs=60, deeds=60, nouns=60)
WORLD_TASKS = [name for name in TASKS if name in TOPICS]


@cache
def in_world(task: str, seed: int = 0, size: WorldSize = SMALL) -> Examples:
    return build(TASKS[task], world_rows(task, size), SIZES, seed)


def world_rows(task: str, size: WorldSize = SMALL) -> dict[str, list[dict[str, Any]]]:
    return synthetic.rows(World(size), task)


def groups(examples: list[Example]) -> set[str]:
    return {example.group for example in examples}


def assert_no_group_is_shared(examples: Examples) -> None:
    seen: set[str] = set()
    for name in PARTS:
        assert not seen & groups(examples.parts[name]), name
        seen |= groups(examples.parts[name])


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("task", WORLD_TASKS)
def test_parts_share_no_group_and_no_text(task: str, seed: int) -> None:
    examples = in_world(task, seed)
    assert_no_group_is_shared(examples)
    texts = Counter(example.text for part in examples.parts.values() for example in part)
    assert max(texts.values()) == 1


@pytest.mark.parametrize("task", WORLD_TASKS)
def test_the_test_set_is_exactly_balanced(task: str) -> None:
    labels = [example.label for example in in_world(task).parts["test"]]
    assert sum(labels) * 2 == len(labels)


@pytest.mark.parametrize("task", [name for name in WORLD_TASKS if TASKS[name].per_question])
def test_every_question_has_as_many_right_as_wrong_answers(task: str) -> None:
    rows = world_rows(task)
    question_of = {c.text: c.question for row in rows["train"] for c in TASKS[task].formatter(row)}
    sides: dict[str, Counter[int]] = defaultdict(Counter)
    for part in ("weak", "strong", "validation"):
        for example in in_world(task).parts[part]:
            sides[question_of[example.text]][example.label] += 1
    assert sides
    assert all(counts[0] == counts[1] for counts in sides.values())


@pytest.mark.parametrize("task", WORLD_TASKS)
def test_ids_and_parts_do_not_depend_on_the_order_of_rows(task: str) -> None:
    rows = world_rows(task)
    shuffled = {name: random.Random(1).sample(part, len(part)) for name, part in rows.items()}
    assert build(TASKS[task], rows, SIZES, 0).parts == build(TASKS[task], shuffled, SIZES, 0).parts


def test_another_seed_draws_other_halves_of_the_same_examples() -> None:
    rows = {"train": rows_of(400, 0.5), "test": [{**row, "group": "x"} for row in rows_of(20, 0.5)]}
    one, other = (build(PLAIN, rows, SIZES, seed) for seed in (0, 1))
    ids = [{e.id for part in ("weak", "strong", "validation") for e in x.parts[part]} for x in (one, other)]
    assert ids[0] == ids[1]
    assert {e.id for e in one.parts["weak"]} != {e.id for e in other.parts["weak"]}


@pytest.mark.parametrize("task", WORLD_TASKS)
def test_no_surface_cue_predicts_the_label_of_unseen_facts(task: str) -> None:
    """Knowledge of the world is needed: words and lengths alone stay near chance on the test set."""
    examples = in_world(task, size=WorldSize())
    noise = 3 * (0.25 / len(examples.parts["test"])) ** 0.5
    assert examples.guards["bag_of_words_accuracy"] < 0.5 + noise + 0.02
    assert examples.guards["length_only_accuracy"] < 0.5 + noise + 0.02


def plain(row: Any) -> list[Candidate]:
    return [Candidate(row["group"], row["group"], row["text"], row["label"])]


PLAIN = Task("plain", "Plain", plain, ("group", "text", "label"), "plain")
raw_rows = st.lists(
    st.fixed_dictionaries(
        {"group": st.sampled_from("abcdefghijklmnop"), "text": st.text(max_size=4), "label": st.integers(0, 1)}
    ),
    min_size=60,
    max_size=200,
)


@settings(deadline=None, max_examples=30)
@given(raw_rows, st.integers(0, 3))
def test_any_rows_give_disjoint_parts_or_a_clear_refusal(rows: list[dict[str, Any]], seed: int) -> None:
    try:
        examples = build(PLAIN, {"train": rows}, SIZES, seed)
    except UserError as refusal:
        causes = ("examples left", "needs more rows", "both are needed", "groups are never split", "too few to be")
        if not any(cause in str(refusal) for cause in causes):
            raise
        return
    assert_no_group_is_shared(examples)
    ids = Counter(e.id for part in examples.parts.values() for e in part)
    assert max(ids.values()) == 1


def rows_of(count: int, positive: float) -> list[dict[str, Any]]:
    return [{"group": f"g{n}", "text": f"text {n}", "label": int(n < positive * count)} for n in range(count)]


@pytest.mark.parametrize(("positive", "rebalanced"), [(0.5, False), (0.54, False), (0.62, True), (0.3, True)])
def test_only_classes_above_55_percent_are_rebalanced_and_then_exactly(positive: float, rebalanced: bool) -> None:
    examples = build(PLAIN, {"train": rows_of(1000, positive)}, SIZES, 0)
    assert examples.counts["rebalanced"] is rebalanced
    for part in ("weak", "strong", "validation"):
        labels = [e.label for e in examples.parts[part]]
        if rebalanced:
            assert sum(labels) * 2 == len(labels)


def test_contradictory_duplicates_are_dropped_and_counted() -> None:
    rows = [
        *rows_of(200, 0.5),
        {"group": "g0", "text": "text 0", "label": 0},
        {"group": "g1", "text": "text 1", "label": 1},
    ]
    counts = build(PLAIN, {"train": rows}, SIZES, 0).counts["train"]
    assert (counts["duplicates_dropped"], counts["contradictions_dropped"]) == (2, 1)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{**row, "group": "one"} for row in rows_of(100, 0.5)], "one' holds 100% of the 100 examples, and groups are"),
        (
            rows_of(100, 1.0),
            "all 100 training examples (of 100 groups, which are never split) have label 1; both are needed",
        ),
        (rows_of(2, 0.5), "only 1 test example is left; it needs more rows"),
        (
            [{**row, "group": f"label {row['label']}"} if row["label"] else row for row in rows_of(400, 0.5)],
            "have label 0; both are needed",
        ),
    ],
)
def test_rows_that_cannot_be_halved_say_why(rows: list[dict[str, Any]], said: str) -> None:
    for seed in range(10):
        with pytest.raises(UserError) as caught:
            build(PLAIN, {"train": rows}, SIZES, seed)
        assert str(caught.value).startswith("task 'plain': ")
        assert said in str(caught.value)


def test_groups_that_share_a_member_stay_together() -> None:
    """a-b, b-c, c-d: one chain, one side."""

    def tied(row: Any) -> list[Candidate]:
        return [Candidate(row["one"], row["one"], row["one"] + row["other"], row["label"], row["other"])]

    task = Task("tied", "Tied", tied, ("one", "other", "label"), "tied")
    chain = [{"one": f"c{n}", "other": f"c{n + 1}", "label": n % 2} for n in range(30)]
    alone = [{"one": f"x{n}", "other": f"y{n}", "label": n % 2} for n in range(300)]
    for seed in range(5):
        examples = build(task, {"train": [*chain, *alone]}, SIZES, seed)
        homes = {name for name in PARTS for e in examples.parts[name] if e.text.startswith("c")}
        assert len(homes) == 1
        assert_no_group_is_shared(examples)


def test_sizes_are_respected() -> None:
    sizes = Sizes(train=100, test=40)
    examples = build(
        PLAIN,
        {"train": rows_of(1000, 0.5), "test": [{**r, "group": "t" + r["group"]} for r in rows_of(300, 0.5)]},
        sizes,
        0,
    )
    assert sum(len(examples.parts[part]) for part in ("weak", "strong", "validation")) == 100
    assert len(examples.parts["test"]) == 40


def test_the_test_set_stays_whole_and_training_loses_its_groups() -> None:
    """ETHICS's own test set shares most of its scenarios with its training set."""
    tested = [{**row, "text": "asked " + row["text"]} for row in rows_of(100, 0.5)[::5]]
    examples = build(PLAIN, {"train": rows_of(100, 0.5), "test": tested}, SIZES, 0)
    assert len(examples.parts["test"]) == 20
    assert examples.counts["training_examples_of_a_test_group_dropped"] == 20
    assert_no_group_is_shared(examples)


def test_only_groups_that_are_tested_leave_the_training_set() -> None:
    tested = [{**row, "text": "asked " + row["text"]} for row in rows_of(100, 0.5)]
    examples = build(PLAIN, {"train": rows_of(100, 0.5), "test": tested}, Sizes(test=20), 0)
    assert len(examples.parts["test"]) == 20
    assert examples.counts["training_examples_of_a_test_group_dropped"] == 20


@pytest.mark.parametrize("task", [name for name in WORLD_TASKS if TASKS[name].per_question])
def test_a_cut_test_set_keeps_whole_questions(task: str) -> None:
    examples = build(TASKS[task], world_rows(task, WorldSize()), Sizes(test=60), 0)
    assert 50 <= len(examples.parts["test"]) <= 60
    assert set(examples.guards["questions_with_unequal_answers"].values()) == {0}


def test_a_few_rows_with_an_empty_text_are_left_out_and_counted() -> None:
    rows = world_rows("sciq", WorldSize())
    rows["train"][7] = rows["train"][7] | {"distractor2": " "}
    examples = build(TASKS["sciq"], rows, SIZES, 0)
    assert examples.counts["rows_with_empty_text_dropped"] == {"train": 1}
    assert examples.counts["train"]["candidates"] == 4 * (len(rows["train"]) - 1)


def test_many_rows_with_an_empty_text_are_a_mistake() -> None:
    rows = world_rows("sciq", WorldSize())
    rows["train"] = [row | {"distractor2": None} for row in rows["train"]]
    with pytest.raises(UserError, match=r"train row \d+: distractor2 is empty, as in more than 1% of the rows"):
        build(TASKS["sciq"], rows, SIZES, 0)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"group": "a", "text": "b"}, "train row 3: not in the expected form (KeyError: 'label')"),
        ({"group": "a", "text": "b", "label": 2}, "train row 3: label 2 is not allowed; allowed: 0, 1"),
    ],
)
def test_a_bad_row_is_named(row: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as caught:
        build(PLAIN, {"train": [*rows_of(3, 0.5), row]}, SIZES, 0)
    assert str(caught.value) == f"task 'plain', {said}"


def test_sciq_keeps_twice_its_questions() -> None:
    """E.1: 11,679 questions give 23k points; with one right answer each, one right and one wrong is kept."""
    rows = world_rows("sciq")
    counts = build(TASKS["sciq"], rows, SIZES, 0).counts
    assert counts["train"]["examples"] == 2 * len(rows["train"])
