"""Pairs in parts: no group on two sides, nothing said by order, everything that is left out counted."""

from __future__ import annotations

import random
from typing import Any

import pytest

from w2s.errors import UserError
from w2s.reward import world as dialogues
from w2s.reward.build import Built, build
from w2s.reward.config import Dialogues, PairSizes
from w2s.reward.tasks import PREFERENCES

HH = PREFERENCES["hh"]


def row(question: int, better: str, worse: str) -> dict[str, str]:
    said = f"\n\nHuman: Question {question}?\n\nAssistant:"
    return {"chosen": f"{said} {better}", "rejected": f"{said} {worse}"}


ROWS = [row(number // 3, f"good {number}", f"bad {number}") for number in range(300)]


def built(rows: list[dict[str, str]], seed: int = 0, **sizes: Any) -> Built:
    return build(HH, {"train": rows}, PairSizes(**sizes), seed)


def flipped(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{"chosen": one["rejected"], "rejected": one["chosen"]} for one in rows]


def test_no_group_lies_in_two_parts() -> None:
    parts = built(ROWS, validation_share=0.3).parts
    homes: dict[str, set[str]] = {}
    for name, part in parts.items():
        for pair in part:
            homes.setdefault(pair.group, set()).add(name)
    assert set(parts) == {"weak", "strong", "validation", "test"}
    assert all(len(names) == 1 for names in homes.values())
    assert sum(map(len, parts.values())) == 300


def test_the_order_of_completions_does_not_depend_on_which_is_preferred() -> None:
    here, there = built(ROWS).parts, built(flipped(ROWS)).parts
    for name in here:
        for one, other in zip(here[name], there[name], strict=True):
            assert (one.id, one.first, one.second) == (other.id, other.first, other.second)
            assert one.label == 1 - other.label


def test_about_half_of_the_second_completions_are_preferred() -> None:
    labels = [pair.label for part in built(ROWS).parts.values() for pair in part]
    assert 0.4 < sum(labels) / len(labels) < 0.6


def test_the_order_of_rows_does_not_matter_and_the_seed_does() -> None:
    shuffled = random.Random(1).sample(ROWS, len(ROWS))
    assert built(shuffled).parts == built(ROWS).parts
    assert built(ROWS, seed=1).parts != built(ROWS).parts


def test_what_is_left_out_is_counted() -> None:
    rows = [*ROWS, row(1, "same", "same"), ROWS[0], *flipped(ROWS[3:4]), {"chosen": "x", "rejected": "y"}]
    counts = built(rows).counts["train"]
    assert counts["rows"] == 304
    assert counts["malformed_dropped"] == {"a dialogue does not begin with a turn": 1}
    assert counts["identical_completions_dropped"] == 1
    assert counts["duplicates_dropped"] == 2
    assert counts["contradictions_dropped"] == 1
    assert counts["pairs"] == 299


def test_mostly_malformed_rows_are_a_mistake() -> None:
    malformed = [{"chosen": "x", "rejected": "y"}] * 150
    with pytest.raises(UserError, match=r"train row 60: a dialogue does not begin .*more than 20%"):
        built([*malformed, *ROWS[:150]])


def test_training_loses_the_groups_of_the_test_set() -> None:
    made = build(HH, {"train": ROWS, "test": [row(5, "a", "b")]}, PairSizes(), 0)
    assert made.counts["training_pairs_of_a_test_group_dropped"] == 3
    assert [pair.first for pair in made.parts["test"]] in ([" a"], [" b"])


def test_sizes_keep_whole_groups() -> None:
    parts = built(ROWS, train=60, test=30).parts
    assert len(parts["test"]) == 30
    assert len(parts["weak"]) + len(parts["strong"]) == 60


# -- the micro-world ---------------------------------------------------------------------------------------


def test_the_worlds_rubric_orders_any_two_answers() -> None:
    from itertools import product

    scores = [dialogues.score(has) for has in product([False, True], repeat=len(dialogues.RUBRIC))]
    assert min(abs(a - b) for place, a in enumerate(scores) for b in scores[place + 1 :]) > 0.01


def test_the_world_speaks_of_other_words_in_the_test_sets_of_all_tasks() -> None:
    found = [dialogues.rows(Dialogues(pairs=300, test=100, words=24, people=12), task) for task in dialogues.RUBRICS]
    words = {
        part: {
            word.strip(".?") for rows in found for one in rows[part] for text in one.values() for word in text.split()
        }
        for part in ("train", "test")
    }
    world = dialogues._world(Dialogues(words=24, people=12).model_dump())
    for names in (world.people, world.praising, world.kind):
        assert set(names) & words["train"]
        assert set(names) & words["test"]
        assert not set(names) & words["train"] & words["test"]


def test_half_of_the_rubric_judges_helpful_dialogues_and_the_other_half_harmless_ones() -> None:
    """The open property decides among helpful ones only when it can, and says nothing of harmless ones."""

    def more(task: str) -> float:
        rows = dialogues.rows(Dialogues(pairs=2000, test=1, words=24, people=12, noise=0.0), task)["train"]
        said = [["Yes, I know" in one[name] for name in ("chosen", "rejected")] for one in rows]
        return sum(chosen for chosen, rejected in said if chosen != rejected) / sum(one != other for one, other in said)

    assert more("hh_helpful") == 1.0  # it weighs more than the other one
    assert more("hh_harmless") == pytest.approx(0.5, abs=0.06)
    assert set(dialogues.RUBRICS["hh_helpful"]).isdisjoint(dialogues.RUBRICS["hh_harmless"])


def test_the_worlds_rows_have_their_share_of_noise() -> None:
    size = Dialogues(pairs=2000, test=1, words=24, people=12, noise=0.0)
    clean, noisy = (dialogues.rows(size.model_copy(update={"noise": noise}))["train"] for noise in (0.0, 0.3))
    share = [
        sum(("Yes, I know" in one["chosen"]) > ("Yes, I know" in one["rejected"]) for one in some)
        / sum(("Yes, I know" in one["chosen"]) != ("Yes, I know" in one["rejected"]) for one in some)
        for some in (clean, noisy)
    ]
    assert share[0] > 0.7 > share[1] > 0.5


def test_the_corpus_says_nothing_of_pairs() -> None:
    world = Dialogues(words=24, people=12).model_dump(exclude={"pairs", "test", "noise"})
    documents = list(dialogues.corpus(world, 200))
    assert all(text.startswith("\n\nHuman: ") for text in documents)
    assert all(text.count("Assistant:") <= 1 for text in documents)


def test_draws_are_left_out_and_never_too_many() -> None:
    """A quarter of the real WebGPT comparisons are draws: sound rows, of which the task says nothing."""
    rows = [
        {
            "question": {"full_text": f"Why is thing {n} so?"},
            "answer_0": f"Because of A{n}.",
            "answer_1": f"Because of B{n}.",
            "score_0": (0.5, -0.5, 0.0)[n % 3],
            "score_1": (-0.5, 0.5, -0.0)[n % 3],
        }
        for n in range(90)
    ]
    counts = build(PREFERENCES["webgpt"], {"train": rows}, PairSizes(), 0).counts["train"]
    assert counts["undecided_dropped"] == {"neither answer is preferred": 30}
    assert counts["malformed_dropped"] == {}
    assert counts["pairs"] == 60
