"""Parameters are read off a function's source, typed and in range; nothing is imported for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from w2s.config.parameters import Parameter, of_function, takes_progress
from w2s.errors import UserError

SOURCE = """
import nothing_of_this_name
from typing import Annotated, Literal
from w2s.training.objectives import Between

def loss(logits, labels, *, progress, plain: float = 1, ranged: Annotated[float, Between(0, 5)] = 0.5,
         count: Annotated[int, Between(1, 9)] = 3, hard: bool = False, kind: Literal["soft", "sharp"] = "soft",
         bare=2.0, needed: float):
    return logits

def careless(logits, labels, weights, *, a: float = 1): ...
def odd(logits, labels, *, a: list[float] = 1): ...
def beyond(logits, labels, *, a: Annotated[float, Between(0, 1)] = 2): ...
def moving(logits, labels, *, a: float = nothing_of_this_name.x): ...
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(SOURCE)
    return tmp_path / "mine.py"


def test_kinds_defaults_and_ranges_stand_in_the_signature(path: Path) -> None:
    found = of_function(path, "loss")
    assert list(found) == ["plain", "ranged", "count", "hard", "kind", "bare", "needed"]
    assert found["ranged"] == Parameter(0.5, 0, 5)
    assert found["plain"].default == 1.0
    assert isinstance(found["plain"].default, float)
    assert (found["count"].kind, found["hard"].kind, found["kind"].choices) == ("int", "bool", ("soft", "sharp"))
    assert found["bare"].kind == "float"
    assert found["needed"].default is None
    assert takes_progress(path, "loss")
    assert not takes_progress(path, "beyond")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("los", "no function 'los'; did you mean 'loss'? available: beyond, careless, loss, moving, odd"),
        ("careless", "careless takes (logits, labels, weights); expected (logits, labels, *, ...)"),
        ("odd", "parameter 'a': type 'list[float]' is not allowed; allowed: float, int, bool"),
        ("beyond", "parameter 'a': default: 2 is not allowed; allowed: 0 to 1"),
        ("moving", "parameter 'a': default: nothing_of_this_name.x is not a constant"),
    ],
)
def test_a_mistake_in_a_signature_is_one_line_with_its_place(path: Path, name: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        of_function(path, name)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_broken_source_is_one_line_with_its_line(path: Path) -> None:
    path.write_text("def loss(:\n")
    with pytest.raises(UserError, match=r"mine.py:1: not valid Python"):
        of_function(path, "loss")


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        (Parameter(0.5, 0, 1), 1.5, "here: 1.5 is not allowed; allowed: 0 to 1"),
        (Parameter(0.5, 0, 1), True, "here: True is not allowed; allowed: 0 to 1"),
        (Parameter(0.5), "much", "here: 'much' is not allowed; allowed: any number"),
        (Parameter(0.5), float("nan"), "here: nan is not allowed; allowed: any number"),
        (Parameter(3, 1, 9, "int"), 2.5, "here: 2.5 is not allowed; allowed: whole numbers, 1 to 9"),
        (Parameter(3, 1, kind="int"), 0, "here: 0 is not allowed; allowed: whole numbers, 1 and more"),
        (Parameter(False, kind="bool"), 1, "here: 1 is not allowed; allowed: true, false"),
        (Parameter("a", kind="choice", choices=("a", "b")), "c", "here: 'c' is not allowed; allowed: a, b"),
    ],
)
def test_a_value_that_cannot_be_is_refused_with_what_can(parameter: Parameter, value: float, said: str) -> None:
    with pytest.raises(UserError) as caught:
        parameter.checked(value, "here")
    assert str(caught.value).startswith(said)


def test_values_come_in_the_parameters_own_kind() -> None:
    assert isinstance(Parameter(0.5).checked(1, "here"), float)
    assert isinstance(Parameter(3, kind="int").checked(2.0, "here"), int)
