"""The special studies on real processes, in tiny: what is easy, flipped labels, prompts that tell."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.workflow.test_dag import snakemake
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, Run, with_ancestors
from w2s.nlp.errors.config import CONFIDENT, LONGEST

pytestmark = pytest.mark.xdist_group("tiny")  # what these tests share is made once


def runs_of(plan: Plan) -> dict[str, Run]:
    difficulty, errors = plan.nlp.difficulty, plan.nlp.errors
    return {
        "easy": difficulty.up_to("sciq", "w16", "w16", 0),
        "any": difficulty.up_to("sciq", "w16", "any", 0),
        "easiest": difficulty.easiest("sciq", "w16", 30, 0),
        "all": difficulty.easiest("sciq", "w16", 100, 0),
        "flipped": errors.flipped("sciq", CONFIDENT, "confidence", 0),
        "longest": errors.flipped("sciq", LONGEST, "naive", 0),
        "told": errors.appended("sciq", "naive", 0),
        "fewer": plan.nlp.fewer_labels.student("sciq", "naive", 0.25, 0),
        "not told": plan.nlp.student("sciq", "w8", "w16", "naive", 0),
    }


def wanted(plan: Plan) -> list[str]:
    return [run.manifest for run in runs_of(plan).values()]


def test_studies_need_exactly_their_runs(plan: Plan) -> None:
    needed = Counter(one.stage.name for one in with_ancestors(runs_of(plan).values()).values())
    once = {"data": 1, "corpus": 1, "pretrain": 2, "levels": 1, "judge": 1, "flip": 2}
    assert needed == once | {"finetune": 2 + 1 + 9}  # ground truth, its second fold, and the runs themselves


def read(made: Path, one: Artifact, name: str) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(made / one.path / f"{name}.parquet").to_pydict()
    return columns


def measured(made: Path, one: Artifact) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((made / one.manifest).read_text())["measured"]
    return found


def test_fewer_labels_are_trained_on_for_as_many_steps(made: Path, plan: Plan) -> None:
    runs = runs_of(plan)
    fewer, whole = (measured(made, runs[name]) for name in ("fewer", "not told"))
    assert fewer["examples"] == round(whole["examples"] / 4)
    assert abs(fewer["steps"] - whole["steps"]) <= 1
    of_all = [read(made, runs[name], "predictions")["id"] for name in ("fewer", "not told")]
    assert of_all[0] == of_all[1]  # of every part


def test_a_second_call_for_the_runs_of_all_settings_does_nothing(made: Path, targets: list[str]) -> None:
    assert "Nothing to be done" in snakemake(made, *targets)


def test_runs_train_on_what_their_subset_marks(made: Path, plan: Plan) -> None:
    runs, levels = runs_of(plan), plan.nlp.difficulty.levels("sciq", 0)
    table = read(made, levels, "examples")
    assert measured(made, runs["easy"])["examples"] == sum(table["up_to_0"]) == measured(made, levels)["trained_on"]
    assert measured(made, runs["any"])["examples"] == sum(table["up_to_1"])
    assert measured(made, runs["all"])["examples"] == len(table["id"])
    easiest = read(made, plan.nlp.difficulty.elo("sciq", 0), "examples")["easiest_30"]
    assert measured(made, runs["easiest"])["examples"] == sum(easiest) == round(0.3 * len(table["id"]))


def test_a_judge_of_the_users_own_rates_the_questions(made: Path, plan: Plan) -> None:
    rated = read(made, plan.nlp.difficulty.elo("sciq", 0), "examples")
    data = read(made, plan.nlp.data("sciq", 0), "examples")
    letters = dict(zip(data["id"], map(len, data["text"]), strict=True))
    ordered = sorted(rated["id"], key=dict(zip(rated["id"], rated["elo"], strict=True)).__getitem__)
    third = len(ordered) // 3
    short, long = (sum(letters[one] for one in some) / third for some in (ordered[:third], ordered[-third:]))
    assert short < long


def test_students_learn_the_flipped_labels_and_their_history_tells_them_apart(made: Path, plan: Plan) -> None:
    run = runs_of(plan)["flipped"]
    said = read(made, run.parents["labels"], "predictions")
    labels = dict(zip(said["id"], said["probability"], strict=True))
    table = read(made, run, "predictions")
    assert table["label"] == [labels[one] for one in table["id"]]
    with (made / run.path / "history.csv").open() as file:
        history = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert history[0]["step"] == history[0]["epoch"] == 0
    assert math.isnan(history[0]["train_loss"])
    test = [number for number, part in enumerate(table["part"]) if part == "test"]
    right = [number for number in test if table["label"][number] == table["truth"][number]]
    hits = [(table["probability_last"][number] > 0.5) == (table["truth"][number] > 0.5) for number in right]
    assert history[-1]["test_labels_right"] == pytest.approx(sum(hits) / len(hits))
    wrong = len(test) - len(right)
    share = (history[-1]["test_labels_right"] * len(right) + history[-1]["test_labels_wrong"] * wrong) / len(test)
    assert share == pytest.approx(history[-1]["test_labels"])


def test_other_runs_histories_are_as_they_were(made: Path, plan: Plan) -> None:
    for run in (runs_of(plan)["told"], plan.nlp.truth("sciq", "w8", 0)):
        header = (made / run.path / "history.csv").read_text().splitlines()[0]
        assert header == "step,epoch,train_loss,validation_labels,validation_truth,test_labels,test_truth"


def test_telling_changes_what_a_student_sees_and_not_its_labels(made: Path, plan: Plan) -> None:
    told = read(made, runs_of(plan)["told"], "predictions")
    weak = read(made, plan.nlp.truth("sciq", "w8", 0), "predictions")
    labels = dict(zip(weak["id"], weak["probability"], strict=True))
    assert told["label"] == pytest.approx([labels[one] for one in told["id"]])
    tokens = {name: measured(made, runs_of(plan)[name])["tokens"] for name in ("told", "not told")}
    assert tokens["told"] > tokens["not told"]
