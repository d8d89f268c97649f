"""What the figure of ranking and calibration shows, at the values behind it."""

from __future__ import annotations

import math
import re

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tests.figures.conftest import Shape, about
from tests.figures.fake import EXAMPLES, Fake, halfway
from tests.figures.seen import draw, footer, lines, xs, ys
from tests.figures.test_hover import saved, titles
from w2s import figures
from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.analysis.results import Predictions
from w2s.experiments.plan import Plan
from w2s.figures import recovered, style
from w2s.graph.artifact import Run


class BothClasses(Fake):
    """As ``Fake``, but every second truth is 0, and said as surely: 0.1 where right, 0.9 where wrong."""

    def predictions(self, run: Run) -> Predictions:
        columns = super().predictions(run)
        for name in ("probability", "truth"):
            said = columns[name][:EXAMPLES]
            columns[name][:EXAMPLES] = [round(1 - one, 6) if number % 2 else one for number, one in enumerate(said)]
        return columns


class Patterns(BothClasses):
    """Ground truth is surer of texts with a pattern: at w16 every second, at w40 every fifth, at others none."""

    def predictions(self, run: Run) -> Predictions:
        columns = super().predictions(run)
        every = {"w16": 2, "w40": 5}.get(run.rung)
        if run.labels == "truth" and every:
            said = columns["probability"]
            said[:EXAMPLES:every] = [round(one + (0.05 if one > 0.5 else -0.05), 6) for one in said[:EXAMPLES:every]]
        return columns


def table_of(plan: Plan) -> pd.DataFrame:
    return pd.DataFrame(figures.numbers("diagnostics", plan, BothClasses(halfway(plan))))


def marks(figure: Figure) -> list[tuple[float, float]]:
    """Where the marks of the first panel are."""
    return [(round(xs(line)[0]), round(ys(line)[0])) for line in drawn(figure)]


def drawn(figure: Figure) -> list[Line2D]:
    return [line for line in figure.axes[0].lines if line.get_marker() in ("o", "^")]


def test_it_needs_what_figure_5_needs(shape: Shape) -> None:
    plan = shape()
    assert figures.module("diagnostics").needs(plan) == figures.module("fig5").needs(plan)
    results = BothClasses(halfway(plan))
    figures.numbers("diagnostics", plan, results)
    assert results.read == {run.key for run in figures.module("diagnostics").needs(plan)}


def test_numbers_are_the_runs_own(shape: Shape) -> None:
    """With two probabilities and equal classes, AUROC is accuracy, and all of them are equally sure."""
    rows = table_of(shape(seeds=1)).query(f"task == '{MEDIAN}' and method == 'naive'").to_dict("records")
    middle = {(row["supervisor"], row["student"]): row for row in rows}
    naive = middle["w16", "w40"]
    assert naive["accuracy"] == pytest.approx(0.75)
    assert naive["auroc"] == pytest.approx(0.75, abs=0.01)  # 38 and 37 of either class
    assert naive["pgr"] == pytest.approx(0.5)
    assert naive["pgr_auroc"] == pytest.approx(0.5, abs=0.05)
    assert naive["brier"] == pytest.approx(0.75 * 0.01 + 0.25 * 0.81)
    assert naive["ece"] == pytest.approx(0.9 - 0.75)
    ends = [naive[f"ece_examples_{end}"] for end in ("low", "high")]
    assert ends[0] < naive["ece"] < ends[1]
    assert math.isnan(middle["w16", "w16"]["pgr_auroc"])  # of the same size


def test_each_panel_draws_its_value(shape: Shape) -> None:
    plan = shape()
    table = table_of(plan)
    figure = draw("diagnostics", plan, table)
    assert sorted(set(marks(figure))) == [(50, 50)]
    assert len(marks(figure)) == 2 * 6  # methods, pairs with a larger student
    middle = table[(table["task"] == MEDIAN) & (table["supervisor"] == "w16") & (table["method"] == "naive")]
    for panel, value in zip(figure.axes[1:5], ("auroc", "brier", "ece", "overlap"), strict=True):
        (line,) = lines(panel, style.supervisor_colours(table)["w16"], "o")
        expected = middle.groupby("student_compute")[value].mean().dropna() * 100
        assert ys(line) == pytest.approx(list(expected))
    assert "bands and whiskers: lowest to highest seed" in footer(figure)


