"""Prompted base models beside finetuned ones (Section 5.2.1): which runs, and their accuracies by draw of examples."""

from __future__ import annotations

import math
from collections import defaultdict
from statistics import fmean

from w2s.analysis import pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.pairs import NAIVE, Pair
from w2s.analysis.results import Predictions, Results, Row
from w2s.graph.artifact import Run, unique
from w2s.nlp.plan import NlpPlan
from w2s.nlp.prompting.plan import ZERO_SHOT

FEW_SHOT = "few-shot"  # stands for the method in rows of prompts with examples, however many there are
CONFIDENCE = "confidence"
COMPARED = 2  # supervisors whose finetuned students are drawn beside prompts, as in Figure 9c


def methods(plan: NlpPlan) -> list[str]:
    """The finetuning methods of Figure 9, as far as the experiment has them."""
    return [name for name in plan.config.methods if name in (NAIVE, CONFIDENCE)]


def compared(plan: NlpPlan) -> list[Pair]:
    """The pairs of Figure 9c: of the weakest supervisors that label prompts."""
    supervisors = [rung.name for rung in plan.prompting.supervisors()[:COMPARED]]
    return [pair for pair in plan.prompting.pairs() if pair[0].name in supervisors]


def of_finetuned(plan: NlpPlan) -> pairs.Runs:
    """Finetuned runs of the seeds that are prompted too."""
    return pairs.Variant(plan, plan.prompting.seeds, plan.truth, plan.ceiling, plan.student)


def finetuned_runs(plan: NlpPlan) -> list[Run]:
    """Ground truth at every rung that has it, and the students of the compared pairs."""
    tasks = plan.prompting.tasks
    found = pairs.runs(of_finetuned(plan), methods(plan), tasks, only=compared(plan))
    found += pairs.ceilings(of_finetuned(plan), tasks)
    return unique(found)


def finetuned(plan: NlpPlan, results: Results) -> list[Row]:
    """Their accuracies (and PGRs, which are not drawn)."""
    of, tasks = of_finetuned(plan), plan.prompting.tasks
    rows = pairs.compare(of, methods(plan), results, tasks, only=compared(plan))
    return pairs.with_ceilings(of, rows, results, tasks)


def prompted_runs(plan: NlpPlan) -> list[Run]:
    """Every rung prompted: zero-shot, with true examples, with examples that supervisors labelled."""
    return list(plan.prompting.every_run())


def prompted(plan: NlpPlan, results: Results) -> list[Row]:
    """One row a prompted rung and draw of examples; ``shots`` is how many there was room for, on average."""
    prompting, of = plan.prompting, of_finetuned(plan)
    rows: list[Row] = []

    def add(run: Run, row: Row) -> None:
        rows.extend(row | one for one in by_draw(results.predictions(run)))

    for task in prompting.tasks:
        for seed in prompting.seeds:
            for rung in plan.config.ladder:
                alone = pairs.alone(of, task, seed, ZERO_SHOT, rung)
                add(prompting.zero_shot(task, rung.name, seed), alone)
                if prompting.setting.shots:
                    add(prompting.truth(task, rung.name, seed), alone | {"method": FEW_SHOT})
            for pair in prompting.pairs() if prompting.setting.shots else ():
                weak, strong = (rung.name for rung in pair)
                run = prompting.weak(task, weak, strong, seed)
                add(run, pairs.identity(of, task, seed, FEW_SHOT, pair))
    return rows


def by_draw(predictions: Predictions) -> list[Row]:
    """``draw``, ``accuracy`` on the test examples and mean ``shots`` of each draw of examples in the prompt."""
    rows: dict[int, list[int]] = defaultdict(list)
    for number, draw in enumerate(predictions["draw"]):
        if predictions["part"][number] == "test":
            rows[draw].append(number)
    found = []
    for draw, numbers in sorted(rows.items()):
        names = ("id", "truth", "probability", "shots")
        ids, truth, said, shots = ([predictions[name][one] for one in numbers] for name in names)
        right = [(true > 0.5) == (one > 0.5) for true, one in zip(truth, said, strict=True)]
        found.append({"draw": draw, "accuracy": Estimate.share(ids, right), "shots": fmean(shots)})
    return found


def means(rows: list[Row]) -> list[Row]:
    """Means over tasks (Figure 9 shows these): one row a method, supervisor, student, seed and draw.

    A row without draw (a finetuned run) counts as draw 0.
    """
    cells: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for row in rows:
        draw = row.get("draw", 0)
        draw = 0 if isinstance(draw, float) and math.isnan(draw) else draw
        cells[row["method"], _named(row.get("supervisor")), row["student"], row["seed"], draw].append(row)
    return [
        {
            "method": method,
            "supervisor": supervisor,
            "student": student,
            "student_compute": some[0]["student_compute"],
            "seed": seed,
            "draw": draw,
            "accuracy": fmean(row["accuracy"] for row in some),
        }
        for (method, supervisor, student, seed, draw), some in cells.items()
    ]


def _named(supervisor: object) -> str | None:
    return supervisor if isinstance(supervisor, str) else None
