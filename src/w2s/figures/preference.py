"""Students trained by direct preference optimisation compared with naive reward models: accuracy and PGR."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.errors import LackingError
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.reward.config import DPO
from w2s.reward.plan import RewardPlan

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Two ways to learn a supervisor's preferences: a reward model with a head (naive), and direct preference "
    "optimisation (dpo), in which the student remains a language model and its log probabilities are the reward. Test "
    "accuracy (a) and performance gap recovered (b), one mark per method and pair. The ceiling is a reward model for "
    "both."
)
METHODS = [pairs.NAIVE, DPO]


def needs(plan: Plan) -> list[Run]:
    """Students of ``reward.dpo.pairs`` with both methods, and ground truth at their rungs."""
    reward = plan.reward
    return pairs.runs(reward, METHODS, reward.tasks, only=_pairs(reward))


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR, then the medians over tasks, which are drawn, and their intervals."""
    reward = plan.reward
    rows = pairs.compare(reward, METHODS, results, reward.tasks, only=_pairs(reward))
    middle = aggregate.medians(rows, (*aggregate.COMPARED, "weak"))
    return [*rows, *middle, *aggregate.interval_rows(rows)]


def _pairs(reward: RewardPlan) -> list[pairs.Pair]:
    if reward.config.dpo is None:
        raise LackingError("preference shows direct preference optimisation, but reward.dpo is null")
    return reward.config.dpo_pairs()


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels of the figure of all methods."""
    from w2s.figures import methods

    return methods.draw(table, about)
