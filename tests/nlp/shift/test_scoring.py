"""A run that is scored elsewhere is trained as without it, and is scored on questions that it was not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from w2s.config.files import deep_merge
from w2s.engine import artifacts
from w2s.experiments.loading import plan_of
from w2s.graph.artifact import Artifact
from w2s.nlp import examples
from w2s.nlp.specs import ELSEWHERE

TESTS = {"nlp": {"shift": {"tests": [{"task": "sciq", "other": "boolq"}, {"task": "sciq", "other": "sst2"}]}}}


def made(one: Artifact) -> Path:
    """The artifact's folder, once it and all that it descends from are there."""
    parents = {role: made(parent) for role, parent in one.parents.items()}
    with artifacts.building(Path(one.path), one.identity, one.stage.manifest) as build:
        if build is not None:
            one.stage.make(build, parents, one.environment)
    return Path(one.path)


def predicted(one: Artifact) -> dict[str, list[Any]]:
    table: dict[str, list[Any]] = artifacts.read_table(made(one) / "predictions.parquet").to_pydict()
    return table


@pytest.mark.slow
def test_predictions_of_its_own_parts_are_those_of_the_ordinary_run(
    tiny_config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nlp = plan_of(deep_merge(tiny_config, TESTS), "tiny").nlp
    ordinary, both = (of.student("sciq", "w8", "w16", "naive", 0) for of in (nlp, nlp.shift))
    alone, table = predicted(ordinary), predicted(both)
    count = len(alone["id"])
    assert {name: column[:count] for name, column in table.items()} == alone
    histories = [(made(run) / "history.csv").read_bytes() for run in (ordinary, both)]
    assert histories[0] == histories[1]
    others = {f"{ELSEWHERE}{test.name}": nlp.shift.data(test, 0) for test in nlp.shift.tests}
    assert list(dict.fromkeys(table["part"][count:])) == list(others) == ["elsewhere-boolq", "elsewhere-sst2"]
    for part, data in others.items():
        truth = artifacts.read_table(made(data) / "examples.parquet").to_pydict()
        tested = {
            one: label
            for one, label, of in zip(truth["id"], truth["label"], truth["part"], strict=True)
            if of == "test"
        }
        numbers = [number for number, of in enumerate(table["part"]) if of == part]
        assert {table["id"][number]: table["truth"][number] for number in numbers} == tested
        groups = examples.groups_of(made(data))
        assert not {groups[one] for one in tested} & examples.trained_groups(made(nlp.data("sciq", 0)))
