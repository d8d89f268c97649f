"""Ranking and calibration of supervisors, students and ceilings: AUROC, Brier score and calibration error."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, diagnostics, pairs
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
    "What accuracies do not show, medians over NLP tasks. (a) PGR on AUROC against PGR on accuracy: one mark per pair "
    "and method, larger for larger students; dashed: both equal. (b) AUROC, (c) Brier score and (d) expected "
    "calibration error of the student; lower is better in (c) and (d). Hue: supervisor; dotted: naive; triangles: "
    "confidence loss; black: ceiling, which is also the supervisor at its own size."
)
CURVES = {
    "auroc": "AUROC, median (%)",
    "brier": "Brier score x 100, median",
    "ece": "calibration error, median (points)",
}
RECOVERED = {"pgr": "PGR on accuracy, median (%)", diagnostics.PGR: "PGR on AUROC, median (%)"}


def needs(plan: Plan) -> list[Run]:
    """The runs of Figure 5: ground truth at every rung; every pair with every method of the experiment."""
    nlp = plan.nlp.config
    return pairs.runs(plan.nlp, nlp.methods, nlp.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy, AUROC, Brier score, calibration error and PGRs, then medians over tasks and intervals."""
    nlp = plan.nlp.config
    rows = diagnostics.compare(plan.nlp, nlp.methods, results, nlp.median_tasks())
    return aggregate.with_aggregates(rows, diagnostics.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """PGR against PGR, and three panels of curves."""
    from w2s.figures import bounds, curves, footer, recovered, style

    table = recovered.read(table, about)
    middle = table[table["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    spread = about.get("spread", "seeds")
    figure, axes = style.panels(2, 2, share="none", width=4.0, height=3.3, legend=1.7)
    _recovered(axes[0, 0], middle, bounds.basis(middle, spread))
    for panel, (value, words) in zip(axes.flat[1:], CURVES.items(), strict=True):
        curves.by_supervisor(panel, middle, value, spread=spread)
        style.percent_axis(panel, words)
        style.compute_axis(panel)
        style.gpt4_axis(panel, about, pairs.NLP)
    style.label_panels(axes.flat)
    curves.legend(figure, middle)
    said = footer.spread(about, table).replace("band", "bands and whiskers")
    footer.add(figure, about, table, said, _undefined(table), f"calibration error in {BINS} bins of equal width")
    return figure


def _recovered(panel: Axes, middle: pd.DataFrame, found: str | None) -> None:
    """PGR on AUROC against PGR on accuracy, with the spread of both."""
    from w2s.figures import bounds, studies, style

    methods = style.methods_of(middle)
    sizes = {name: 4 + 1.6 * number for number, name in enumerate(studies.student_colours(middle))}
    drawn: list[float] = []
    for supervisor, colour in style.supervisor_colours(middle).items():
        for method in methods:
            cell = middle[(middle["supervisor"] == supervisor) & (middle["method"] == method)]
            means = cell[cell["task"] == aggregate.MEDIAN].groupby("student")[list(RECOVERED)].mean() * 100
            ends = [bounds.of(cell, value, found, by="student") for value in RECOVERED]
            for student, (x, y) in means.dropna().iterrows():
                whiskers = [_whiskers(mean, band, student) for mean, band in zip((x, y), ends, strict=True)]
                panel.errorbar(x, y, whiskers[1], whiskers[0], color=colour, elinewidth=0.8, zorder=3, alpha=0.9,
                               marker=style.method_style(method, methods)["marker"], markersize=sizes[str(student)],
                               markeredgecolor="white", markeredgewidth=0.5)  # fmt: skip
                drawn += [x, y]
    line = [min([0, *drawn]), max([100, *drawn])]
    panel.plot(line, line, color=style.GREY, linewidth=1, linestyle="--", zorder=1)
    panel.set_xlabel(RECOVERED["pgr"])
    panel.set_ylabel(RECOVERED[diagnostics.PGR])


def _whiskers(mean: float, ends: bounds.Ends | None, student: Hashable) -> Any:
    """Lengths below and above a mean, as ``errorbar`` takes them; None where it has no bounds."""
    low, high = (end.get(student, math.nan) for end in ends) if ends else (math.nan, math.nan)
    return None if math.isnan(low) else [[max(mean - low, 0)], [max(high - mean, 0)]]


def _undefined(table: pd.DataFrame) -> str:
    """How many students have a PGR on accuracy but none on AUROC."""
    each = aggregate.without_aggregates(table)
    count = int(((each["undefined"] == 0) & each[diagnostics.PGR].isna()).sum())
    return f"no PGR on AUROC for {count:,} more student{'s' * (count > 1)}" if count else ""
