"""What finetuning on weak labels elicits: naive students before training, at their first evaluation and at the end.

From the tables of Figures 5 and 13. A student that knows a task but does not tell rises; one that could answer before
and ends lower has forgotten (``docs/smoke.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.pairs import NAIVE, TRUTH

PAIR = ["supervisor", "student"]


@dataclass(frozen=True)
class Elicited:
    """One pair; accuracies are fractions, means over seeds and medians over tasks.

    before: zero-shot, by the head's initial rows; first, end: at the first and the last evaluation; pgr: method ->
    median PGR, as Figure 5 draws it.
    """

    supervisor: str
    student: str
    before: float
    first: float
    end: float
    supervisor_accuracy: float
    ceiling: float
    pgr: Mapping[str, float]

    def in_words(self) -> str:
        """One sentence for the report."""
        values = {
            "before training": self.before,
            "at the first evaluation": self.first,
            "at the end": self.end,
            "for the supervisor": self.supervisor_accuracy,
            "for the ceiling": self.ceiling,
        }
        numbers = ", ".join(f"{100 * value:.1f}% {name}" for name, value in values.items())
        return f"Naive {self.student} on labels of {self.supervisor}, median accuracy over tasks: {numbers}."


def by_pair(curves: pd.DataFrame, accuracies: pd.DataFrame) -> list[Elicited]:
    """A row for every pair of different rungs, by size.

    curves: the table of Figure 13; accuracies: that of Figure 5. Empty if runs have no record of their accuracy before
    training.
    """
    training = curves[(curves["panel"] == "a") & (curves["method"] == NAIVE)]
    if not (training["evaluation"] == 0).any():
        return []
    truth = accuracies[(accuracies["method"] == TRUTH) & (accuracies["task"] == MEDIAN)]
    ceilings = {str(rung): float(mean) for rung, mean in truth.groupby("student")["accuracy"].mean().items()}
    drawn = accuracies[(accuracies["task"] == MEDIAN) & (accuracies["method"] != TRUTH)]
    rows = []
    ordered = training.sort_values(["supervisor_compute", "student_compute"], kind="stable")
    for (weak, strong), some in ordered.groupby(PAIR, sort=False):
        if weak == strong:
            continue
        by_evaluation = some.groupby(["task", "evaluation"])["accuracy"].mean().groupby("evaluation").median()
        of_pair = drawn[(drawn["supervisor"] == weak) & (drawn["student"] == strong)]
        rows.append(
            Elicited(
                supervisor=str(weak),
                student=str(strong),
                before=float(by_evaluation.loc[0]),
                first=float(by_evaluation[by_evaluation.index > 0].iloc[0]),
                end=float(by_evaluation.iloc[-1]),
                supervisor_accuracy=ceilings[str(weak)],
                ceiling=ceilings[str(strong)],
                pgr={str(method): float(value) for method, value in of_pair.groupby("method")["pgr"].mean().items()},
            )
        )
    return rows


def widest(pairs: list[Elicited]) -> Elicited:
    """The pair of the weakest supervisor and the largest student."""
    return [pair for pair in pairs if pair.supervisor == pairs[0].supervisor][-1]


def table(pairs: list[Elicited]) -> pd.DataFrame:
    """As the documentation shows it, in percent."""
    methods = list(dict.fromkeys(method for pair in pairs for method in pair.pgr))
    return pd.DataFrame(
        {
            "supervisor": pair.supervisor,
            "student": pair.student,
            "before": f"{100 * pair.before:.1f}",
            "first evaluation": f"{100 * pair.first:.1f}",
            "end": f"{100 * pair.end:.1f}",
            "supervisor's accuracy": f"{100 * pair.supervisor_accuracy:.1f}",
            "ceiling": f"{100 * pair.ceiling:.1f}",
        }
        | {f"PGR {method}": f"{100 * pair.pgr[method]:z.0f}" for method in methods}
        for pair in pairs
    )
