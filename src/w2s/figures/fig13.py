"""Figure 13: overfitting to weak labels, and early stopping (paper, Section 5.1.1 and Appendix A)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis import early_stopping, pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.figures import stopping
from w2s.graph.artifact import Run, unique

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Naive students during training. (a) Test accuracy against training progress on representative NLP tasks. Curves "
    "start before training, at epoch 0; darker ones have a larger ratio of student to supervisor pretraining compute. "
    "(b) Median PGR over all pairs and tasks by early stopping rule (stopping on ground truth uses the test set)."
)
COLUMNS = 4


def needs(plan: Plan) -> list[Run]:
    """All naive students on representative tasks; on tasks of the medians those with a PGR, and their ground truth."""
    of, (method,) = plan.nlp, pairs.only_naive(plan.nlp, "fig13")
    drawn = stopping.students(of, method, plan.nlp.config.representative_tasks())
    judged = pairs.runs(of, [method], plan.nlp.config.median_tasks(), only=early_stopping.judged(of))
    return unique(drawn + judged)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """``panel`` a: one row per evaluation; b: one row per student and stopping rule, then the medians."""
    of, (method,) = plan.nlp, pairs.only_naive(plan.nlp, "fig13")
    nlp = plan.nlp.config
    drawn = stopping.progress(of, method, results, nlp.representative_tasks(), nlp.training)
    rows = [{"panel": "a"} | row for row in drawn]
    judged = early_stopping.compare(of, method, results, nlp.median_tasks(), early_stopping.judged(of))
    rows += [{"panel": "b"} | row for row in judged]
    return rows + [{"panel": "b", "setting": pairs.NLP} | row for row in early_stopping.medians(judged)]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Training progress on the left, one panel per task; the bars on the right."""
    from w2s import paper
    from w2s.figures import footer, overlay, recovered, style

    table = recovered.read(table, about)
    training = table[table["panel"] == "a"]
    tasks = style.in_order(training, "task")
    columns = min(COLUMNS, len(tasks))
    rows = math.ceil(len(tasks) / columns)
    figure = style.new_figure(2.3 * columns + 3.6, max(2.2 * rows, 3.4))
    grid = figure.add_gridspec(
        rows, columns + 2, width_ratios=[2.3] * columns + [0.1, 2.6]
    )  # 0.1: space between labels
    progress = [figure.add_subplot(grid[number // columns, number % columns]) for number in range(len(tasks))]
    bars = figure.add_subplot(grid[:, -1])
    colours = stopping.scale(stopping.widest(training), style.RATIO_HUES)
    for panel, task in zip(progress, tasks, strict=True):
        stopping.curves(panel, training[training["task"] == task], colours)
        panel.set_title(task)
    for number, panel in enumerate(progress):
        if number + columns >= len(tasks):
            panel.set_xlabel("training progress (epochs)")
        if number % columns == 0:
            panel.set_ylabel("test accuracy (%)")
    figure.colorbar(colours, ax=progress, label="student / supervisor compute", aspect=30, pad=0.02)
    medians = table[(table["panel"] == "b") & (table["task"] == MEDIAN)]
    stopping.bars(bars, medians, about, paper.bars(13), "performance gap recovered, median (%)")
    style.label_panels([progress[0], bars])
    errors = stopping.errors(about)[0] if medians["pgr_sem"].notna().any() else ""
    means = stopping.means(training)
    footer.add(figure, about, table, means, errors, overlay.said(about, [pairs.NLP], overlay.BARS_NOTE))
    return figure
