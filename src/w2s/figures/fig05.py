"""Figure 5: auxiliary confidence loss versus naive finetuning on NLP tasks (paper, Section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

PGR_AXIS = (-150, 250)  # percent; small gaps give any PGR, which would hide all others
CAPTION = (
    "Median test accuracy (a) and median performance gap recovered (b) over NLP tasks, against the student's "
    "pretraining compute. Hue: supervisor; dotted: naive finetuning; triangles: confidence loss; black: ground-truth "
    "ceiling."
)


def needs(plan: Plan) -> list[Run]:
    """Ground truth at every rung; every pair with every method of the experiment."""
    return pairs.runs(plan.nlp, plan.nlp.config.methods, plan.nlp.config.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR, then the medians over tasks, which are drawn, and their intervals."""
    nlp = plan.nlp.config
    return aggregate.with_aggregates(pairs.compare(plan.nlp, nlp.methods, results, nlp.median_tasks()))


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels from the rows with task ``median``; the band is over seeds or over tasks."""
    from w2s.figures import curves, footer, overlay, recovered, style

    table = recovered.read(table, about)
    figure, axes = style.panels(1, 2, legend=1.6)
    middle = table[table["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    values = {"accuracy": "accuracy, median over tasks (%)", "pgr": "performance gap recovered, median (%)"}
    for panel, (value, words) in zip(axes.flat, values.items(), strict=True):
        overlay.curves(panel, about, middle, value)
        curves.by_supervisor(panel, middle, value, spread=about.get("spread", "seeds"))
        style.percent_axis(panel, words, with_zero=value == "pgr")
    beyond = curves.cut(axes.flat[1], *PGR_AXIS)
    for panel in axes.flat:
        style.compute_axis(panel)
        style.gpt4_axis(panel, about, pairs.NLP)
    style.label_panels(axes.flat)
    curves.legend(figure, middle, more=overlay.entries(about, middle))
    footer.add(figure, about, table, footer.spread(about, table), beyond, overlay.note(about, middle))
    return figure
