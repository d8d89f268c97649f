"""The formatters on samples of the real data sets, read in place; skipped, aloud, where there are none."""

from __future__ import annotations

from functools import cache

import pytest

from tests.conftest import REAL_DATA, ROOT, needs_real_data
from tests.nlp.test_build import assert_no_group_is_shared
from w2s.config.files import deep_merge, read_yaml
from w2s.engine.rows import from_files, split_files
from w2s.experiments.loading import plan_of
from w2s.nlp.build import Examples, build, format_row
from w2s.nlp.config import Sizes
from w2s.nlp.tasks import TASKS

# Splits that the samples have; None cuts the test set from the first.
SPLITS = {
    "anli": ("test_r2", None),
    "boolq": ("validation", None),
    "cola": ("train", "validation"),
    "cosmos_qa": ("validation", None),
    "dream": ("train", "test"),
    "ethics_deontology": ("train", "validation"),
    "ethics_justice": ("train", "validation"),
    "ethics_utilitarianism": ("train", "validation"),
    "hellaswag": ("validation_sample1000", None),
    "mc_taco": ("test", "validation"),
    "openbookqa": ("train", "test"),
    "piqa": ("validation", None),
    "sciq": ("train", "test"),
    "sst2": ("train", "validation"),
    "twitter_sentiment": ("test", "validation"),
}
# What words alone may reach. These data sets are not free of surface cues (SST-2 is sentiment words); a label
# in the text would be found by this probe nearly always.
BAG_OF_WORDS_AT_MOST = {"sst2": 0.85, "ethics_justice": 0.65, "ethics_deontology": 0.65, "mc_taco": 0.68}
BAG_OF_WORDS_AT_MOST |= {"twitter_sentiment": 0.8, "cosmos_qa": 0.66, "anli": 0.66}
ELSEWHERE_AT_MOST = 0.62

pytestmark = [needs_real_data, pytest.mark.slow]


@cache
def real(task: str) -> Examples:
    train, test = SPLITS[task]
    folder = REAL_DATA / TASKS[task].folder
    splits = {"train": train} | ({"test": test} if test else {})
    files = {part: split_files(folder, split) for part, split in splits.items()}
    rows = from_files(files, TASKS[task].columns, f"task {task!r}")
    return build(TASKS[task], rows.parts, Sizes(), 0, rows.origins)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("task", SPLITS)
def test_real_rows_become_disjoint_balanced_parts_without_surface_cues(task: str) -> None:
    examples = real(task)
    assert_no_group_is_shared(examples)
    test = [example.label for example in examples.parts["test"]]
    assert sum(test) * 2 == len(test) > 100
    for part in ("weak", "strong", "validation"):
        share = sum(e.label for e in examples.parts[part]) / len(examples.parts[part])
        assert 0.45 <= share <= 0.55
    weak, strong = (len(examples.parts[part]) for part in ("weak", "strong"))
    assert abs(weak - strong) <= 2  # a question's answers stay together
    assert examples.guards["bag_of_words_accuracy"] < BAG_OF_WORDS_AT_MOST.get(task, ELSEWHERE_AT_MOST)
    assert examples.guards["length_only_accuracy"] < ELSEWHERE_AT_MOST
    if TASKS[task].per_question:
        assert set(examples.guards["questions_with_unequal_answers"].values()) == {0}


@pytest.mark.parametrize("task", ["sst2", "ethics_justice"])
def test_grouping_costs_few_rows(task: str) -> None:
    """Of 4,000 rows; the first five words of a justice scenario cost a quarter of them."""
    assert real(task).counts["training_examples_of_a_test_group_dropped"] < 0.03 * 4000


def test_the_few_real_rows_of_quartz_format() -> None:
    files = split_files(REAL_DATA / "quartz", "hf_dummy_rows")
    rows = from_files({"train": files}, TASKS["quartz"].columns, "task 'quartz'").parts["train"]
    made = [one for row in rows for one in format_row(TASKS["quartz"], row, "here")]
    assert len(made) == 2 * len(rows) == 2 * sum(one.label for one in made)


def test_real_sciq_keeps_one_right_and_one_wrong_answer_a_question() -> None:
    counts = real("sciq").counts["train"]
    dropped = ("surplus_answers_dropped", "duplicates_dropped", "contradictions_dropped")
    assert counts["examples"] + sum(counts[name] for name in dropped) == 4 * 4000
    assert counts["examples"] == pytest.approx(2 * 4000, rel=0.01)


def test_the_overlay_for_real_rows_is_planned() -> None:
    config = deep_merge(read_yaml(ROOT / "config.yaml"), read_yaml(ROOT / "config" / "local-real.yaml"))
    plan = plan_of(deep_merge(config, {"data": {"directory": str(REAL_DATA)}}), "local-real", ROOT)
    assert {task.name for task in plan.nlp.config.tasks} == {"sst2", "cola", "sciq", "boolq", "dream"}
    assert plan.nlp.corpus().parents.keys() == {"sst2", "cola", "sciq", "boolq", "dream"}
