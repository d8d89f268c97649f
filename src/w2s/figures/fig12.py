"""Figure 12: naive finetuning and the confidence loss on every NLP task (paper, Appendix A)."""

from __future__ import annotations

from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.figures import per_task
from w2s.figures.per_task import draw
from w2s.graph.artifact import Run

__all__ = ["CAPTION", "draw", "needs", "tabulate"]

CAPTION = (
    "Test accuracy on every NLP task against the student's pretraining compute. Hue: supervisor; dotted: naive "
    "finetuning; triangles: confidence loss; black: ground-truth ceiling."
)


def needs(plan: Plan) -> list[Run]:
    """Figure 5's runs, including tasks that are excluded from the medians."""
    return per_task.needs(plan, plan.nlp.config.all_tasks())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy."""
    return per_task.tabulate(plan, results, plan.nlp.config.all_tasks())
