"""Bands reach as far as the experiment says, over what the table knows."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from tests.figures.conftest import Shape, numbers
from tests.figures.seen import draw, footer, ys
from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.figures import bounds


def table(seeds: int, *, tasks: bool = True, examples: bool = True) -> pd.DataFrame:
    rows = [
        {"task": MEDIAN, "seed": seed, "student": "w8", "accuracy": 0.7 + seed / 10, "accuracy_examples_low": 0.1}
        | {"accuracy_examples_high": 0.9}
        for seed in range(seeds)
    ]
    over = {"accuracy_low": 0.6, "accuracy_high": 0.95, "accuracy_examples_low": 0.65, "accuracy_examples_high": 0.85}
    found = pd.DataFrame([*rows, {"task": INTERVAL, "student": "w8"} | over])
    gone = [name for name in found if str(name).endswith(("_low", "_high"))]
    keep = [name for name in gone if (examples if "_examples_" in str(name) else tasks)]
    return found.drop(columns=[name for name in gone if name not in keep])


@pytest.mark.parametrize(
    ("spread", "seeds", "known", "basis", "ends"),
    [
        ("seeds", 2, {}, "seeds", (70, 80)),
        ("seeds", 1, {}, "examples", (65, 85)),
        ("examples", 2, {}, "examples", (65, 85)),
        ("tasks", 2, {}, "tasks", (60, 95)),
        ("tasks", 2, {"tasks": False}, "seeds", (70, 80)),
        ("tasks", 1, {"tasks": False}, "examples", (65, 85)),
        ("examples", 2, {"examples": False}, "seeds", (70, 80)),
        ("seeds", 1, {"examples": False, "tasks": False}, None, None),
    ],
)
def test_bounds_are_over_what_is_asked_for_or_the_next_best(
    spread: str, seeds: int, known: dict[str, bool], basis: str | None, ends: tuple[float, float] | None
) -> None:
    rows = table(seeds, **known)
    assert bounds.basis(rows, spread) == bounds.basis(rows, spread, "accuracy") == basis
    found = bounds.of(rows, "accuracy", spread, by="student")
    assert (found is None) == (ends is None)
    if found and ends:
        assert [float(end["w8"]) for end in found] == pytest.approx(list(ends))


def test_single_tasks_have_the_mean_of_their_seeds_bounds() -> None:
    rows = table(2).query("task == 'median'").assign(task="sciq")
    rows["accuracy_examples_low"] = [0.2, 0.4]
    found = bounds.of(rows, "accuracy", "examples", by="student")
    assert found
    assert [float(end["w8"]) for end in found] == pytest.approx([30, 90])


def test_an_end_without_bound_is_not_drawn() -> None:
    rows = table(1).query("task == 'median'").assign(accuracy_examples_high=math.inf)
    assert bounds.of(rows, "accuracy", "seeds", by="student") is None


def test_a_wide_band_is_cut_off_where_it_would_flatten_the_curves_and_the_footer_says_so(shape: Shape) -> None:
    plan = shape(chess=True, seeds=1)
    table = numbers("fig4", plan)
    wide = table.assign(pgr_examples_low=table["pgr"] - 9, pgr_examples_high=table["pgr"] + 0.01)
    wide = wide.assign(accuracy_examples_low=table["accuracy"] - 0.01, accuracy_examples_high=table["accuracy"] + 0.01)
    figure = draw("fig4", plan, wide)
    panel = figure.axes[1]
    drawn = [height for line in panel.lines for height in ys(line)]
    low, high = panel.get_ylim()
    assert low < min(drawn) <= max(drawn) < high
    assert high - low < 4 * max(10, max(drawn) - min(drawn))
    assert "bands are cut off" in footer(figure)
    assert "cut off" not in footer(draw("fig4", plan, wide.assign(pgr_examples_low=table["pgr"] - 0.01)))
