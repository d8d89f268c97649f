"""What the figure of learning curves in the number of weak labels shows."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.figures.conftest import Shape, numbers
from tests.figures.fake import Fake, halfway
from tests.figures.seen import draw, footer, lines, xs, ys
from w2s import figures
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.results import Row
from w2s.experiments.plan import Plan
from w2s.figures import studies
from w2s.graph.artifact import Artifact, Run

LABELS = 400


class Counting(Fake):
    """A share of so many labels; a student loses a point with every halving of them."""

    def record(self, artifact: Artifact) -> Row:
        self.read.add(artifact.key)
        return {"measured": {"examples": round(LABELS * artifact.spec.get("share", 1.0))}}


def counted(plan: Plan) -> pd.DataFrame:
    accuracy = halfway(plan)

    def fewer(run: Run) -> float:
        return accuracy(run) - 0.1 * (1 - float(run.spec.get("share", 1.0)))

    results = Counting(fewer)
    table = pd.DataFrame(figures.numbers("labels", plan, results))
    assert results.read == {run.key for run in figures.module("labels").needs(plan)}
    return table


def test_curves_rise_with_the_number_of_labels_that_runs_were_trained_on(shape: Shape) -> None:
    plan = shape()
    table = counted(plan)
    middle = table[(table["task"] == MEDIAN) & (table["method"] == "naive")].groupby("share")
    assert list(middle["learned"].mean()) == [20, 40, 100, 200, 400]
    left, right = draw("labels", plan, table).axes
    for panel, ends in ((left, (70.5, 80)), (right, (0, 50))):
        (line,) = lines(panel, studies.METHOD_COLOURS["naive"], "o")
        assert xs(line) == [20, 40, 100, 200, 400]
        assert (ys(line)[0], ys(line)[-1]) == pytest.approx(ends, abs=1.1)
        assert ys(line) == sorted(ys(line))
        assert panel.get_xscale() == "log"
    levels = {round(ys(line)[0], 6) for line in left.lines if len(set(xs(line))) == 2 and len(set(ys(line))) == 1}
    assert {70, 90} <= levels  # w24, the second weakest supervisor, and the ceiling


def test_the_footer_says_which_shares_and_how_many_runs(shape: Shape) -> None:
    plan = shape(seeds=1)
    said = footer(draw("labels", plan))
    assert "5, 10, 25, 50, 100% of the labels" in said
    runs = 3 * (2 + 5 * 2)  # tasks x (supervisor, ceiling, shares x methods)
    assert f"{runs} runs" in said
    assert len(figures.module("labels").needs(plan)) == runs


def test_single_tasks_are_faint_and_of_their_own_accuracy(shape: Shape) -> None:
    plan = shape(seeds=1, nlp={"methods": ["naive"]})
    left = draw("labels", plan, numbers("labels", plan)).axes[0]
    assert sum(line.get_alpha() is not None for line in left.lines) == 3
