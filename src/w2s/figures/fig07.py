"""Figure 7: overfitting of reward models to weak labels, and early stopping (paper, Section 5.1.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import early_stopping, pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.figures import stopping
from w2s.graph.artifact import Run
from w2s.reward import analysis as reward

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Naive reward models during training. (a) Test accuracy against training progress; pinker curves have a larger "
    "ratio of student to supervisor pretraining compute. (b) Best accuracy during training (stars) and accuracy at "
    "the last step (dotted). Hue: supervisor; black: ground truth. (c) Median PGR over all pairs by early stopping "
    "rule (stopping on ground truth uses the test set)."
)
FIGURE = "fig7"
RULES = {early_stopping.GROUND_TRUTH: "best in training", early_stopping.LAST: "last step"}  # of panel b


def needs(plan: Plan) -> list[Run]:
    """Figure 3's reward runs: ground truth at every rung, all naive students."""
    return pairs.naive_runs(plan.reward, FIGURE)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """``panel`` a: one row per evaluation; b: ground truth, and one row per student and stopping rule; c: medians."""
    of, (method,) = plan.reward, pairs.only_naive(plan.reward, FIGURE)
    setting, tasks = plan.reward.config, plan.reward.tasks
    rows = [{"panel": "a"} | row for row in stopping.progress(of, method, results, tasks, setting.training)]
    truth = [row for row in pairs.compare(of, [method], results, tasks) if row["method"] == pairs.TRUTH]
    judged = early_stopping.compare(of, method, results, tasks, setting.pairs())
    rows += [{"panel": "b"} | row for row in truth + judged]
    return rows + [{"panel": "c", "setting": reward.REWARD} | row for row in early_stopping.medians(judged)]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The three panels; with several tasks, curves are means over them."""
    from w2s import paper
    from w2s.figures import curves, footer, overlay, recovered, style

    table = recovered.read(table, about)
    figure = style.new_figure(13.2, 3.9)
    grid = figure.add_gridspec(1, 3, width_ratios=[3.6, 3.6, 2.4])
    progress, best, bars = (figure.add_subplot(grid[0, column]) for column in range(3))
    training, judged, medians = (table[table["panel"] == panel] for panel in "abc")
    colours = stopping.scale(stopping.widest(training), style.GAP_HUES)
    stopping.curves(progress, training, colours, marker="o", markersize=2.5)
    progress.set_xlabel("training progress (epochs)")
    progress.set_ylabel("test accuracy (%)")
    figure.colorbar(colours, ax=progress, label="student / supervisor compute", aspect=30, pad=0.02)
    lines = judged.assign(method=judged["stopping"].map(RULES).fillna(judged["method"]))
    lines = lines[lines["method"].isin({pairs.TRUTH, *RULES.values()})]
    styles: style.Styles = {
        **style.METHOD_STYLES,
        RULES[early_stopping.GROUND_TRUTH]: {"linestyle": "-", "marker": "*", "linewidth": 1.5, "markersize": 7},
        RULES[early_stopping.LAST]: {"linestyle": ":", "marker": "o", "linewidth": 1.2, "markersize": 3},
    }
    papers = paper.read("reward_stopping")
    overlay.curves(best, about, lines, "accuracy", styles=styles, rows=papers)
    curves.by_supervisor(best, lines, "accuracy", spread=about.get("spread", "seeds"), styles=styles)
    style.percent_axis(best, "test accuracy (%)")
    style.compute_axis(best)
    style.gpt4_axis(best, about, reward.REWARD)
    of_paper = paper.bars(7, reward.REWARD)
    stopping.bars(bars, medians[medians["task"] == MEDIAN], about, of_paper, "performance gap recovered, median (%)")
    style.label_panels([progress, best, bars])
    curves.legend(figure, lines, styles=styles, more=overlay.entries(about, lines))
    notes = [stopping.means(training), _weak_labels(about), footer.spread(about, lines), overlay.note(about, lines)]
    notes += [stopping.errors(about)[0] if medians["pgr_sem"].notna().any() else ""]
    notes += [overlay.BARS_NOTE if overlay.wanted(about, reward.REWARD) else ""]
    footer.add(figure, about, table, *notes)
    return figure


def _weak_labels(about: dict[str, Any]) -> str:
    """Which examples early stopping on weak labels uses."""
    where = "validation part" if about["reward"]["sizes"]["validation_share"] else "test set"
    return f"stopping on weak labels in (c) uses the {where}"
