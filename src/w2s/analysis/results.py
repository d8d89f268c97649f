"""What analyses read of finished artifacts: predictions and history of runs, records of anything.

Analyses and figures see a ``Results`` and nothing else of the disk, so tests can hand them numbers.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from w2s.graph.artifact import Artifact, Run

# Column -> values. Of a classifier: id, part, truth, label, probability, probability_last; of chess: id, part, rating,
# truth, label, answer, correct, legal; of vision: id, part, truth, label, answer, correct (classes by number).
Predictions = dict[str, list[Any]]
Row = dict[str, Any]


class Results(Protocol):
    """Finished artifacts of a plan."""

    def predictions(self, run: Run) -> Predictions:
        """A run's ``predictions.parquet`` as columns."""
        ...

    def history(self, run: Run) -> list[dict[str, float]]:
        """A run's ``history.csv``, one row an evaluation: step, epoch, train_loss and accuracies in [0, 1]."""
        ...

    def record(self, artifact: Artifact) -> dict[str, Any]:
        """An artifact's manifest: what it is and what its making measured."""
        ...

    def examples(self, data: Artifact) -> Predictions:
        """The ``examples.parquet`` of built data as columns: id, part and what a setting's examples have."""
        ...


@dataclass(frozen=True)
class Stored:
    """Results under results/, each checked against its manifest before it is read. UserError if one is harmed.

    root: the checkout's folder.
    """

    root: Path = Path()

    def record(self, artifact: Artifact) -> dict[str, Any]:
        """An artifact's manifest."""
        from w2s.engine import artifacts

        return artifacts.read(self.root / artifact.path, expect=artifact.key)

    def predictions(self, run: Run) -> Predictions:
        """A run's predictions."""
        from w2s.engine import artifacts

        self.record(run)
        columns: Predictions = artifacts.read_table(self.root / run.path / "predictions.parquet").to_pydict()
        return columns

    def examples(self, data: Artifact) -> Predictions:
        """Built examples."""
        from w2s.engine import artifacts

        self.record(data)
        columns: Predictions = artifacts.read_table(self.root / data.path / "examples.parquet").to_pydict()
        return columns

    def history(self, run: Run) -> list[dict[str, float]]:
        """A run's history."""
        self.record(run)
        with (self.root / run.path / "history.csv").open(encoding="utf-8", newline="") as file:
            return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
