"""The table of stages: what each stage's ``make`` is given is what it asks for."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from w2s.experiments.settings import STAGES
from w2s.graph import stage as stages


@pytest.mark.parametrize("name", STAGES)
def test_every_stage_is_given_what_its_make_asks_for(name: str) -> None:
    stage = STAGES[name]
    parameters = inspect.signature(import_module(stage.module).make, eval_str=True).parameters.values()
    asked = [one for one in parameters if one.kind is not one.KEYWORD_ONLY][1:]  # the others are for callers in Python
    given = stage.arguments.split()
    assert len(given) == len(asked)
    for argument, parameter in zip(given, asked, strict=True):
        kinds = {"environment": "Mapping[str, ", "parents": "Mapping[str, pathlib.Path]"}
        kinds["directories"] = "list[pathlib.Path]"
        kind = "pathlib.Path | None" if argument.endswith("?") else kinds.get(argument, "<class 'pathlib.Path'>")
        assert kind in str(parameter.annotation)


def test_roles_arrive_in_order_and_what_is_absent_as_none(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(stages, "import_module", lambda name: SimpleNamespace(make=lambda *words: given.extend(words)))
    build: Any = SimpleNamespace()
    parents = {"model": Path("m"), "data": Path("d"), "subset": Path("s")}
    STAGES["finetune"].make(build, parents, {"gpus": 1})
    assert given == [build, Path("d"), Path("m"), None, {"gpus": 1}, Path("s"), None, parents]
