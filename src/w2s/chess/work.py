"""What jobs of the chess setting compute. Light: no torch."""

from __future__ import annotations

from w2s.chess.stages import GENERATE
from w2s.graph.artifact import Artifact
from w2s.graph.work import Work
from w2s.models.work import finetuning, reading


def generate(run: Artifact) -> Work:
    """Finetuning on a part, and answers to all puzzles that it predicts; or answers alone."""
    answers = dict.fromkeys(run.spec["predicts"], 1.0 + run.spec.get("shots", 0))
    if run.spec["part"] is None:
        return reading(run, answers)
    work = finetuning(run, (run.spec["part"],), unembeds=True)
    return work._replace(passes=answers | dict(work.passes))


WORK = {GENERATE: generate}
