"""Difficulty is the rung from which on all are right; training sets are as large at every cutoff, classes equal."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.nlp.difficulty import levels
from w2s.nlp.difficulty.subsets import drawn, fitting


@pytest.mark.parametrize(
    ("right", "level"),
    [
        ([True, False, True, True], 2),  # the paper's own example: C3
        ([True, True, True, True], 0),
        ([False, True, True, True], 1),
        ([True, True, True, False], 4),  # the largest is wrong: beyond every rung
        ([False, False, False, False], 4),
    ],
)
def test_an_example_is_as_difficult_as_the_rung_from_which_on_all_are_right(right: list[bool], level: int) -> None:
    assert levels.level(right) == level


@given(st.lists(st.booleans(), min_size=1, max_size=8))
def test_from_its_level_on_all_are_right_and_below_it_one_is_wrong(right: list[bool]) -> None:
    level = levels.level(right)
    assert all(right[level:])
    assert level == 0 or not right[level - 1]


def test_equal_classes_are_drawn_whatever_the_order() -> None:
    labels = {f"e{number}": int(number % 4 == 0) for number in range(40)}
    ids = list(labels)
    assert fitting(ids, labels, balance=True) == 20
    assert fitting(ids, labels, balance=False) == 40
    chosen = drawn(ids, labels, 12, balance=True, seed="s")
    assert sum(labels[one] for one in chosen) == 6
    assert (
        chosen == drawn(ids[::-1], labels, 12, balance=True, seed="s") != drawn(ids, labels, 12, balance=True, seed="t")
    )


EXAMPLES = 24  # of either half
RUNGS = 3


def table(folder: Path, columns: dict[str, Any], name: str = "predictions.parquet") -> Path:
    folder.mkdir()
    artifacts.write_table(folder / name, columns)
    return folder


@pytest.fixture
def parents(tmp_path: Path) -> dict[str, Path]:
    """Rung r gets the examples right whose number modulo 4 is at most r; runs err on all that they have trained on."""
    halves = ["weak"] * EXAMPLES + ["strong"] * EXAMPLES
    ids = [f"{half[0]}{number:02}" for number, half in enumerate(halves)]
    truth = [number // 4 % 2 for number in range(2 * EXAMPLES)]
    columns: dict[str, Any] = {"id": [*ids, "v"], "part": [*halves, "validation"], "label": [*truth, 1]}
    found = {"data": table(tmp_path / "data", columns, "examples.parquet")}
    for half in ("weak", "strong"):
        for rung in range(RUNGS):
            right = [number % 4 <= rung and where == half for number, where in enumerate(halves)]
            said = [0.9 if one == bool(true) else 0.1 for one, true in zip(right, truth, strict=True)]
            columns = {"id": ids, "part": halves, "truth": truth, "probability": said}
            found[f"{half}{rung}"] = table(tmp_path / f"{half}{rung}", columns)
    return found


def made(parents: dict[str, Path], folder: Path, **spec: Any) -> tuple[dict[str, list[Any]], dict[str, Any]]:
    folder.mkdir()
    identity = SimpleNamespace(spec={"rungs": RUNGS, "balance": True, "seed": 0} | spec)
    build: Any = SimpleNamespace(identity=identity, folder=folder, measured={})
    levels.make(build, parents)
    return artifacts.read_table(folder / "examples.parquet").to_pydict(), build.measured


def test_each_half_is_judged_by_runs_that_have_not_seen_it(parents: dict[str, Path], tmp_path: Path) -> None:
    found, measured = made(parents, tmp_path / "levels")
    assert found["level"] == [number % 4 for number in range(2 * EXAMPLES)]
    assert measured["levels"] == [12, 12, 12, 12]
    assert measured["held_out_accuracy"] == [0.25, 0.5, 0.75]
    assert "v" not in found["id"]


def test_every_cutoff_has_as_many_of_either_class_and_none_that_is_harder(
    parents: dict[str, Path], tmp_path: Path
) -> None:
    found, measured = made(parents, tmp_path / "levels")
    assert measured["trained_on"] == 12
    for cutoff in range(RUNGS + 1):
        chosen = [number for number, one in enumerate(found[f"up_to_{cutoff}"]) if one]
        assert len(chosen) == 12
        assert sum(found["label"][number] for number in chosen) == 6
        assert max(found["level"][number] for number in chosen) <= cutoff
    assert found["up_to_1"] != found["up_to_2"]


def test_without_an_easiest_example_it_is_one_line(parents: dict[str, Path], tmp_path: Path) -> None:
    parents["weak0"], parents["strong0"] = parents["strong0"], parents["weak0"]  # wrong on every example
    with pytest.raises(UserError, match=r"examples that every rung gets right: none, .* leave_out"):
        made(parents, tmp_path / "levels")
