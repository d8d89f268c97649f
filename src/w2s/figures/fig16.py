"""Figure 16: agreement of reward models with their supervisor, including its errors (paper, Appendix A.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import agreement, pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.reward import analysis as reward

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Share of test comparisons on which naive reward models agree with their supervisor: all (a), those it gets right "
    "(b) and those it gets wrong (c). Hue: supervisor."
)
FIGURE = "fig16"


def needs(plan: Plan) -> list[Run]:
    """Every naive pair; predictions include the supervisor's."""
    return agreement.runs(plan.reward, pairs.only_naive(plan.reward, FIGURE), plan.reward.tasks)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's agreements, and medians if there are several tasks."""
    rows = agreement.compare(plan.reward, pairs.only_naive(plan.reward, FIGURE), results, plan.reward.tasks)
    return reward.with_medians(plan.reward, rows, agreement.VALUES)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The three panels."""
    from w2s.figures import imitation, style

    return imitation.draw(table, about, styles=style.NAIVE_SOLID)
