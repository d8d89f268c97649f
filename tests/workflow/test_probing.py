"""Prompts, features and probes of a tiny experiment on real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.workflow.test_dag import planned, snakemake
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

pytestmark = pytest.mark.xdist_group("tiny")  # what these tests share is made once


def runs_of(plan: Plan) -> dict[str, Run]:
    probing, lbfgs, adam = plan.nlp.probing, plan.nlp.probing.setting.recipe, plan.nlp.probing.setting.students
    student = plan.nlp.student("sciq", "w8", "w16", "naive", 0)
    return {
        "student": student,
        "features": probing.features("sciq", "w16", 0),
        "finetuned": probing.features_of(student),
        "truth": probing.ceiling("sciq", "w16", 0, lbfgs),
        "weak": probing.on_weak_labels("sciq", "w8", "w16", 0, lbfgs),
        "after": probing.after(student, lbfgs),
        "taught": probing.student("sciq", "w8", "w16", 0, adam),
        "errors": probing.errors(0),
        "zero-shot": plan.nlp.prompting.zero_shot("sciq", "w16", 0),
        "few-shot": plan.nlp.prompting.truth("sciq", "w16", 0),
        "few-shot weak": plan.nlp.prompting.weak("sciq", "w8", "w16", 0),
    }


FIGURES = [f"figures/{name}.pdf" for name in ("fig24", "table2")]


def wanted(plan: Plan) -> list[str]:
    return [*(run.manifest for run in runs_of(plan).values()), *FIGURES]


def read(made: Path, run: Run, name: str = "predictions") -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = pq.read_table(made / run.path / f"{name}.parquet").to_pydict()
    return columns


def measured(made: Path, run: Run) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((made / run.manifest).read_text())["measured"]
    return record


def test_features_after_finetuning_come_of_the_same_network_to_the_bit(made: Path, tiny: Plan) -> None:
    runs = runs_of(tiny)
    assert measured(made, runs["finetuned"])["largest_difference_from_run"] == 0.0
    before, after = (np.load(made / runs[name].path / "features.npy") for name in ("features", "finetuned"))
    assert before.shape == after.shape == (len(read(made, runs["features"], "examples")["id"]), 16)
    assert not np.allclose(before, after)


def test_features_of_a_run_need_that_run_and_no_more(made: Path, tiny: Plan) -> None:
    other = tiny.nlp.probing.features_of(tiny.nlp.student("sst2", "w8", "w16", "naive", 0))
    assert planned(snakemake(made, "-n", other.manifest)) == {"data": 1, "finetune": 2, "features": 1}


def test_probes_are_labelled_by_what_their_path_says(made: Path, tiny: Plan) -> None:
    runs = runs_of(tiny)
    supervisors = {"weak": tiny.nlp.truth("sciq", "w8", 0), "taught": runs["taught"].parents["labels"]}
    for name, supervisor in supervisors.items():
        said = read(made, supervisor)  # type: ignore[arg-type]
        probabilities = dict(zip(said["id"], said["probability"], strict=True))
        table = read(made, runs[name])
        assert table["label"] == pytest.approx([probabilities[one] for one in table["id"]], abs=1e-6)
        assert set(table["part"]) == {"strong", "validation", "test"}
    for name in ("truth", "after"):
        table = read(made, runs[name])
        assert table["label"] == table["truth"]


def test_prompts_answer_the_test_set_in_every_draw_and_say_what_they_had_room_for(made: Path, tiny: Plan) -> None:
    runs, setting = runs_of(tiny), tiny.nlp.prompting.setting
    tested = [one for one, part in zip(*(read(made, runs["student"])[name] for name in ("id", "part")), strict=True)
              if part == "test"]  # fmt: skip
    for name, draws, shots in (
        ("zero-shot", 1, 0),
        ("few-shot", setting.draws, 5),
        ("few-shot weak", setting.draws, 5),
    ):
        table, record = read(made, runs[name]), measured(made, runs[name])
        assert table["id"] == tested * draws
        assert table["draw"] == [draw for draw in range(draws) for _ in tested]
        assert record["shots_asked"] == shots
        assert sum(record["questions_by_shots"].values()) == len(table["id"])
        assert len(record["test_accuracy_by_draw"]) == draws
        assert "yes" in record["instruction"]
    truth, weak = read(made, runs["few-shot"]), read(made, runs["few-shot weak"])
    assert truth["label"] == [float(one) for one in truth["truth"]]
    assert weak["label"] != truth["label"]


def test_errors_are_measured_once(made: Path, tiny: Plan) -> None:
    fits = measured(made, runs_of(tiny)["errors"])["fits"]
    assert {one["panel"] for one in fits} == {"simulable", "unsimulable", "mixed"}


def test_figures_are_drawn(made: Path) -> None:
    assert all((made / figure).stat().st_size > 1000 for figure in FIGURES)
