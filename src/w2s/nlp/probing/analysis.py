"""Linear probes beside finetuned runs (Section 5.2.3, Appendices D.2 and E.1): which runs, and what they show."""

from __future__ import annotations

import math

from w2s.analysis import pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Results, Row
from w2s.graph.artifact import Artifact, Run
from w2s.nlp.plan import NlpPlan

LABELLER = "labeller"  # stands for the student where what labels is measured itself
PROBE = "probe"  # stands for the method in rows of probes on weak labels
BARS = ("lp(weak)", "lp(gt)", "ft(weak)", "ft(weak)+lp(gt)", "ft(gt)")  # of Figure 11, from above


def of_probes(plan: NlpPlan) -> pairs.Runs:
    """Probes of Figure 23: weak heads that teach strong ones."""
    probing, recipe = plan.probing, plan.probing.setting.students
    return pairs.Variant(
        plan,
        probing.seeds,
        lambda task, rung, seed: probing.truth(task, rung, seed, recipe),
        lambda task, rung, seed: probing.ceiling(task, rung, seed, recipe),
        lambda task, weak, strong, method, seed: probing.student(task, weak, strong, seed, recipe),
    )


def larger(plan: NlpPlan) -> list[pairs.Pair]:
    """The pairs whose student is larger than its supervisor: Figure 23 has no others."""
    return [pair for pair in plan.config.pairs() if pair[0] is not pair[1]]


def bars(plan: NlpPlan, figure: str) -> dict[tuple[str, int], dict[str, Run]]:
    """(task, seed) -> bar of Figure 11 -> its run. LackingError without naive finetuning."""
    pairs.only_naive(plan, figure)
    probing, recipe, (weak, strong) = plan.probing, plan.probing.setting.recipe, plan.probing.pair()
    found = {}
    for task in probing.tasks:
        for seed in probing.seeds:
            student = plan.student(task, weak, strong, pairs.NAIVE, seed)
            runs = (
                probing.on_weak_labels(task, weak, strong, seed, recipe),
                probing.ceiling(task, strong, seed, recipe),
                student,
                probing.after(student, recipe),
                plan.ceiling(task, strong, seed),
            )
            found[task, seed] = dict(zip(BARS, runs, strict=True))
    return found


def bar_rows(plan: NlpPlan, results: Results, figure: str) -> list[Row]:
    """One row a task, seed and bar (in the column of methods): its test accuracy."""
    weak, strong = plan.probing.pair()
    compute = plan.config.compute(plan.rung(strong))
    rows = []
    for (task, seed), runs in bars(plan, figure).items():
        for bar, run in runs.items():
            reached = pairs.accuracy_on_test(results.predictions(run))
            row = {"setting": pairs.NLP, "task": task, "seed": seed, "method": bar}
            row |= {"supervisor": weak} if "weak" in bar else {}
            rows.append(row | {"student": strong, "student_compute": compute, "accuracy": reached})
    return rows


def recovered(lp: float, between: float, ft: float) -> float:
    """Share of the gap between lp(gt) and ft(gt) that an accuracy closes, all in percent; NaN under a point of gap."""
    return (between - lp) / (ft - lp) if ft - lp >= 1 else math.nan


def fit_runs(plan: NlpPlan) -> list[Artifact]:
    """What ``fit_rows`` reads: one fit of everything a seed, and the data, for their number of test examples."""
    runs = [plan.probing.errors(seed) for seed in plan.probing.seeds]
    return [*runs, *(_data(run) for run in runs)]


def _data(run: Run) -> Artifact:
    return run.parents["features"].parents["data"]


def fit_rows(plan: NlpPlan, results: Results) -> list[Row]:
    """One row a labeller or student of Figure 24 (see ``w2s.nlp.probing.simulable.Result``)."""
    rows = []
    for seed in plan.probing.seeds:
        run = plan.probing.errors(seed)
        shared = {"setting": pairs.NLP, "task": run.task, "rung": run.rung, "seed": seed}
        examples = results.record(_data(run))["measured"]["counts"]["parts"]["test"]["examples"]
        for fit in results.record(run)["measured"]["fits"]:
            itself = fit["student"] in (fit["labels"], LABELLER)  # and agrees with itself for sure
            known = ("accuracy",) if itself else ("accuracy", "agreement")
            rows.append(shared | fit | {name: Estimate.of_count(fit[name], examples) for name in known})
    return rows
