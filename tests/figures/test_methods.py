"""The figure of all methods shows what is compared, at the values behind it, naive first."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.figures.conftest import Shape, about, numbers
from tests.figures.fake import Fake, halfway
from tests.figures.seen import draw, xs
from w2s import figures
from w2s.analysis.aggregate import MEDIAN
from w2s.experiments.plan import Plan
from w2s.figures import footer
from w2s.nlp.tasks import TOPICS


def labels(plan: Plan) -> list[str]:
    return [text.get_text() for text in draw("methods", plan).axes[0].get_yticklabels()]


def test_every_method_has_a_line_those_of_other_figures_first(shape: Shape) -> None:
    plan = shape()
    assert labels(plan)[:2] == ["naive", "confidence"]
    assert set(labels(plan)) == set(plan.experiment.methods)
    assert labels(shape(nlp={"comparison": {"methods": ["product", "naive"]}})) == ["product", "naive"]


def test_marks_are_the_medians_between_supervisor_and_ceiling(shape: Shape) -> None:
    plan = shape(nlp={"comparison": {"methods": ["naive", "product"]}})
    better = halfway(plan)
    results = Fake(lambda run: better(run) + 0.06 * (run.method == "product") * (run.seed + 1))
    table = pd.DataFrame(figures.numbers("methods", plan, results))
    left, right = figures.module("methods").draw(table, about(plan)).axes
    for panel, expected in ((left, [75, 84]), (right, [50, 80])):
        marks = [line for line in panel.lines if line.get_marker() == "o"]
        assert [xs(line)[0] for line in marks] == pytest.approx(expected)
    (whisker,) = [line for line in left.lines if line.get_marker() == "|" and len(xs(line)) == 2 and xs(line)[0] > 80]
    assert xs(whisker) == pytest.approx([81, 87])
    assert {60.0, 90.0} <= {round(xs(line)[0], 6) for line in left.lines if line.get_marker() == "None"}


def test_tasks_and_pairs_are_those_of_the_config(shape: Shape) -> None:
    comparison = {"tasks": ["sciq"], "pairs": [["w16", "w24"], ["w24", "w40"]], "methods": ["naive", "confidence"]}
    plan = shape(nlp={"comparison": comparison})
    runs = figures.module("methods").needs(plan)
    students = [run for run in runs if run.labels != "truth"]
    assert {run.task for run in runs} == {"sciq"}
    assert {(run.labels, run.rung) for run in students} == {("from-w16", "w24"), ("from-w24", "w40")}
    assert len(students) == 2 * 2 * 2
    (panel, _) = draw("methods", plan).axes
    assert len([line for line in panel.lines if line.get_marker() == "o"]) == 2 * 2
    names = [text.get_text() for text in draw("methods", plan).legends[0].texts]
    assert names[:2] == ["w16 to w24", "w24 to w40"]
    assert "supervisor" not in names  # there are two


def test_one_task_of_three_moves_the_median_no_further_than_the_next(shape: Shape) -> None:
    plan = shape(seeds=1, nlp={"comparison": {"methods": ["naive"]}})
    usual = halfway(plan)
    results = Fake(lambda run: 0.1 if run.task == "boolq" and run.labels != "truth" else usual(run))
    table = pd.DataFrame(figures.numbers("methods", plan, results))
    middle = table[(table["task"] == MEDIAN) & (table["method"] == "naive")]
    assert middle["accuracy"].tolist() == [0.75]


def test_the_footer_says_what_whiskers_are(shape: Shape) -> None:
    plan = shape()
    line = footer.line(about(plan), numbers("methods", plan))
    assert "3 tasks" in line
    assert any("whiskers: lowest to highest seed" in text.get_text() for text in draw("methods", plan).texts)
    of_six = shape(tasks=6, spread="tasks", nlp={"comparison": {"tasks": list(TOPICS)[:6]}})
    assert any("bootstrap" in text.get_text() for text in draw("methods", of_six).texts)