def test_overlap_is_the_pairs_own_and_the_same_for_every_method(shape: Shape) -> None:
    plan = shape(seeds=1)
    rows = pd.DataFrame(figures.numbers("diagnostics", plan, Patterns(halfway(plan))))
    found = rows[(rows["task"] == MEDIAN) & (rows["supervisor"] == "w16") & (rows["student"] == "w40")]
    assert list(found["method"]) == ["naive", "confidence"]
    for name, share in (("overlap", 0.1), ("weak_only", 0.4), ("strong_only", 0.1)):
        assert list(found[name]) == pytest.approx([share] * 2)
        assert (found[f"{name}_examples_low"] < share).all()
        assert (found[f"{name}_examples_high"] > share).all()
    same_size = rows[(rows["supervisor"] == rows["student"]) & (rows["task"] != INTERVAL)]
    assert len(same_size)
    assert same_size["overlap"].isna().all()
    figure = draw("diagnostics", plan, rows)
    marks = [line for line in figure.axes[5].lines if line.get_color() == style.supervisor_colours(rows)["w16"]]
    assert {(round(xs(line)[0]), round(ys(line)[0])) for line in marks if line.get_marker() in ("o", "^")} >= {(10, 50)}


@pytest.mark.parametrize(("turned", "said"), [(1, "naive +1.00, confidence +1.00"), (-1, "naive -1.00")])
def test_the_footer_has_the_rank_correlation_over_tasks(turned: int, said: str, shape: Shape) -> None:
    plan = shape(seeds=1, tasks=6)
    table = table_of(plan)
    place = table["task"].map({task: number for number, task in enumerate(plan.nlp.tasks)})
    table["overlap"] = table["overlap"].where(table["overlap"].isna(), place / 10)
    table["pgr"] = table["pgr"].where(table["pgr"].isna(), turned * place**3)
    assert f"rank correlation of PGR with overlap density over tasks, median over pairs: {said}" in footer(
        draw("diagnostics", plan, table)
    )
    few = shape(seeds=1, tasks=5)
    assert "rank correlation" not in footer(draw("diagnostics", few, table_of(few)))


def test_marks_say_both_of_their_values(shape: Shape) -> None:
    plan = shape(seeds=1)
    figure = draw("diagnostics", plan, table_of(plan))
    found = titles(saved(figure))
    start = "w16 → w40, naive, median over tasks: "
    assert any(re.match(f"{re.escape(start)}PGR 50.0%.*, PGR on AUROC [0-9.]+%", one) for one in found)
    assert any(re.match(f"{re.escape(start)}overlap density 100.0%.*, PGR 50.0%", one) for one in found)
    assert len([one for one in found if ", PGR on AUROC" in one]) == len(drawn(figure))


def test_larger_students_have_larger_marks(shape: Shape) -> None:
    plan = shape(seeds=1)
    figure = draw("diagnostics", plan, table_of(plan))
    assert len({line.get_markersize() for line in drawn(figure)}) == 3  # w24, w32, w40


def test_students_without_pgr_on_auroc_are_counted_beside_those_without_any(shape: Shape) -> None:
    plan = shape(seeds=1)
    table = table_of(plan)
    gone = (table["task"] != MEDIAN) & (table["student"] == "w40") & (table["supervisor"] == "w16")
    said = footer(draw("diagnostics", plan, table.assign(pgr_auroc=table["pgr_auroc"].mask(gone))))
    assert "no PGR on AUROC for 8 more" in said  # four tasks, two methods
    assert "no PGR on AUROC" not in footer(draw("diagnostics", plan, table))


def test_both_pgrs_follow_the_reading_of_the_experiment(shape: Shape) -> None:
    plan = shape(seeds=1, pgr="paper")
    table = table_of(plan)
    kept = table.assign(pgr_inverted_kept=0.8, pgr_auroc_inverted_kept=0.7)
    figure = figures.module("diagnostics").draw(kept, about(plan))
    assert set(marks(figure)) == {(80, 70)}
    strict = shape(seeds=1)
    assert set(marks(figures.module("diagnostics").draw(kept, about(strict)))) == {(50, 50)}
    assert recovered.KEPT in table
