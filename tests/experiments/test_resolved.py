"""``w2s config``: what an experiment comes to, and which file says so."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from w2s.config.files import read_yaml
from w2s.experiments import resolved
from w2s.experiments.resolved import DEFAULT, Line
from w2s.jobs.workflow import Workflow

BASE: dict[str, Any] = {"a": {"b": 1, "c": 2}, "list": [1], "methods": {"x": {"p": 1}}}
OVERLAY: dict[str, Any] = {"a": {"c": 3}, "list": [2, 3]}


def origins(found: list[Line]) -> dict[str, str]:
    return {".".join(map(str, line.path)): line.origin for line in found if not line.is_section}


def test_each_value_has_the_file_that_says_so() -> None:
    merged = {"a": {"b": 1, "c": 3}, "list": [2, 3], "methods": {"x": {"p": 1, "q": 0.5}}, "unset": None}
    found = list(resolved.lines(merged, [("over.yaml", OVERLAY), ("base.yaml", BASE)], ()))
    assert origins(found) == {
        "a.b": "base.yaml",
        "a.c": "over.yaml",
        "list": "over.yaml",
        "methods.x.p": "base.yaml",
        "methods.x.q": DEFAULT,
    }


def test_a_rung_that_is_only_named_comes_from_a_ladder() -> None:
    rungs = [{"name": "own", "width": 8}, {"name": "shipped", "source": "hub/it", "truth": False}]
    given = {"ladder": [rungs[0], {"name": "shipped", "truth": False}]}
    found = list(resolved.lines({"ladder": rungs}, [("over.yaml", given)], ["shipped"]))
    assert [line.origin for line in found[1:]] == ["over.yaml", "config/ladders, named in over.yaml"]


@pytest.mark.parametrize("name", [None, *sorted(path.stem for path in (ROOT / "config").glob("*.yaml"))])
def test_every_shipped_experiment_prints_as_yaml_that_says_the_same(name: str | None) -> None:
    of = Workflow(read_yaml(ROOT / "config.yaml"), ROOT)
    experiment = of.plan(name).experiment.model_dump(mode="json")
    found = list(resolved.lines(experiment, of.layers(name), of.shipped_rungs()))
    read = yaml.safe_load(resolved.as_text(found))
    assert without_null(read) == without_null(experiment)


def without_null(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_null(one) for key, one in value.items() if one is not None}
    return [without_null(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", sorted(path.stem for path in (ROOT / "config").glob("*.yaml")))
def test_no_overlay_inherits_entries_whose_keys_are_data(name: str) -> None:
    """What smoke says of single subsets and tasks holds for no other data: an overlay repeats it or removes it."""
    of = Workflow(read_yaml(ROOT / "config.yaml"), ROOT)
    experiment = of.plan(name).experiment.model_dump(mode="json")
    found = list(resolved.lines(experiment, of.layers(name), of.shipped_rungs()))
    entries = [line for line in found if line.path[:-1] in {("chess", "sizes", "fewer"), ("nlp", "prompting", "texts")}]
    if experiment["settings"] is None or (of.plan(name).there() == ["nlp"] and experiment["data"]["source"] == "world"):
        return  # smoke's own data
    assert not [line for line in entries if line.origin == "config.yaml"]


def test_some_keys_come_with_the_sections_they_stand_in() -> None:
    found = list(resolved.lines(BASE, [("base.yaml", BASE)], ()))
    assert [line.path for line in resolved.below(found, ["a.b", "list"])] == [("a",), ("a", "b"), ("list",)]
    with pytest.raises(KeyError):
        resolved.below(found, ["a.d"])
