"""Every test of this folder runs Snakemake or several processes; what several files look at is made once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.workflow.test_dag import checkout, edit_config, snakemake
from w2s.config.files import deep_merge
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan

HERE = Path(__file__).parent
# Rungs this small may get the examples of one class right and no others.
CHANGES: dict[str, Any] = {"nlp": {"difficulty": {"balance": False, "judge": {"by": "judges:easier"}}}}
JUDGE = "def easier(pairs):\n    return [float(len(first) < len(second)) for first, second in pairs]\n"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.workflow)


@pytest.fixture(scope="session")
def plan(tiny_config: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Of what ``made`` holds: the tiny experiment, with a judge of the user's own."""
    root = tmp_path_factory.mktemp("judges")
    (root / "judges.py").write_text(JUDGE)
    return plan_of(deep_merge(tiny_config, CHANGES), "tiny", root)


@pytest.fixture(scope="session")
def targets(request: pytest.FixtureRequest, plan: Plan) -> list[str]:
    """What the files that are run ask for: each says it in ``wanted``, and is in the group ``tiny``."""
    modules = dict.fromkeys(item.module for item in request.session.items if isinstance(item, pytest.Function))
    return [target for module in modules if hasattr(module, "wanted") for target in module.wanted(plan)]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, targets: list[str]) -> Path:
    """A checkout in which one call made all of that, from nothing."""
    folder = checkout(tmp_path_factory.mktemp("tiny") / "checkout")
    edit_config(folder, lambda config: config.update(deep_merge(config, CHANGES)))
    (folder / "judges.py").write_text(JUDGE)
    snakemake(folder, *targets)
    return folder
