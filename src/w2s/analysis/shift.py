"""Accuracy and PGR in distribution and out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from w2s.analysis import pairs
from w2s.analysis.results import Predictions, Results, Row
from w2s.config.shift import ELSEWHERE
from w2s.graph.artifact import Artifact, Run, unique
from w2s.models.shift import ShiftPlan

IN, OUT = "in", "out"  # where a row's accuracies are measured: the column ``distribution``


@dataclass(frozen=True)
class Elsewhere:
    """Results in which another test set takes the place of the test set. part: what predictions call it."""

    of: Results
    part: str

    def predictions(self, run: Run) -> Predictions:
        """Those on the other test set alone, as ``test``."""
        found = self.of.predictions(run)
        chosen = [number for number, part in enumerate(found["part"]) if part == self.part]
        return {name: [column[number] for number in chosen] for name, column in found.items()} | {
            "part": ["test"] * len(chosen)
        }

    def history(self, run: Run) -> list[dict[str, float]]:
        """The run's own."""
        return self.of.history(run)

    def record(self, artifact: Artifact) -> dict[str, Any]:
        """The artifact's own."""
        return self.of.record(artifact)

    def examples(self, data: Artifact) -> Predictions:
        """The data's own."""
        return self.of.examples(data)


def _of_study(study: ShiftPlan) -> pairs.Runs:
    return pairs.Variant(study.plan, study.seeds, study.truth, study.ceiling, study.student)


def runs(study: ShiftPlan) -> list[Run]:
    """Supervisors, ceilings and students of all pairs of the study."""
    return unique(pairs.runs(_of_study(study), study.methods, study.tasks, study.pairs))


def rows(study: ShiftPlan, results: Results) -> list[Row]:
    """The rows of ``pairs.compare`` for every other test set, in distribution and out of it.

    ``task`` is the task trained on, ``tested`` the test set's name, ``distribution`` where that row is measured.
    """
    of = _of_study(study)
    found: list[Row] = []
    for test in study.tests:
        elsewhere = Elsewhere(results, f"{ELSEWHERE}{test.name}")
        for distribution, read in ((IN, results), (OUT, elsewhere)):
            of_test = pairs.compare(of, study.methods, read, [test.task], study.pairs)
            found += [row | {"tested": test.name, "distribution": distribution} for row in of_test]
    return found
