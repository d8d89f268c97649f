"""Figure 23: weak linear probes that teach strong ones, on frozen features (paper, Appendix D.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs, probing
from w2s.analysis.results import Results, Row
from w2s.plan import Plan, Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy of linear probes on frozen base models against the probed model's pretraining compute, by task; hue "
    "is the model whose probe labelled, black probes on ground truth."
)
LOOK: dict[str, Any] = {"linestyle": "-", "marker": "o", "linewidth": 1.4, "markersize": 4}


def needs(plan: Plan) -> list[Run]:
    """Probes on truth at every rung that has it, and on the labels of weaker models' probes for every pair."""
    return pairs.runs(probing.of_probes(plan), [probing.PROBE], plan.probing.tasks)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each probe's accuracy (and PGR, which is not drawn)."""
    return pairs.compare(probing.of_probes(plan), [probing.PROBE], results, plan.probing.tasks)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """A panel a task."""
    from w2s.figures import per_task, style

    return per_task.draw(table, about, {**style.METHOD_STYLES, probing.PROBE: LOOK})
