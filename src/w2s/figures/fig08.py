"""Figure 8: how far students imitate their supervisor, its mistakes included (paper, section 5.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, agreement
from w2s.analysis.results import Results, Row
from w2s.plan import Plan, Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Share of test examples on which students agree with their supervisor: of all (a), of those it gets right (b) "
    "and of those it gets wrong (c); medians over NLP tasks, students at their last step. Hue is the supervisor, "
    "dotted naive finetuning, triangles the confidence loss."
)
WORDS = ("all test examples", "supervisor is right", "supervisor is wrong")


def needs(plan: Plan) -> list[Run]:
    """Every pair with every method; their predictions carry their supervisor's."""
    return agreement.runs(plan, plan.experiment.nlp.methods, plan.experiment.nlp.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's agreements, then the medians over tasks that the figure draws, and their intervals."""
    nlp = plan.experiment.nlp
    rows = agreement.compare(plan, nlp.methods, results, nlp.median_tasks())
    return aggregate.with_aggregates(rows, agreement.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The three panels; a pair without examples of a panel's kind is not in it."""
    from w2s.figures import curves, footer, overlay, style

    figure, axes = style.panels(1, 3, width=3.6, height=3.5, legend=1.6)
    middle = table[table["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    for panel, value, words in zip(axes.flat, agreement.VALUES, WORDS, strict=True):
        overlay.curves(panel, about, middle, value)
        curves.by_supervisor(panel, middle, value, spread=about.get("spread", "seeds"))
        style.percent_axis(panel)
        panel.set_title(words)
    for panel in axes.flat:
        style.compute_axis(panel, ticks=8)
    axes[0, 0].set_ylabel("agreement, median over tasks (%)")
    style.label_panels(axes.flat)
    curves.legend(figure, middle, more=overlay.entries(about, middle))
    last = "students at their last step"
    footer.add(figure, about, table, last, footer.spread(about, table), overlay.note(about, middle))
    return figure
