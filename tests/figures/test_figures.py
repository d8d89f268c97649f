"""A figure is drawn from its CSV alone, whatever holes the numbers have."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from w2s import figures
from w2s.analysis import pairs
from w2s.analysis.pgr import median_defined, pgr
from w2s.errors import UserError
from w2s.plan import Plan, Run
from w2s.workflow import plan_of

ABOUT = {"experiment": "smoke", "commit": "0123456789"}


def predictions(run: Run) -> dict[str, list[Any]]:
    """Test accuracy by rung and labels: truth .6, .7, .8, .9; students half way to their ceiling."""
    rungs = ["w24", "w32", "w64", "w128"]
    ceiling = 60 + 10 * rungs.index(run.rung)
    right = ceiling
    if run.labels != "truth":
        weak = 60 + 10 * rungs.index(run.labels.removeprefix("from-"))
        right = (weak + ceiling) // 2
    return {
        "part": ["test"] * 100 + ["validation"],
        "truth": [1] * 101,
        "probability": [0.9] * right + [0.1] * (100 - right) + [0.1],
        "probability_last": [0.9] * 101,
    }


@pytest.fixture(scope="module")
def rows(smoke: Plan) -> list[pairs.Row]:
    return list(figures.module("fig5").tabulate(smoke, predictions))


def test_numbers_of_figure_5(rows: list[pairs.Row]) -> None:
    table = pd.DataFrame(rows)
    middle = table[table["task"] == pairs.MEDIAN]
    truth = middle[middle["method"] == pairs.TRUTH].groupby("student")["accuracy"].first()
    assert truth.to_dict() == {"w24": 0.6, "w32": 0.7, "w64": 0.8, "w128": 0.9}
    naive = middle[(middle["method"] == "naive") & (middle["supervisor"] == "w24")].set_index(["seed", "student"])
    assert naive.loc[(0, "w128"), "pgr"] == pytest.approx(0.5)
    assert naive["pgr"].isna().loc[(0, "w24")]  # same size: accuracy only
    each = table[table["task"] != pairs.MEDIAN]
    assert len(each) == 8 * 2 * (4 + 9 * 2)


def test_figure_5_has_the_papers_panels(rows: list[pairs.Row]) -> None:
    figure: Figure = figures.module("fig5").draw(pd.DataFrame(rows), ABOUT)
    left, right = figure.axes
    assert left.get_xscale() == right.get_xscale() == "log"
    assert len(left.lines) == 1 + 3 * 2  # ceiling, supervisors x methods
    assert {line.get_linestyle() for line in left.lines} == {"-", ":"}
    assert "^" in {line.get_marker() for line in left.lines}
    assert "accuracy" in left.get_ylabel()
    assert "performance gap recovered" in right.get_ylabel()
    assert left.collections  # two seeds: a band
    assert "smoke" in figure.get_supxlabel()


def test_one_seed_has_no_band_and_undefined_pgr_does_not_break_the_figure(
    config: dict[str, Any], rows: list[pairs.Row]
) -> None:
    table = pd.DataFrame(rows)
    table = table[table["seed"] == 0].copy()
    table["pgr"] = math.nan
    figure: Figure = figures.module("fig5").draw(table, ABOUT)
    assert not figure.axes[0].collections
    assert "PGR undefined" in figure.get_supxlabel()


def test_a_method_of_the_users_own_gets_a_line_of_its_own(config: dict[str, Any]) -> None:
    config["methods"]["mine"] = {"objective": "confidence", "parameters": {"alpha_max": 0.2}}
    config["nlp"]["methods"] = ["naive", "confidence", "mine"]
    plan = plan_of(config, "mine")
    figure: Figure = figures.module("fig5").draw(
        pd.DataFrame(figures.module("fig5").tabulate(plan, predictions)), ABOUT
    )
    assert len(figure.axes[0].lines) == 1 + 3 * 3


def test_a_csv_round_trip_draws_the_same_bytes(rows: list[pairs.Row], tmp_path: Path) -> None:
    pd.DataFrame(rows).to_csv(tmp_path / "fig5.csv", index=False)
    drawn = []
    for name in ("one.pdf", "two.pdf"):
        figure: Figure = figures.module("fig5").draw(pd.read_csv(tmp_path / "fig5.csv"), ABOUT)
        figure.savefig(tmp_path / name, metadata={"CreationDate": None})
        drawn.append((tmp_path / name).read_bytes())
    assert drawn[0] == drawn[1]


def test_figures_are_found_by_the_users_names() -> None:
    assert "fig5" in figures.names()
    assert figures.module_name("fig5") == "w2s.figures.fig05"
    with pytest.raises(UserError, match="unknown figure 'fig55'; did you mean 'fig5'"):
        figures.module("fig55")


@pytest.mark.parametrize(
    ("weak", "student", "ceiling", "expected"),
    [(0.6, 0.7, 0.8, 0.5), (0.6, 0.5, 0.8, -0.5), (0.6, 0.9, 0.8, 1.5)],
)
def test_pgr_is_not_clipped(weak: float, student: float, ceiling: float, expected: float) -> None:
    assert pgr(weak, student, ceiling) == pytest.approx(expected)


def test_pgr_is_undefined_where_the_ceiling_is_no_better_than_the_supervisor() -> None:
    assert math.isnan(pgr(0.7, 0.7, 0.7))
    assert math.isnan(pgr(0.8, 0.7, 0.7))
    assert pgr(0.8, 0.75, 0.7, keep_inverted=True) == pytest.approx(0.5)
    assert math.isnan(pgr(0.7, 0.8, 0.7, keep_inverted=True))


def test_medians_leave_out_and_count_what_is_undefined() -> None:
    assert median_defined([0.1, math.nan, 0.5, 0.3]) == (0.3, 1)
    middle, undefined = median_defined([math.nan, math.nan])
    assert math.isnan(middle)
    assert undefined == 2
