"""Figure 3: naive finetuning on weak labels (paper, Section 4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

FIGURE = "fig3"
CAPTION = (
    "Test accuracy (top) and performance gap recovered (bottom) of students finetuned naively on weak labels, against "
    "the student's pretraining compute. Hue: supervisor; black: ground-truth ceiling. NLP values are medians over "
    "tasks."
)


def needs(plan: Plan) -> list[Run]:
    """Ground truth at every rung and every naive pair, for every setting of the experiment."""
    return [run for name in plan.experiment.shown() for run in pairs.naive_runs(getattr(plan, name), FIGURE)]


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR; for settings with several tasks also medians and intervals, which are drawn."""
    rows: list[Row] = []
    for name in plan.experiment.shown():
        of: pairs.Runs = getattr(plan, name)
        each = pairs.naive_rows(of, FIGURE, results)
        rows += aggregate.with_aggregates(each) if name == pairs.NLP or len(of.median_tasks) > 1 else each
    return rows


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Accuracy above PGR, one column per setting."""
    from w2s.figures import curves, footer, overlay, recovered, style

    table = recovered.read(table, about)
    settings = style.in_order(table, "setting")
    figure, axes = style.panels(2, len(settings), share="col", width=4.6, height=2.9, legend=1.6)
    shown = aggregate.shown(table)
    values = {"accuracy": "accuracy", "pgr": "performance gap recovered"}
    for row, (value, words) in zip(axes, values.items(), strict=True):
        for panel, setting in zip(row, settings, strict=True):
            of_setting = shown[shown["setting"] == setting]
            overlay.curves(panel, about, of_setting, value, styles=style.NAIVE_SOLID)
            spread = about.get("spread", "seeds")
            curves.by_supervisor(panel, of_setting, value, spread=spread, styles=style.NAIVE_SOLID)
            what = f"{words}, median (%)" if aggregate.has_medians(of_setting) else f"{words} (%)"
            style.percent_axis(panel, what, with_zero=value == "pgr")
    for panel, setting in zip(axes[0], settings, strict=True):
        panel.set_title(style.SETTING_WORDS.get(setting, setting))
    for panel in axes.flat:
        style.compute_axis(panel, label=panel in axes[1])
    for panel, setting in zip(axes[0], settings, strict=True):
        style.gpt4_axis(panel, about, setting)
    style.label_panels(axes.flat)
    curves.legend(figure, shown, styles=style.NAIVE_SOLID, more=overlay.entries(about, shown))
    footer.add(figure, about, table, footer.spread(about, table), overlay.note(about, shown))
    return figure
