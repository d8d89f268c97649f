"""Figure 18: generative finetuning of supervisors as well (paper, Appendix A.3)."""

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
    "compute. Pentagons: supervisor, student and ceiling start from generative finetuning on all completions, "
    "ignoring preferences. Dotted and dashed: none of them does. Hue: supervisor; black: ceilings."
)
FIGURE = "fig18"


def needs(plan: Plan) -> list[Run]:
    """Figure 10's runs without generative finetuning, and runs with it for supervisors as well."""
    return reward.generative_runs(plan.reward, FIGURE, supervisors=True)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR; ``start`` and ``supervisor_start`` mark generative finetuning."""
    return reward.generative_rows(plan.reward, FIGURE, results, supervisors=True)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Accuracy and PGR."""
    from w2s.figures import generative

    return generative.draw(
        table, about, 18, "generative PGR: supervisor, student and ceiling with generative finetuning"
    )
