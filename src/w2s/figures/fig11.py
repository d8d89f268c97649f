"""Figure 11: linear probing and finetuning on weak labels and on ground truth (paper, Section 5.2.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.pairs import NLP
from w2s.analysis.pgr import within_noise
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, unique
from w2s.nlp.probing import analysis as probing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Mean test accuracy over tasks of one strong model: linear probes (lp) and finetuning (ft), on a weak "
    "supervisor's labels and on ground truth (gt), and a probe on ground truth after finetuning on weak labels."
)
GREEN, GREY, PURPLE = "#62ac9c", "#808285", "#7c277d"
LOOKS: dict[str, dict[str, Any]] = {
    "lp(weak)": {"facecolor": "#e4f1ee", "edgecolor": GREEN, "linestyle": "--"},
    "lp(gt)": {"facecolor": "#ececec", "edgecolor": GREY, "linestyle": "--"},
    "ft(weak)": {"facecolor": GREEN, "edgecolor": GREEN, "linestyle": "-"},
    "ft(weak)+lp(gt)": {"facecolor": "#e3cfe4", "edgecolor": PURPLE, "linestyle": "-."},
    "ft(gt)": {"facecolor": GREY, "edgecolor": GREY, "linestyle": "-"},
}
CHANCE = 50  # percent
GAP = ("lp(gt)", "ft(gt)")  # from the first bar to the second


def needs(plan: Plan) -> list[Run]:
    """For one pair: the naive student, the ceiling, and probes on the strong model's features before and after."""
    return unique(run for runs in probing.bars(plan.nlp, "fig11").values() for run in runs.values())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Accuracies, one row per task, seed and bar, and bounds of their means; ``method`` names the bar.

    The row of bounds of the model finetuned on ground truth has the standard error of its gap to the probe.
    """
    rows = probing.bar_rows(plan.nlp, results, "fig11")
    below, above = (Estimate.mean(row["accuracy"] for row in rows if row["method"] == bar) for bar in GAP)
    error = {GAP[1]: {"gap_error": above.difference(below).error}}
    return [*rows, *(row | error.get(row["method"], {}) for row in aggregate.mean_intervals(rows))]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Five horizontal bars."""
    from w2s import paper
    from w2s.figures import bounds, footer, hover, overlay, style

    figure, axes = style.panels(1, 1, width=5.6, height=2.9)
    panel = axes[0, 0]
    mean = (table.groupby(["method", "seed"])["accuracy"].mean() * 100).groupby(level=0).mean()
    found = bounds.basis(table, about.get("spread", "seeds"), "accuracy")
    ends = bounds.of_means(table, "accuracy", found, by="method") or (mean, mean)
    low, high = (end.reindex(mean.index).fillna(mean) for end in ends)
    names = [name for name in probing.BARS if name in mean]
    left = min(CHANCE, 10 * math.floor(low.min() / 10))
    for place, name in enumerate(names):
        bar = panel.barh(place, mean[name] - left, 0.68, left=left, linewidth=1.4, zorder=3, **LOOKS[name])
        hover.say(bar, hover.numbers([name], "accuracy", [mean[name]], ([low[name]], [high[name]])))
        if high[name] > low[name]:
            whisker = bounds.lengths(mean[name], (low[name], high[name]))
            panel.errorbar(mean[name], place, xerr=whisker, color=style.TRUTH_COLOUR, linewidth=1, capsize=3, zorder=5)
        beside = {"xytext": (5, 0), "textcoords": "offset points", "va": "center", "fontsize": 8, "zorder": 6}
        panel.annotate(f"{mean[name]:.1f}", (max(high[name], mean[name]), place), **beside)
    if overlay.wanted(about, NLP):
        heights = paper.bars(11)
        panel.plot([heights[name][0] for name in names], range(len(names)), linestyle="", marker="D", markersize=5,
                   markerfacecolor="white", markeredgecolor=style.TRUTH_COLOUR, zorder=7)  # fmt: skip
    panel.set_yticks(range(len(names)), names)
    panel.set_ylim(len(names) - 0.4, -0.6)
    panel.set_xlim(left, 104)
    panel.grid(axis="y", visible=False)
    panel.set_xlabel("mean test accuracy (%)")
    weak = table["supervisor"].dropna().iloc[0]
    panel.set_title(f"{weak} to {table['student'].iloc[0]}")
    notes = [footer.spread(about, table).replace("band", "whiskers"), _gap(mean, table)]
    footer.add(figure, about, table, *notes, overlay.said(about, [NLP], "diamonds: the paper's results"))
    return figure


def _gap(mean: pd.Series[float], table: pd.DataFrame) -> str:
    """How much of the gap from lp(gt) to ft(gt) the probe after finetuning closes."""
    below, above = (float(mean[bar]) for bar in GAP)
    share = probing.recovered(below, mean["ft(weak)+lp(gt)"], above)
    if math.isnan(share):
        return "ft(gt) is less than one point better than lp(gt), so there is no gap to close"
    error = table["gap_error"].max() if "gap_error" in table else math.nan
    if not math.isnan(error) and within_noise((above - below) / 100, error):
        return f"the gap from lp(gt) to ft(gt), {above - below:.1f} points, is within noise"
    return f"ft(weak)+lp(gt) closes {100 * share:z.0f}% of the gap from lp(gt) to ft(gt)"
