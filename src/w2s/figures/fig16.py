"""Figure 16: how far reward models imitate their supervisor, its mistakes included (paper, Appendix A.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import agreement
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.reward import analysis as reward

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Share of test comparisons on which naive reward models agree with their supervisor: of all (a), of those it gets "
    "right (b) and of those it gets wrong (c). Hue is the supervisor."
)
FIGURE = "fig16"


def needs(plan: Plan) -> list[Run]:
    """Every naive pair; their predictions carry their supervisor's."""
    return agreement.runs(plan.reward, reward.naive(plan.reward, FIGURE), plan.reward.tasks)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's agreements, and medians where there are several tasks."""
    rows = agreement.compare(plan.reward, reward.naive(plan.reward, FIGURE), results, plan.reward.tasks)
    return reward.with_medians(plan.reward, rows, agreement.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The three panels."""
    from w2s.figures import imitation, style

    return imitation.draw(table, about, styles=style.NAIVE_SOLID)
