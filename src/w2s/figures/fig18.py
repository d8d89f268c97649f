"""Figure 18: generative finetuning of supervisors too (paper, Appendix A.3)."""

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
    "compute. Pentagons: supervisor, student and ceiling were finetuned first to generate all completions, "
    "preferences ignored; dotted and dashed: none was; hue is the supervisor, black the ceilings."
)
FIGURE = "fig18"


def needs(plan: Plan) -> list[Run]:
    """Figure 10's runs without generative finetuning, and with it also of supervisors."""
    return reward.generative_runs(plan.reward, FIGURE, supervisors=True)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR; ``start`` and ``supervisor_start`` say which were finetuned generatively first."""
    return reward.generative_rows(plan.reward, FIGURE, results, supervisors=True)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Accuracy and PGR."""
    from w2s.figures import generative

    return generative.draw(
        table, about, 18, "generative PGR: supervisor, student and ceiling after generative finetuning"
    )
