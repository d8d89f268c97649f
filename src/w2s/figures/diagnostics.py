"""Ranking and calibration of supervisors, students and ceilings, and the overlap density of pairs."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, diagnostics, overlap, pairs
from w2s.analysis.bootstrap import FEWEST_TASKS
from w2s.analysis.results import Results, Row
from w2s.analysis.scores import BINS
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from w2s.figures import bounds

CAPTION = (
    "Medians over NLP tasks. (a) PGR on AUROC against PGR on accuracy, a mark per pair and method, larger for larger "
    "students; dashed: both equal. (b) AUROC, (c) Brier score, (d) expected calibration error; lower is better in (c) "
    "and (d). (e) Overlap density: share of texts on which supervisor and ceiling are both confident. (f) PGR against "
    "it, marks as in (a). Hue: supervisor; dotted: naive; triangles: confidence loss; black: ceiling."
)
CURVES = {
    "auroc": "AUROC, median (%)",
    "brier": "Brier score x 100, median",
    "ece": "calibration error, median (points)",
}
WORDS = {
    "pgr": "PGR on accuracy, median (%)",
    diagnostics.PGR: "PGR on AUROC, median (%)",
    overlap.OVERLAP: "overlap density, median (%)",
}


def needs(plan: Plan) -> list[Run]:
    """The runs of Figure 5: ground truth at every rung; every pair with every method of the experiment."""
    nlp = plan.nlp.config
    return pairs.runs(plan.nlp, nlp.methods, nlp.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy, scores, PGRs and its pair's overlap density, then medians over tasks and intervals."""
    nlp = plan.nlp.config
    rows = diagnostics.compare(plan.nlp, nlp.methods, results, nlp.median_tasks())
    return aggregate.with_aggregates(rows, diagnostics.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Two panels of marks, and four of curves."""
    from w2s.figures import bounds, curves, footer, recovered, style

    table = recovered.read(table, about)
    middle = table[table["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    spread = about.get("spread", "seeds")
    found = bounds.basis(middle, spread)
    figure, axes = style.panels(2, 3, share="none", width=3.8, height=3.3, legend=1.7)
    first, *of_runs, of_pairs, last = axes.flat
    _marks(first, middle, found, "pgr", diagnostics.PGR)
    first.axline((0, 0), (100, 100), color=style.GREY, linewidth=1, linestyle="--", zorder=1)
    for panel, (value, words) in zip(of_runs, CURVES.items(), strict=True):
        curves.by_supervisor(panel, middle, value, spread=spread)
        style.percent_axis(panel, words)
    one_method = middle[middle["method"] == style.methods_of(middle)[0]]  # the same for all
    curves.by_supervisor(of_pairs, one_method, overlap.OVERLAP, spread=spread)
    style.percent_axis(of_pairs, WORDS[overlap.OVERLAP])
    for panel in (*of_runs, of_pairs):
        style.compute_axis(panel)
        style.gpt4_axis(panel, about, pairs.NLP)
    _marks(last, middle, found, overlap.OVERLAP, "pgr")
    style.label_panels(axes.flat)
    curves.legend(figure, middle)
    notes = footer.spread(about, table).replace("band", "bands and whiskers"), _undefined(table), _correlated(table)
    footer.add(figure, about, table, *notes, f"calibration error in {BINS} bins of equal width")
    return figure


def _marks(panel: Axes, middle: pd.DataFrame, found: str | None, across: str, up: str) -> None:
    """One value against another, with the spread of both."""
    from w2s.figures import bounds, hover, studies, style

    methods = style.methods_of(middle)
    sizes = {name: 4 + 1.6 * number for number, name in enumerate(studies.student_colours(middle))}
    for supervisor, colour in style.supervisor_colours(middle).items():
        for method in methods:
            cell = middle[(middle["supervisor"] == supervisor) & (middle["method"] == method)]
            each = cell[cell["task"] == aggregate.MEDIAN]
            means = each.groupby("student")[[across, up]].mean() * 100
            ends = {value: bounds.of(cell, value, found, by="student") for value in (across, up)}
            for student, mean in means.dropna().iterrows():
                reach = {value: _ends(ends[value], student) for value in (across, up)}
                lengths = {value: _whiskers(mean[value], *reach[value]) for value in reach}
                mark = panel.errorbar(
                    mean[across], mean[up], lengths[up], lengths[across], color=colour, elinewidth=0.8, zorder=3,
                    alpha=0.9, marker=style.method_style(method, methods)["marker"], markersize=sizes[str(student)],
                    markeredgecolor="white", markeredgewidth=0.5,
                )  # fmt: skip
                said = ", ".join(hover.number(value, mean[value], *reach[value]) for value in (across, up))
                hover.say([mark.lines[0]], [f"{hover.who(each[each['student'] == student])}: {said}"])
    panel.set_xlabel(WORDS[across])
    panel.set_ylabel(WORDS[up])


def _ends(ends: bounds.Ends | None, student: Hashable) -> tuple[float, float]:
    """(low, high) of a mark; NaN where it has no bounds."""
    low, high = (end.get(student, math.nan) for end in ends) if ends else (math.nan, math.nan)
    return float(low), float(high)


def _whiskers(mean: float, low: float, high: float) -> Any:
    """Lengths below and above a mean, as ``errorbar`` takes them; None where it has no bounds."""
    return None if math.isnan(low) else [[max(mean - low, 0)], [max(high - mean, 0)]]


def _undefined(table: pd.DataFrame) -> str:
    """How many students have a PGR on accuracy but none on AUROC."""
    each = aggregate.without_aggregates(table)
    count = int(((each["undefined"] == 0) & each[diagnostics.PGR].isna()).sum())
    return f"no PGR on AUROC for {count:,} more student{'s' * (count > 1)}" if count else ""


def _correlated(table: pd.DataFrame) -> str:
    """Rank correlation over tasks, which tells more than the medians drawn; empty with few tasks."""
    each = aggregate.without_aggregates(table).dropna(subset=["pgr", overlap.OVERLAP])
    means = each.groupby(["method", "supervisor", "student", "task"], sort=False)[["pgr", overlap.OVERLAP]].mean()
    of_pairs = means.groupby(["method", "supervisor", "student"], sort=False)
    ranks = of_pairs.rank()[of_pairs["pgr"].transform("size") >= FEWEST_TASKS]
    found = ranks.groupby(["method", "supervisor", "student"], sort=False).apply(
        lambda pair: pair["pgr"].corr(pair[overlap.OVERLAP])
    )
    if found.empty or found.isna().all():
        return ""
    said = ", ".join(f"{method} {value:+.2f}" for method, value in found.groupby("method", sort=False).median().items())
    return f"rank correlation of PGR with overlap density over tasks, median over pairs: {said}"
