"""Figure 5: the auxiliary confidence loss against naive finetuning on NLP tasks (paper, section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.plan import Plan, Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Median test accuracy (a) and median performance gap recovered (b) over NLP tasks, against the student's "
    "pretraining compute; hue is the supervisor, dotted naive finetuning, triangles the confidence loss, "
    "black the ground-truth ceiling."
)


def needs(plan: Plan) -> list[Run]:
    """Ground truth at every rung; every pair with every method of the experiment."""
    return pairs.runs(plan, plan.experiment.nlp.methods, plan.experiment.nlp.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR, then the medians over tasks that the figure draws."""
    nlp = plan.experiment.nlp
    rows = pairs.compare(plan, nlp.methods, results, nlp.median_tasks())
    return [*rows, *pairs.medians(rows)]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels from the rows with task ``median``; seeds are a band about their mean."""
    from w2s.figures import style

    figure, (left, right) = style.panels(1, 2)
    middle = table[table["task"] == pairs.MEDIAN]
    for panel, value in ((left, "accuracy"), (right, "pgr")):
        style.curves_by_supervisor(panel, middle, value)
        style.compute_axis(panel)
    style.percent_axis(left, "accuracy, median over tasks (%)")
    style.percent_axis(right, "performance gap recovered, median (%)")
    style.legend(figure, middle)
    style.label_panels(left, right)
    style.footer(figure, about, table)
    return figure
