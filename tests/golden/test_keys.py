"""A change of code that is not meant to change results moves no key."""

from __future__ import annotations

import pytest

from tests.conftest import ROOT
from tests.golden import freeze
from w2s.config.files import read_yaml
from w2s.experiments.settings import STAGES
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow


@pytest.fixture(scope="module")
def current() -> dict[str, list[str]]:
    return freeze.current()


@pytest.mark.parametrize("experiment", [freeze.IN_FULL, *freeze.BY_FOLDER])
def test_every_artifact_has_the_path_that_it_had(experiment: str, current: dict[str, list[str]]) -> None:
    known = freeze.file_of(experiment).read_text(encoding="utf-8").splitlines()
    moved = sorted({*known} ^ {*current[experiment]})
    assert not moved, f"{len(moved)} lines differ; if that is meant, run python tests/golden/freeze.py: {moved[:6]}"


def test_every_stage_has_an_artifact_in_the_lists() -> None:
    workflow = Workflow(read_yaml(ROOT / "config.yaml"), ROOT)
    plans = (workflow.plan(), *map(workflow.plan, freeze.BY_FOLDER))
    listed = {one.stage.name for plan in plans for one in with_ancestors(plan.everything()).values()}
    assert listed == set(STAGES)
