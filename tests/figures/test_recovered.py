"""The two readings of PGR: which one a figure follows, and that it says so."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from tests.figures.conftest import Shape, about, numbers, sections
from tests.figures.seen import draw, footer, lines, ys
from w2s import figures
from w2s.analysis.aggregate import INTERVAL
from w2s.figures import recovered, style
from w2s.graph.artifact import Run

SHOWN = ["fig2", "fig3", "fig4", "fig5", "fig7", "fig10", "fig13", "fig17", "fig18", "fig25", "fig27", "methods"]
SHOWN += ["diagnostics", "labels", "sandwiching", "table3"]
NOT_SHOWN = ["fig6", "fig8", "fig9", "fig11", "fig12", "fig15", "fig16", "fig19", "fig20", "fig23", "fig26"]


def inverted(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the gap from w16 to w40 turned round: undefined, or 80% as in the paper."""
    gap = (table["supervisor"] == "w16") & (table["student"] == "w40") & (table["task"] != INTERVAL)
    return table.assign(
        pgr=table["pgr"].mask(gap),
        pgr_inverted_kept=table["pgr_inverted_kept"].mask(gap, 0.8),
        undefined=table["undefined"].mask(gap, 1),
    )


@pytest.mark.parametrize(
    ("more", "drawn"), [({}, [50, 50]), ({"pgr": "paper"}, [50, 50, 80]), ({"overlay_paper": True}, [50, 50, 80])]
)
def test_figures_leave_inverted_gaps_out_or_keep_them_as_the_paper_does(
    more: dict[str, Any], drawn: list[float], shape: Shape
) -> None:
    plan = shape(nlp={"methods": ["naive"]}, **more)
    table = inverted(numbers("fig5", plan))
    figure = draw("fig5", plan, table)
    colour = style.supervisor_colours(table)["w16"]
    (line,) = lines(figure.axes[1], colour, "o")
    assert ys(line) == pytest.approx(drawn)
    students = "8 students"  # four tasks, two seeds
    if more:
        assert f"{recovered.NOTE} ({students})" in footer(figure)
        assert "undefined" not in footer(figure)
    else:
        assert f"PGR undefined (ceiling no better than supervisor) for {students}" in footer(figure)
        assert recovered.NOTE not in footer(figure)


def test_without_any_gap_pgr_is_undefined_in_both_readings(shape: Shape) -> None:
    plan = shape(pgr="paper", nlp={"methods": ["naive"]})
    table = inverted(numbers("fig5", plan)).assign(pgr_inverted_kept=math.nan)
    assert "PGR undefined (ceiling equal to supervisor) for 8 students" in footer(draw("fig5", plan, table))


@pytest.mark.parametrize("name", [*SHOWN, *NOT_SHOWN])
def test_a_figure_says_which_reading_it_follows_where_it_shows_pgr(name: str, shape: Shape) -> None:
    plan = shape(pgr="paper", **sections(name))
    assert (recovered.NOTE in footer(draw(name, plan))) == (name in SHOWN)
    assert recovered.NOTE not in footer(draw(name, shape(**sections(name))))


def test_the_papers_reading_has_its_own_bounds() -> None:
    rows = {"pgr": math.nan, "pgr_low": 0.1, "pgr_high": 0.2, "pgr_inverted_kept": 0.8, "pgr_inverted_kept_low": 0.5}
    (row,) = recovered.read(pd.DataFrame([rows]), {"pgr": "paper"}).to_dict("records")
    assert (row["pgr"], row["pgr_low"]) == (0.8, 0.5)
    assert math.isnan(row["pgr_high"])  # not known of this reading
    (row,) = recovered.read(pd.DataFrame([rows]), {"pgr": "strict"}).to_dict("records")
    assert row["pgr_low"] == 0.1


def test_with_clear_gaps_both_readings_are_the_same(shape: Shape) -> None:
    plan = shape(seeds=1)
    table = numbers("fig5", plan)
    clear = table[(table["within_noise"] == 0) & (table["undefined"] == 0)]
    assert len(clear)
    for part in ("", "_examples_low", "_examples_high"):
        assert list(clear[f"pgr_inverted_kept{part}"]) == pytest.approx(list(clear[f"pgr{part}"]), abs=0.02)


def test_the_reading_moves_no_run(shape: Shape) -> None:
    paths = [
        {one.path for one in figures.module("fig5").needs(shape(pgr=reading)) if isinstance(one, Run)}
        for reading in ("strict", "paper")
    ]
    assert paths[0] == paths[1]
    assert about(shape(pgr="paper"))["pgr"] == "paper"
