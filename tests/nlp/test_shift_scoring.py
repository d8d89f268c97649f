"""A run that is scored elsewhere is trained as without it, and is scored on questions that it was not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.made import made, table_of
from w2s.config.files import deep_merge
from w2s.config.shift import ELSEWHERE
from w2s.experiments.loading import plan_of

TESTS = {"nlp": {"shift": {"tests": [{"task": "sciq", "other": "boolq"}, {"task": "sciq", "other": "sst2"}]}}}


@pytest.mark.slow
def test_predictions_of_its_own_parts_are_those_of_the_ordinary_run(
    tiny_config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    nlp = plan_of(deep_merge(tiny_config, TESTS), "tiny").nlp
    ordinary, both = (of.student("sciq", "w8", "w16", "naive", 0) for of in (nlp, nlp.shift))
    alone, table = (table_of(run, "predictions") for run in (ordinary, both))
    count = len(alone["id"])
    assert {name: column[:count] for name, column in table.items()} == alone
    histories = [(made(run) / "history.csv").read_bytes() for run in (ordinary, both)]
    assert histories[0] == histories[1]
    others = {f"{ELSEWHERE}{test.name}": nlp.shift.data(test, 0) for test in nlp.shift.tests}
    assert list(dict.fromkeys(table["part"][count:])) == list(others) == ["elsewhere-boolq", "elsewhere-sst2"]
    own = table_of(nlp.data("sciq", 0), "examples")
    trained = {group for group, of in zip(own["group"], own["part"], strict=True) if of != "test"}
    for part, data in others.items():
        truth = table_of(data, "examples")
        tested = {
            one: label
            for one, label, of in zip(truth["id"], truth["label"], truth["part"], strict=True)
            if of == "test"
        }
        numbers = [number for number, of in enumerate(table["part"]) if of == part]
        assert {table["id"][number]: table["truth"][number] for number in numbers} == tested
        groups = {group for group, of in zip(truth["group"], truth["part"], strict=True) if of == "test"}
        assert not groups & trained
