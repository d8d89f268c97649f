"""Figure 17: Figure 10 with students stopped at their best (paper, Appendix A.3)."""

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
    "Test accuracy (a) and performance gap recovered (b) of naive reward models with generative finetuning first "
    "(pentagons) and without, each stopped where its test accuracy is best, against the student's pretraining "
    "compute; hue is the supervisor, black the ceilings, which are not stopped."
)
FIGURE = "fig17"


def needs(plan: Plan) -> list[Run]:
    """Figure 10's runs."""
    return reward.generative_runs(plan.reward, FIGURE)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """As Figure 10's, students judged at the evaluation with the best test accuracy, ground truth at its last."""
    return reward.generative_rows(plan.reward, FIGURE, results, stopped=True)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Accuracy and PGR."""
    from w2s.figures import generative

    return generative.draw(
        table, about, 17, "students stopped on ground truth (best on the test set); generative PGR as in fig10"
    )
