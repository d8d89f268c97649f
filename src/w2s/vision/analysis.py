"""Vision: probes on truth and on a supervisor's labels, and the gap between them (Appendix D.1, Table 3)."""

from __future__ import annotations

import math
from statistics import fmean

from w2s import paper
from w2s.analysis.pairs import TRUTH, accuracy_on_test
from w2s.analysis.pgr import pgr
from w2s.analysis.results import Predictions, Results, Row
from w2s.graph.artifact import Run
from w2s.vision.config import Student
from w2s.vision.plan import VisionPlan

VISION = "vision"
SUPERVISOR, CEILING, STUDENT = "supervisor", "ceiling", "student"


def runs(plan: VisionPlan) -> list[Run]:
    """A ceiling and a student for every rung, schedule and seed."""
    return list(plan.every_run())


def compare(plan: VisionPlan, results: Results) -> list[Row]:
    """One row a model, schedule and seed: the supervisor (``labels_accuracy`` on the test images), ceilings, students.

    Accuracies and PGRs are fractions; PGR is NaN where the ceiling is no better than the supervisor, and for all but
    students. ``paper_accuracy`` and ``paper_pgr`` are Table 3's, and the open code's later ones, NaN where it has none.
    """
    rows: list[Row] = []
    supervisor = plan.config.supervisor.name
    for schedule in plan.config.schedules:
        for seed in plan.seeds:
            ceilings, students = {}, {}
            weak = math.nan
            for rung in plan.config.ladder:
                ceilings[rung.name] = accuracy_on_test(
                    results.predictions(plan.ceiling(plan.task, rung.name, seed, schedule))
                )
                predictions = results.predictions(plan.student(plan.task, supervisor, rung.name, schedule, seed))
                students[rung.name] = accuracy_on_test(predictions)
                weak = labels_accuracy(predictions)
            place = {"setting": VISION, "task": plan.task, "seed": seed, "schedule": schedule}
            known = place | {"supervisor": supervisor}
            rows.append(known | {"role": SUPERVISOR, "accuracy": weak} | published(plan, schedule, SUPERVISOR))
            for rung in plan.config.ladder:
                about = {"role": CEILING, "student": rung.name, "method": TRUTH, "accuracy": ceilings[rung.name]}
                rows.append(place | about | published(plan, schedule, CEILING, rung))
            for rung in plan.config.ladder:
                reached, ceiling = students[rung.name], ceilings[rung.name]
                about = {"role": STUDENT, "student": rung.name, "method": schedule, "accuracy": reached}
                recovered = pgr(weak, reached.value, ceiling.value)
                gap = {
                    "weak": weak,
                    "ceiling": ceiling.value,
                    "pgr": recovered,
                    "undefined": int(math.isnan(recovered)),
                }
                rows.append(known | about | gap | published(plan, schedule, STUDENT, rung))
    return rows


def labels_accuracy(predictions: Predictions) -> float:
    """How often the labels' most likely class is right on the test images: the supervisor's accuracy."""
    pairs = zip(predictions["part"], predictions["label"], predictions["truth"], strict=True)
    hits = [label == truth for part, label, truth in pairs if part == "test"]
    return fmean(hits)


def published(vision: VisionPlan, schedule: str, role: str, rung: Student | None = None) -> Row:
    """The paper's numbers for the same row, in fractions: by architecture, or by place for what is trained here."""

    def fits(row: dict[str, str]) -> bool:
        if row["schedule"] != schedule or row["role"] != role:
            return False
        if rung is None or rung.published:
            return rung is None or row["architecture"] == rung.published.architecture  # type: ignore[union-attr]
        return row["place"] == str(vision.config.ladder.index(rung))

    found = next(filter(fits, paper.read("vision")), None)
    if found is None:
        return {"paper_model": None, "paper_accuracy": math.nan, "paper_pgr": math.nan}
    gap = float(found["pgr"]) / 100 if found["pgr"] else math.nan
    return {"paper_model": found["model"], "paper_accuracy": float(found["accuracy"]) / 100, "paper_pgr": gap}
