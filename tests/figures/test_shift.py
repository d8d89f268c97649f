"""What the figure of other test sets shows: own and other test set of every run, at the values behind them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.figures.conftest import Shape, numbers
from tests.figures.seen import draw, footer, xs
from w2s.errors import LackingError
from w2s.experiments.plan import Plan
from w2s.figures import module, text

TESTS: dict[str, Any] = {
    "tests": [{"task": "sciq", "other": "boolq"}, {"task": "boolq", "other": "openbookqa"}],
    "methods": ["naive"],
}


@pytest.fixture
def plan(shape: Shape) -> Plan:
    return shape(seeds=1, nlp={"shift": TESTS})


def test_rows_are_measured_on_the_test_set_that_they_name(plan: Plan) -> None:
    table = numbers("shift", plan)
    students = table[table["method"] == "naive"]
    where = list(students[["task", "tested", "distribution"]].itertuples(index=False, name=None))
    of_sciq, of_boolq = (("sciq", "boolq"), ("boolq", "openbookqa"))
    assert where == [(*of_sciq, "in"), (*of_sciq, "out"), (*of_boolq, "in"), (*of_boolq, "out")]
    own, other = students.iloc[0], students.iloc[1]
    # Of Fake: supervisor 60, ceiling 90, student half way.
    assert own[["weak", "ceiling", "accuracy", "pgr"]].tolist() == pytest.approx([0.6, 0.9, 0.75, 0.5])
    assert other[["weak", "ceiling", "accuracy", "pgr"]].tolist() == pytest.approx([0.5, 0.8, 0.55, 1 / 6])


def test_the_text_table_keeps_the_test_sets_apart(plan: Plan) -> None:
    accuracy, *_ = text.tables(numbers("shift", plan))
    assert re.search(r"w16 +boolq +in +75\.0\n +out +55\.0\n", accuracy)


def test_a_row_of_panels_per_test_set_with_two_marks_a_run(plan: Plan) -> None:
    figure = draw("shift", plan)
    accuracy, recovered, *_ = figure.axes
    assert [panel.get_title() for panel in figure.axes[::2]] == [
        "sciq, scored on boolq too",
        "boolq, scored on openbookqa too",
    ]
    names = [text.get_text() for text in accuracy.get_yticklabels()]
    assert names == ["supervisor w16", "w40, naive", "ceiling w40"]
    for panel, own, other in ((accuracy, [60, 75, 90], [50, 55, 80]), (recovered, [50], [100 / 6])):
        marks = [line for line in panel.lines if line.get_marker() == "o"]
        white = [xs(mark)[0] for mark in marks if mark.get_markerfacecolor() == "white"]
        filled = [xs(mark)[0] for mark in marks if mark.get_markerfacecolor() != "white"]
        assert white == pytest.approx(own)
        assert filled == pytest.approx(other)
    assert "6 runs" in footer(figure)


def test_reward_models_have_rows_of_their_own_and_change_no_other(shape: Shape, plan: Plan) -> None:
    both = shape(seeds=1, nlp={"shift": TESTS}, reward=True)
    table, alone = numbers("shift", both), numbers("shift", plan)
    of_nlp = table[table["setting"] == "nlp"]
    assert of_nlp.dropna(axis="columns", how="all").equals(alone.dropna(axis="columns", how="all"))
    rewarded = table[(table["setting"] == "reward") & (table["method"] == "naive")]
    assert list(zip(rewarded["tested"], rewarded["distribution"], strict=True)) == [
        ("hh_helpful", "in"),
        ("hh_helpful", "out"),
        ("hh_harmless", "in"),
        ("hh_harmless", "out"),
    ]
    own, other = rewarded.iloc[0], rewarded.iloc[1]
    assert other["weak"] == pytest.approx(own["weak"] - 0.1)  # of Fake
    titles = [panel.get_title() for panel in draw("shift", both).axes[::2]]
    assert titles[0] == "sciq, scored on boolq too"
    assert titles[2:] == [f"reward: hh, scored on {name} too" for name in ("hh_helpful", "hh_harmless")]


def test_the_figure_says_what_is_missing_of_every_setting(shape: Shape) -> None:
    plan = shape(laid_over={"nlp": {"shift": None}}, reward=True)
    assert {run.task for run in module("shift").needs(plan)} == {"hh"}
    plan = shape(laid_over={"nlp": {"shift": None}})
    with pytest.raises(LackingError, match=r"no nlp\.shift in its config; experiment 'smoke' has no reward section"):
        module("shift").needs(plan)
