"""The formatters on samples of the real data sets, read in place; skipped, aloud, where there are none."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.tasks.test_build import assert_no_group_is_shared, bag_of_words, length_only, probe
from w2s.experiment import Sizes
from w2s.tasks import TASKS
from w2s.tasks.build import Examples, build
from w2s.tasks.sources import from_files, split_file
from w2s.workflow import Workflow, plan_of, read_yaml

REAL = Path(os.environ.get("W2S_REAL_DATA", ROOT / "../shared/real-data")).resolve()
# Splits that the samples have; None cuts the test set from the first.
SPLITS = {
    "anli": ("test_r2", None),
    "boolq": ("validation", None),
    "cola": ("train", "validation"),
    "dream": ("train", "test"),
    "ethics_deontology": ("train", "validation"),
    "ethics_justice": ("train", "validation"),
    "sciq": ("train", "test"),
    "sst2": ("train", "validation"),
}
# What words alone may reach. These data sets are not free of surface cues (SST-2 is sentiment words); a label
# in the text would be found by this probe nearly always.
BAG_OF_WORDS_AT_MOST = {"sst2": 0.85, "ethics_justice": 0.65, "ethics_deontology": 0.65}
ELSEWHERE_AT_MOST = 0.62

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason=f"no samples of real data at {REAL}")


def real(task: str) -> Examples:
    train, test = SPLITS[task]
    folder = REAL / TASKS[task].folder
    rows = from_files(TASKS[task], split_file(folder, train), split_file(folder, test) if test else None)
    return build(TASKS[task], rows, Sizes(), 0)


@pytest.mark.parametrize("task", SPLITS)
def test_real_rows_become_disjoint_balanced_parts(task: str) -> None:
    examples = real(task)
    assert_no_group_is_shared(examples)
    test = [example.label for example in examples.parts["test"]]
    assert sum(test) * 2 == len(test) > 100
    for part in ("weak", "strong"):
        share = sum(e.label for e in examples.parts[part]) / len(examples.parts[part])
        assert 0.42 < share < 0.58


@pytest.mark.parametrize("task", SPLITS)
def test_real_texts_do_not_contain_their_label(task: str) -> None:
    examples = real(task)
    train = [e for part in ("weak", "strong", "validation") for e in examples.parts[part]]
    assert probe(train, examples.parts["test"], bag_of_words) < BAG_OF_WORDS_AT_MOST.get(task, ELSEWHERE_AT_MOST)
    assert probe(train, examples.parts["test"], length_only) < ELSEWHERE_AT_MOST


def test_real_sciq_keeps_one_right_and_one_wrong_answer_a_question() -> None:
    counts = real("sciq").counts["train"]
    dropped = ("surplus_answers_dropped", "duplicates_dropped", "contradictions_dropped")
    assert counts["examples"] + sum(counts[name] for name in dropped) == 4 * 4000
    assert counts["examples"] == pytest.approx(2 * 4000, rel=0.01)


def test_the_overlay_for_real_rows_is_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    plan = Workflow(read_yaml(ROOT / "config.yaml"), ROOT).plan("local-real")
    assert {task.name for task in plan.experiment.nlp.tasks} == {"sst2", "cola", "sciq", "boolq", "dream"}
    assert plan.corpus().parents.keys() == {"sst2", "cola", "sciq", "boolq", "dream"}


def test_a_files_content_is_in_the_key_and_its_place_is_not(tmp_path: Path) -> None:
    config = read_yaml(ROOT / "config.yaml")
    keys = []
    for name, more in (("here", ""), ("there", ""), ("edited", "a,1\n")):
        folder = tmp_path / name / "glue.cola"
        folder.mkdir(parents=True)
        (folder / "train.csv").write_text("sentence,label\nb,0\n" + more)
        (folder / "validation.csv").write_text("sentence,label\nc,0\n")
        config["data"] |= {"source": "directory", "directory": str(tmp_path / name)}
        config["nlp"] |= {"tasks": ["cola"], "pretraining": config["nlp"]["pretraining"] | {"corpus": "tasks"}}
        keys.append(plan_of(config, name).data("cola", 0).key)
    assert keys[0] == keys[1] != keys[2]
