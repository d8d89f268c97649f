"""A tiny reward experiment on real processes: dialogues, ladder, generative finetuning, supervisors, students."""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, with_ancestors

pytestmark = pytest.mark.xdist_group("tiny")  # what these tests share is made once


def runs_of(plan: Plan) -> dict[str, Run]:
    reward = plan.reward
    return {
        "truth": reward.truth("hh", "p8", 0),
        "student": reward.student("hh", "p8", "p12", "naive", 0),
        "dpo": reward.student("hh", "p8", "p12", "dpo", 0),
        "generative": reward.student("hh", "p8", "p12", "naive", 0, generative=True),
        "both": reward.student("hh", "p8", "p12", "naive", 0, generative=True, generative_supervisor=True),
    }


def wanted(plan: Plan) -> list[str]:
    return [run.manifest for run in runs_of(plan).values()]


def read(made: Path, run: Run) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(made / run.path / "predictions.parquet").to_pydict()
    return columns


def test_a_generative_student_needs_exactly_its_runs(tiny: Plan) -> None:
    run = runs_of(tiny)["generative"]
    assert Counter(one.stage.name for one in with_ancestors([run]).values()) == {
        "preferences": 1,
        "dialogues": 1,
        "pretrain": 2,
        "generative_finetuning": 1,
        "reward_model": 2,
    }
    assert run.message.startswith("reward model p12+generative on hh: labels from p8, naive, seed 0")


def test_predictions_hold_logits_probabilities_and_labels(made: Path, tiny: Plan) -> None:
    for run in runs_of(tiny).values():
        table = read(made, run)
        columns = {"id", "part", "truth", "label", "logit", "probability", "probability_last", "probability_stopped"}
        assert set(table) == columns
        assert set(table["part"]) == {"strong", "test"}
        for logit, probability in zip(table["logit"], table["probability"], strict=True):
            assert probability == pytest.approx(1 / (1 + math.exp(-logit)), rel=1e-5)


def test_students_learn_their_supervisors_probabilities_by_id(made: Path, tiny: Plan) -> None:
    runs = runs_of(tiny)
    truth = read(made, runs["truth"])
    said = dict(zip(truth["id"], truth["probability"], strict=True))
    assert truth["label"] == truth["truth"]
    for name in ("student", "dpo", "generative"):
        table = read(made, runs[name])
        assert table["label"] == pytest.approx([said[one] for one in table["id"]], rel=1e-6)
    assert read(made, runs["both"])["label"] != read(made, runs["student"])["label"]


def test_histories_and_records_agree_on_where_it_would_have_been_best(made: Path, tiny: Plan) -> None:
    for run in runs_of(tiny).values():
        with (made / run.path / "history.csv").open() as file:
            rows = list(csv.DictReader(file))
        assert list(rows[0]) == ["step", "epoch", "train_loss", "test_labels", "test_truth"]
        assert [float(row["epoch"]) for row in rows] == [0.2, 0.5, 0.7, 1.0] or len(rows) == 4
        measured = json.loads((made / run.manifest).read_text())["measured"]
        best = max(float(row["test_truth"]) for row in rows)
        assert measured["test_accuracy_stopped"] == pytest.approx(best)
        assert measured["test_accuracy"] == pytest.approx(float(rows[-1]["test_truth"]))


def test_a_generatively_finetuned_base_model_is_a_model_directory(made: Path, tiny: Plan) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    finetuned, base = tiny.reward.generative("hh", "p12", 0), tiny.reward.model("p12")
    for folder in (made / finetuned.path, made / base.path):
        AutoTokenizer.from_pretrained(folder)
        AutoModelForCausalLM.from_pretrained(folder)
    one, other = ((made / artifact.path / "model.safetensors").read_bytes() for artifact in (finetuned, base))
    assert one != other
    assert len(one) == pytest.approx(len(other), rel=0.01)
    measured = json.loads((made / finetuned.manifest).read_text())["measured"]
    assert measured["completions"] <= 2 * 80
