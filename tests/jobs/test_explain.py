"""``w2s explain`` says what a path is, its parents, and the field that sets it apart."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.graph.artifact import Artifact
from w2s.graph.stage import Stage
from w2s.jobs.explain import explain_path
from w2s.jobs.workflow import Workflow


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def pretend(artifact: Artifact) -> None:
    """Put an artifact's directory there, without the work."""
    with artifacts.building(Path(artifact.path), artifact.identity) as build:
        assert build is not None
        (build.folder / "history.csv").write_text("step\n")


def test_a_planned_run_is_explained_before_it_is_made(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    run = workflow.default.nlp.student("sciq", "w8", "w16", "confidence", 0)
    text = explain_path(Path(run.manifest), workflow)
    assert "finetune w16 on sciq: labels from w8, confidence, seed 0" in text
    assert "not made yet" in text
    assert f"labels: {workflow.default.nlp.truth('sciq', 'w8', 0).path}" in text
    assert "nearest neighbour: " in text


def test_the_differing_field_of_an_earlier_result_is_named(tiny_config: dict[str, Any]) -> None:
    before = Workflow(tiny_config)
    pretend(before.default.nlp.truth("sciq", "w16", 0))
    edited = copy.deepcopy(tiny_config)
    edited["nlp"]["ladder"][1]["learning_rate"] = 5e-4
    after = Workflow(edited)
    run = after.default.nlp.truth("sciq", "w16", 0)
    pretend(run)
    text = explain_path(Path(run.path), after)
    assert f"nearest neighbour: {before.default.nlp.truth('sciq', 'w16', 0).path}" in text
    assert "    learning_rate: 0.0005 here, 0.001 there" in text
    assert text.count(" there") == 1
    assert "every file is intact" in text


def test_a_result_of_a_forgotten_config_is_explained_from_its_manifest(tiny_config: dict[str, Any]) -> None:
    edited = copy.deepcopy(tiny_config)
    edited["nlp"]["ladder"][1]["learning_rate"] = 5e-4
    run = Workflow(edited).default.nlp.truth("sciq", "w16", 0)
    pretend(run)
    assert "not (or no longer) configured" in explain_path(Path(run.path), Workflow(tiny_config))


def test_a_result_of_an_unknown_stage_is_named_as_such_and_is_no_neighbour(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    run = workflow.default.nlp.truth("sciq", "w16", 0)
    other = Artifact(Stage("former", 1, "", ""), run.name, "", {})
    pretend(other)
    with pytest.raises(UserError, match="unknown stage id 'former'"):
        explain_path(Path(other.path), workflow)
    assert "nearest neighbour: " in explain_path(Path(run.path), workflow)


def test_a_damaged_result_says_so(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    run = workflow.default.nlp.truth("sciq", "w16", 0)
    pretend(run)
    (Path(run.path) / "history.csv").write_text("edited\n")
    assert "damaged: " in explain_path(Path(run.path), workflow)


@pytest.mark.parametrize(
    ("path", "said"),
    [("README.md", "not an artifact's path"), ("results/models/w8-0123456789", "no run with key 0123456789")],
)
def test_what_is_no_artifact_is_a_clear_mistake(tiny_config: dict[str, Any], path: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        explain_path(Path(path), Workflow(tiny_config))
