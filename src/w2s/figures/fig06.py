"""Figure 6: naive finetuning and the confidence loss on representative NLP tasks (paper, Section 4.3)."""

from __future__ import annotations

from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.figures import per_task
from w2s.figures.per_task import draw
from w2s.graph.artifact import Run

__all__ = ["CAPTION", "draw", "needs", "tabulate"]

CAPTION = (
    "Test accuracy on representative NLP tasks against the student's pretraining compute. Hue: supervisor; dotted: "
    "naive finetuning; triangles: confidence loss; black: ground-truth ceiling."
)


def needs(plan: Plan) -> list[Run]:
    """Figure 5's runs on these tasks."""
    return per_task.needs(plan, plan.nlp.config.representative_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy."""
    return per_task.tabulate(plan, results, plan.nlp.config.representative_tasks())
