"""Figure 8: how far students imitate their supervisor, its mistakes included (paper, section 5.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, agreement
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Share of test examples on which students agree with their supervisor: of all (a), of those it gets right (b) "
    "and of those it gets wrong (c); medians over NLP tasks, students at their last step. Hue is the supervisor, "
    "dotted naive finetuning, triangles the confidence loss."
)


def needs(plan: Plan) -> list[Run]:
    """Every pair with every method; their predictions carry their supervisor's."""
    return agreement.runs(plan.nlp, plan.experiment.nlp.methods, plan.experiment.nlp.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's agreements, then the medians over tasks that the figure draws, and their intervals."""
    nlp = plan.experiment.nlp
    rows = agreement.compare(plan.nlp, nlp.methods, results, nlp.median_tasks())
    return aggregate.with_aggregates(rows, agreement.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The three panels."""
    from w2s.figures import imitation, style

    return imitation.draw(table, about, styles=style.METHOD_STYLES)
