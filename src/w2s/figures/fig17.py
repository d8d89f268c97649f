"""Figure 17: generative finetuning with early stopping on ground truth (paper, Appendix A.3)."""

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
    "Test accuracy (a) and performance gap recovered (b) of naive reward models with generative finetuning "
    "(pentagons) and without, each stopped at its best test accuracy, against the student's pretraining compute. Hue: "
    "supervisor; black: ceilings, which are not stopped early."
)
FIGURE = "fig17"


def needs(plan: Plan) -> list[Run]:
    """Figure 10's runs."""
    return reward.generative_runs(plan.reward, FIGURE)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """As in Figure 10, with students at the evaluation with the best test accuracy and ground truth at the last."""
    return reward.generative_rows(plan.reward, FIGURE, results, stopped=True)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Accuracy and PGR."""
    from w2s.figures import generative

    return generative.draw(
        table, about, 17, "students stopped on ground truth (best on the test set); generative PGR as in Figure 10"
    )
