"""A tiny checkout with all runs that the bench compares with, made once."""

from __future__ import annotations

import json
from collections.abc import Iterable
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import pytest

from w2s.bench import protocol, scoring
from w2s.bench.protocol import Compared
from w2s.config.files import deep_merge
from w2s.engine import artifacts
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, with_ancestors

Bench = tuple[Path, Plan]


def make(wanted: Iterable[Artifact]) -> None:
    """Make artifacts and what they need, in the working directory."""
    found = with_ancestors(wanted)
    order = TopologicalSorter({key: [one.key for one in artifact.parents.values()] for key, artifact in found.items()})
    for key in order.static_order():
        artifact = found[key]
        with artifacts.building(Path(artifact.path), artifact.identity, artifact.stage.manifest) as build:
            assert build is not None
            parents = {role: Path(parent.path) for role, parent in artifact.parents.items()}
            artifact.stage.make(build, parents, artifact.environment)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What uses the checkout runs in one process, which makes it once."""
    for item in items:
        if isinstance(item, pytest.Function) and "bench" in item.fixturenames:
            item.add_marker(pytest.mark.xdist_group("bench"))


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory, tiny_config: dict[str, Any]) -> Bench:
    """(the checkout, its plan): three rungs, so that there are two supervisors."""
    root = tmp_path_factory.mktemp("checkout")
    first, last = tiny_config["nlp"]["ladder"]
    ladder = [first, {**first, "name": "w12", "width": 12}, last]
    config = deep_merge(tiny_config, {"settings": ["nlp"], "nlp": {"ladder": ladder}})
    (root / "config.yaml").write_text(json.dumps(config))
    plan = plan_of(config, "config.yaml", root)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        make(protocol.needed(plan))
    return root, plan


@pytest.fixture
def cells(bench: Bench) -> list[Compared]:
    return protocol.cells(bench[1])


def submission(bench: Bench, folder: Path, code: str, *, sealed: bool) -> scoring.Submission:
    """A method of this code."""
    method, work = folder / "my_method.py", folder / "submission"
    method.write_text(code)
    work.mkdir()
    return scoring.Submission(method, bench[0], work, sealed)
