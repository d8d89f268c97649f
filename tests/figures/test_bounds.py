"""Bands reach as far as the experiment says, over what the table knows."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from tests.figures.conftest import Shape, numbers, sections
from tests.figures.seen import draw, footer, ys
from w2s.analysis.aggregate import CELL, INTERVAL, MEDIAN
from w2s.analysis.bootstrap import HIGH, LOW
from w2s.figures import bounds, curves, style


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
    found = bounds.of(rows, "accuracy", basis, by="student")
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
    assert bounds.basis(rows, "seeds") == "examples"
    assert bounds.of(rows, "accuracy", "examples", by="student") is None


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


# -- what figures show ---------------------------------------------------------------------------------------

# Those whose bands or whiskers are over test examples where there is one seed.
SHOWN = (
    "fig4",
    "fig8",
    "fig9",
    "fig11",
    "fig15",
    "fig16",
    "fig19",
    "fig21",
    "fig22",
    "fig24",
    "fig25",
    "fig27",
    "diagnostics",
    "labels",
)
OVER_EXAMPLES = "95% bootstrap interval over test examples"


def reaches(figure: Figure) -> list[float]:
    """Heights (of bars that lie, lengths) of bands and whiskers."""
    found = []
    for panel in figure.axes:
        for drawn in panel.collections:
            box = drawn.get_datalim(panel.transData)
            found.append(max(box.height, box.width) if isinstance(drawn, LineCollection) else box.height)
    return [height for height in found if math.isfinite(height)]  # a colour bar has something empty


@pytest.mark.parametrize("name", SHOWN)
def test_one_seed_has_bounds_over_test_examples(name: str, shape: Shape) -> None:
    plan = shape(seeds=1, **sections(name))
    table = numbers(name, plan)
    figure = draw(name, plan, table)
    assert any(height > 0 for height in reaches(figure))
    assert OVER_EXAMPLES in footer(figure)
    without = draw(name, plan, table[[column for column in table if not str(column).endswith((LOW, HIGH))]])
    assert len(reaches(without)) < len(reaches(figure)) or max(reaches(without)) < max(reaches(figure))
    assert OVER_EXAMPLES not in footer(without)


@pytest.mark.parametrize("name", SHOWN)
def test_several_seeds_have_bounds_over_these(name: str, shape: Shape) -> None:
    figure = draw(name, shape(seeds=2, **sections(name)))
    assert OVER_EXAMPLES not in footer(figure)
    assert "lowest to highest" in footer(figure)


@pytest.mark.parametrize("name", SHOWN)
def test_bounds_are_over_test_examples_where_the_experiment_says_so(name: str, shape: Shape) -> None:
    """Seeds of invented numbers do not differ: bounds over these have no height."""
    more = sections(name)
    of_seeds, of_examples = (draw(name, shape(spread=spread, **more)) for spread in ("seeds", "examples"))
    assert sum(reaches(of_examples)) > sum(reaches(of_seeds))
    assert OVER_EXAMPLES in footer(of_examples)
    assert OVER_EXAMPLES not in footer(of_seeds)


@pytest.mark.parametrize("name", [*SHOWN, "fig20", "sandwiching"])
def test_bounds_in_the_table_contain_their_values(name: str, shape: Shape) -> None:
    table = numbers(name, shape(seeds=1, **sections(name)))
    values = [str(column).removesuffix(LOW) for column in table if str(column).endswith(LOW)]
    assert values
    for value in values:
        known = table.dropna(subset=[value, value + LOW, value + HIGH])
        assert (known[value + LOW] - 1e-6 <= known[value]).all()
        assert (known[value] <= known[value + HIGH] + 1e-6).all()
        assert len(known) or value.startswith(("pgr", "auroc"))  # undefined where all truths are 1


@pytest.mark.parametrize("name", ["fig9", "fig11", "fig22"])
def test_bounds_of_means_over_tasks_are_narrower_than_those_of_a_task(name: str, shape: Shape) -> None:
    table = numbers(name, shape(seeds=1))
    accuracies = table.dropna(subset=["method"])
    width = accuracies["accuracy" + HIGH] - accuracies["accuracy" + LOW]
    of_means = accuracies["task"] == INTERVAL
    assert of_means.any()
    assert width[of_means].max() <= width[~of_means].max() + 1e-6
    assert not accuracies[of_means].duplicated([column for column in CELL if column in accuracies]).any()


def cell(seed: int, pgr: float, low: float = math.nan, high: float = math.nan) -> dict[str, object]:
    return {"task": "a", "seed": seed, "kind": "weak", "pgr": pgr, "pgr" + LOW: low, "pgr" + HIGH: high}


def test_a_mean_has_bounds_over_examples_where_every_seed_in_it_has() -> None:
    clear, noise, undefined = cell(0, 0.5, 0.3, 0.7), cell(1, 6.0), cell(2, math.nan)
    for rows, ends in (
        ([clear, undefined], (30, 70)),
        ([clear, cell(1, 0.7, 0.5, 0.9)], (40, 80)),
    ):
        found = bounds.of(pd.DataFrame(rows), "pgr", "examples", by="kind")
        assert found is not None
        assert [end["weak"] for end in found] == pytest.approx(ends, nan_ok=True)
    for some in (clear, cell(0, 0.5)):
        assert bounds.of(pd.DataFrame([noise, some]), "pgr", "examples", by="kind") is None


def test_a_range_of_seeds_is_of_two_at_least_whatever_else_is_known_of_one() -> None:
    clear, undefined = cell(0, 0.5, 0.3, 0.7), cell(1, math.nan)
    table = pd.DataFrame([clear, undefined])
    assert bounds.basis(table, "seeds", "pgr") == "seeds"
    found = bounds.of(table, "pgr", "seeds", by="kind")
    assert found is not None
    assert all(math.isnan(end["weak"]) for end in found)
    found = bounds.of(pd.DataFrame([clear, cell(1, 0.1)]), "pgr", "seeds", by="kind")
    assert found is not None
    assert [end["weak"] for end in found] == [10, 50]


def test_no_line_of_figure_7_shows_the_range_of_seeds_where_the_footer_speaks_of_examples(shape: Shape) -> None:
    """Its students have no predictions at their best step, so nothing is known of them over test examples."""
    plan = shape(spread="examples", seeds=2, **sections("fig7"))
    table = numbers("fig7", plan)
    figure = draw("fig7", plan, table)
    assert OVER_EXAMPLES in footer(figure)
    truth = table[(table["panel"] == "b") & (table["method"] == "truth")]
    bands = [drawn for drawn in figure.axes[1].collections if not isinstance(drawn, LineCollection)]
    assert len(truth)
    assert len(bands) == 1


def test_methods_with_the_same_predictions_have_the_same_bounds(shape: Shape) -> None:
    table = numbers("fig8", shape(seeds=1))
    students = table[table["task"] != INTERVAL].groupby(["task", "supervisor", "student"])
    for value in ("agreement", "agreement_right", "agreement_wrong"):
        assert (students[value + LOW].nunique() == 1).all()
        assert (students[value + HIGH].nunique() == 1).all()
    assert (students["method"].nunique() == 2).all()


def test_figure_9_keeps_the_spread_over_draws_of_examples(shape: Shape) -> None:
    plan = shape(seeds=1)
    left = draw("fig9", plan).axes[0]
    heights = [box.height for box in (drawn.get_datalim(left.transData) for drawn in left.collections)]
    table = numbers("fig9", plan)
    few = table[(table["method"] == "few-shot") & table["supervisor"].isna() & (table["task"] != INTERVAL)] * 1
    ends = few.groupby(["student", "draw"])["accuracy"].mean() * 100
    assert heights[1] == pytest.approx(ends.max() - ends.min())
    said = footer(draw("fig9", plan))
    assert "band: lowest to highest of 2 draws of examples (prompts with examples), 95% bootstrap" in said


@pytest.mark.parametrize("seeds", [1, 2])
def test_figure_20_has_intervals_over_the_puzzles_of_a_bin_and_none_where_it_is_empty(seeds: int, shape: Shape) -> None:
    plan = shape(chess=True, seeds=seeds)
    table = numbers("fig20", plan)
    table.loc[table["rating"] == 1250, ["accuracy", "accuracy" + LOW, "accuracy" + HIGH, "examples"]] = math.nan
    figure = draw("fig20", plan, table)
    assert "95% bootstrap interval over the test puzzles of a bin" in footer(figure)
    first = next(panel for panel in figure.axes if panel.axison)
    rows = table[(table["student"] == "c16") & (table["method"] == "all")]
    expected = rows.groupby("rating")["accuracy" + LOW].mean() * 100
    (whiskers,) = [
        drawn
        for drawn in first.collections
        if isinstance(drawn, LineCollection) and to_hex(np.asarray(drawn.get_edgecolor())[0][:3]) == "#3953a4"
    ]
    lows = {round(segment[0][0] - 50, -2) + 50: segment[0][1] for segment in whiskers.get_segments() if len(segment)}
    assert lows[1150] == pytest.approx(expected[1150])
    assert 1250 not in lows or math.isnan(lows[1250])
    without = table[[name for name in table if "_examples_" not in str(name)]]
    assert "interval" not in footer(draw("fig20", plan, without))


def test_whiskers_of_figure_20_end_at_the_panel_and_the_footer_says_so(shape: Shape) -> None:
    """Bins hold few puzzles, so intervals may reach far above every mean."""
    plan = shape(chess=True, seeds=1)
    table = numbers("fig20", plan)
    table["accuracy"], table["accuracy" + HIGH] = 0.2, 0.23
    assert "cut off" not in footer(draw("fig20", plan, table))
    table.loc[table["rating"] == 1250, "accuracy" + HIGH] = 0.9
    figure = draw("fig20", plan, table)
    assert "cut off at the panel's top" in footer(figure)
    panels = [panel for panel in figure.axes if panel.axison]
    assert all(drawn.get_clip_on() for panel in panels for drawn in panel.collections)


def test_figure_24_names_the_panels_of_each_kind_of_band(shape: Shape) -> None:
    said = footer(draw("fig24", shape(seeds=1)))
    assert f"band: {OVER_EXAMPLES} (a, d), lowest to highest draw of random errors (b, c, e, f)" in said
    said = footer(draw("fig24", shape(seeds=2)))
    assert "band: lowest to highest seed (a, d), lowest to highest draw of random errors and seed (b, c, e, f)" in said


def test_a_panel_is_cut_only_where_marks_lie_beyond_and_says_how_many() -> None:
    _, axes = style.panels(1, 2)
    first, second = axes.flat
    first.plot([1, 2], [-20, 90])
    before = first.get_ylim()
    assert curves.cut(first, -150, 250) == ""
    assert first.get_ylim() == before
    second.plot([1, 2, 3, 4], [-700, 40, math.nan, 90])
    assert curves.cut(second, -150, 250) == "beyond the axis: -700%"
    assert second.get_ylim()[0] == -150
