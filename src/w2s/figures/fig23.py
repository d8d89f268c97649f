"""Figure 23: weak linear probes supervising strong ones on frozen features (paper, Appendix D.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, unique
from w2s.nlp.probing import analysis as probing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy of linear probes on frozen base models against the probed model's pretraining compute, by task. "
    "Hue: model whose probe provides the labels; black: probes on ground truth."
)
LOOK: dict[str, Any] = {"linestyle": "-", "marker": "o", "linewidth": 1.4, "markersize": 4}


def needs(plan: Plan) -> list[Run]:
    """Probes on ground truth at every rung that has it, and on labels from the probes of weaker models."""
    of, tasks = probing.of_probes(plan.nlp), plan.nlp.probing.tasks
    found = pairs.runs(of, [probing.PROBE], tasks, only=probing.larger(plan.nlp)) + pairs.ceilings(of, tasks)
    return unique(found)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each probe's accuracy (and PGR, which is not drawn)."""
    of, tasks = probing.of_probes(plan.nlp), plan.nlp.probing.tasks
    rows = pairs.compare(of, [probing.PROBE], results, tasks, only=probing.larger(plan.nlp))
    return pairs.with_ceilings(of, rows, results, tasks)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """One panel per task; every line starts at its supervisor's accuracy, as in the paper."""
    import pandas as pd

    from w2s.figures import per_task, style

    students = table[table["method"] == probing.PROBE]
    starts = students.drop_duplicates(["task", "seed", "supervisor"])
    own = {"student": starts["supervisor"], "student_compute": starts["supervisor_compute"], "accuracy": starts["weak"]}
    for bound in ("examples_low", "examples_high"):
        if f"weak_{bound}" in starts:
            own[f"accuracy_{bound}"] = starts[f"weak_{bound}"]
    drawn = pd.concat([table, starts.assign(**own)])
    return per_task.draw(drawn, about, {**style.METHOD_STYLES, probing.PROBE: LOOK}, counted=table)
