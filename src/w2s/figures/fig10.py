"""Figure 10: generative finetuning before reward modelling (paper, Section 5.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.reward import analysis as reward

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy (a) and performance gap recovered (b) of naive reward models, against the student's pretraining "
    "compute. Pentagons: student and ceiling start from generative finetuning on all completions, ignoring "
    "preferences. Dotted and dashed: without it. Hue: supervisor, always without it; black: ceilings."
)
FIGURE = "fig10"


def needs(plan: Plan) -> list[Run]:
    """Pairs with generative finetuning: students with and without it, both ceilings, supervisors without it."""
    return reward.generative_runs(plan.reward, FIGURE)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR; ``start`` marks runs that start from generative finetuning."""
    return reward.generative_rows(plan.reward, FIGURE, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Accuracy and PGR."""
    from w2s.figures import generative

    return generative.draw(
        table, about, 10, "generative PGR: student and ceiling with generative finetuning, supervisor without"
    )
