"""Vision: probes on truth and on a supervisor's labels, and the gap between them (Appendix D.1, Table 3)."""

from __future__ import annotations

import math

from w2s import paper
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.pairs import TRUTH, accuracy_on_test, test_examples
from w2s.analysis.results import Predictions, Results, Row
from w2s.graph.artifact import Run
from w2s.vision.config import Student
from w2s.vision.plan import VisionPlan

VISION = "vision"
IMAGENET = "imagenet"  # name of the paper's images in the config
SUPERVISOR, CEILING, STUDENT = "supervisor", "ceiling", "student"


def runs(plan: VisionPlan) -> list[Run]:
    """A ceiling and a student for every rung, schedule and seed."""
    return list(plan.every_run())


def compare(plan: VisionPlan, results: Results) -> list[Row]:
    """One row a model, schedule and seed: the supervisor (``labels_accuracy`` on the test images), ceilings, students.

    Accuracies and PGRs are fractions; PGR is NaN where the ceiling is no better than the supervisor, and for all but
    students. ``paper_accuracy`` and ``paper_pgr`` are Table 3's, and the open code's later ones; NaN where it has none,
    and on other images than ImageNet's.
    """
    rows: list[Row] = []
    supervisor = plan.config.supervisor.name
    for schedule in plan.config.schedules:
        for seed in plan.seeds:
            ceilings, students = {}, {}
            weak = Estimate(math.nan)
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
                recovered = Estimate.pgr(weak, reached, ceiling)
                gap = {
                    "weak": weak,
                    "ceiling": ceiling.value,
                    "pgr": recovered,
                    "pgr_inverted_kept": Estimate.pgr(weak, reached, ceiling, keep_inverted=True),
                    "undefined": int(math.isnan(recovered.value)),
                }
                rows.append(known | about | gap | published(plan, schedule, STUDENT, rung))
    return rows


def labels_accuracy(predictions: Predictions) -> Estimate:
    """How often the labels' most likely class is right on the test images: the supervisor's accuracy."""
    chosen, ids = test_examples(predictions)
    return Estimate.share(ids, [predictions["label"][one] == predictions["truth"][one] for one in chosen])


def published(vision: VisionPlan, schedule: str, role: str, rung: Student | None = None) -> Row:
    """The paper's numbers for the same row, in fractions: of the same architecture on the same images."""
    network = rung or vision.config.supervisor
    architecture = network.published.architecture if network.published else None

    def fits(row: dict[str, str]) -> bool:
        return (row["schedule"], row["role"], row["architecture"]) == (schedule, role, architecture)

    on_imagenet = vision.config.images.name == IMAGENET
    found = next(filter(fits, paper.read("vision")), None) if on_imagenet else None
    if found is None:
        return {"paper_model": None, "paper_accuracy": math.nan, "paper_pgr": math.nan}
    gap = float(found["pgr"]) / 100 if found["pgr"] else math.nan
    return {"paper_model": found["model"], "paper_accuracy": float(found["accuracy"]) / 100, "paper_pgr": gap}
