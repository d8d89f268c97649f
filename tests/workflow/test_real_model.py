"""A real pretrained model of 260,032 parameters, stories260K, from loading to figures on real processes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REAL_MODELS, needs_real_models
from tests.workflow.test_dag import checkout, edit_config, snakemake
from w2s.config.files import read_yaml
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.jobs.workflow import Workflow

pytestmark = [needs_real_models, pytest.mark.xdist_group(__name__)]  # what these tests share is made once
STORIES = {"name": "stories", "parameters": 260_032, "tokens": 1_000_000_000, "learning_rate": 1e-3}


def as_students(config: dict[str, Any]) -> None:
    """One rung pretrained here, which labels for the real one."""
    nlp = config["nlp"]
    nlp["ladder"] = [nlp["ladder"][0], STORIES | {"source": str(REAL_MODELS / "stories260k")}]
    nlp["tasks"] = ["sst2"]
    nlp["probing"]["errors"] |= {"task": "sst2"}


def runs_of(plan: Plan) -> dict[str, Run]:
    nlp = plan.nlp
    return {
        "ceiling": nlp.truth("sst2", "stories", 0),
        "student": nlp.student("sst2", "w8", "stories", "naive", 0),
        "probe": nlp.probing.student("sst2", "w8", "stories", 0, nlp.probing.setting.students),
        "prompt": nlp.prompting.truth("sst2", "stories", 0),
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The records of these runs."""
    folder = checkout(tmp_path_factory.mktemp("stories") / "checkout")
    edit_config(folder, as_students)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        runs = runs_of(Workflow(read_yaml(Path("config.yaml"))).plan())
    snakemake(folder, *(run.manifest for run in runs.values()))
    return {name: json.loads((folder / run.manifest).read_text()) for name, run in runs.items()}


def test_it_is_finetuned_on_truth_and_on_weak_labels(made: dict[str, dict[str, Any]]) -> None:
    for name in ("ceiling", "student"):
        measured = made[name]["measured"]
        assert measured["test_accuracy"] >= 0.4, name  # of a balanced set: it knows stories, not this world's words
        assert measured["steps"] >= 10


def test_it_is_probed_and_prompted(made: dict[str, dict[str, Any]]) -> None:
    assert made["probe"]["measured"]["test_accuracy"] >= 0.4
    assert made["prompt"]["measured"]["test_accuracy"] >= 0.3
