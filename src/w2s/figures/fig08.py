"""Figure 8: agreement of students with their supervisor, including its errors (paper, Section 5.1.3)."""

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
    "Share of test examples on which students agree with their supervisor: all (a), those it classifies correctly (b) "
    "and those it classifies incorrectly (c). Medians over NLP tasks, students at their last step. Hue: supervisor; "
    "dotted: naive finetuning; triangles: confidence loss."
)


def needs(plan: Plan) -> list[Run]:
    """Every pair with every method; predictions include the supervisor's."""
    return agreement.runs(plan.nlp, plan.nlp.config.methods, plan.nlp.config.median_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's agreements, then the medians over tasks, which are drawn, and their intervals."""
    nlp = plan.nlp.config
    rows = agreement.compare(plan.nlp, nlp.methods, results, nlp.median_tasks())
    return aggregate.with_aggregates(rows, agreement.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The three panels."""
    from w2s.figures import imitation, style

    return imitation.draw(table, about, styles=style.METHOD_STYLES)
