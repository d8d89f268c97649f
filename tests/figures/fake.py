"""Results without training: accuracies that a test chooses, as predictions and histories that have them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from w2s.analysis.results import Predictions
from w2s.plan import Artifact, Plan, Run

EXAMPLES = 100
EVALUATIONS = 4
STUDENT = (-0.1, 0.1, 0.0, -0.05)  # how far a student is from its accuracy at each evaluation


def halfway(plan: Plan) -> Callable[[Run], float]:
    """Truth reaches 60% at the first rung and up to 90% at the last; students get half way to their ceiling."""
    names = [rung.name for rung in plan.experiment.nlp.ladder]
    step = 30 // (len(names) - 1)

    def accuracy(run: Run) -> float:
        ceiling = 60 + step * names.index(run.rung)
        if run.labels == "truth":
            return ceiling / 100
        weak = 60 + step * names.index(run.labels.removeprefix("from-"))
        return (weak + (ceiling - weak) // 2) / 100

    return accuracy


class Fake:
    """A ``Results``; remembers which runs were asked for. accuracy: of a run on the test set, in hundredths."""

    def __init__(self, accuracy: Callable[[Run], float]) -> None:
        self.accuracy = accuracy
        self.read: set[str] = set()

    def predictions(self, run: Run) -> Predictions:
        """All truths are 1; the supervisor is right on the first half, the last step always."""
        self.read.add(run.key)
        right = round(EXAMPLES * self.accuracy(run))
        return {
            "part": ["test"] * EXAMPLES + ["validation"],
            "truth": [1] * (EXAMPLES + 1),
            "label": [0.8] * (EXAMPLES // 2) + [0.2] * (EXAMPLES // 2) + [0.2],
            "probability": [0.9] * right + [0.1] * (EXAMPLES - right) + [0.1],
            "probability_last": [0.9] * (EXAMPLES + 1),
        }

    def history(self, run: Run) -> list[dict[str, float]]:
        """Best on the test set at the second of four evaluations, last preferred by weak labels at the third."""
        self.read.add(run.key)
        labels = (0.6, 0.7, 0.7, 0.65)
        return [
            {
                "step": 10.0 * (number + 1),
                "epoch": 0.5 * (number + 1),
                "train_loss": 0.5,
                "validation_labels": labels[number],
                "validation_truth": 0.5,
                "test_labels": 0.5,
                "test_truth": self.accuracy(run) + STUDENT[number],
            }
            for number in range(EVALUATIONS)
        ]

    def record(self, artifact: Artifact) -> dict[str, Any]:
        """What building a task counts and measures."""
        self.read.add(artifact.key)
        part = {"examples": 40, "groups": 20}
        counts = {
            "train": {"candidates": 400, "examples": 200, "positive_share": 0.4},
            "rebalanced": True,
            "after_balancing": 160,
            "parts": dict.fromkeys(("weak", "strong", "validation", "test"), part),
        }
        guards = {"bag_of_words_accuracy": 0.5, "length_only_accuracy": None}
        return {"measured": {"counts": counts, "guards": guards}}
