"""What students make of errors of a known kind, and of label hints in their prompts (Appendix E)."""

from __future__ import annotations

from w2s.analysis import pairs
from w2s.analysis.agreement import on_test
from w2s.analysis.results import Results, Row
from w2s.graph.artifact import Run, unique
from w2s.nlp.errors.config import KINDS
from w2s.nlp.plan import NlpPlan

VALUES = ("agreement_right", "agreement_wrong")


def _pair(plan: NlpPlan) -> pairs.Pair:
    weak, strong = plan.errors.pair
    return plan.rung(weak), plan.rung(strong)


def _judges(plan: NlpPlan, task: str, seed: int) -> tuple[Run, Run]:
    """(weak, ceiling): the ground-truth runs that PGR is measured against, shared with every other figure."""
    weak, strong = plan.errors.pair
    return plan.truth(task, weak, seed), plan.ceiling(task, strong, seed)


# -- flipped labels (Figures 25 and 26) ------------------------------------------------------------------------


def flipped_runs(plan: NlpPlan) -> list[Run]:
    """Students of all six supervisors, under every method."""
    errors = plan.errors
    _ = errors.pair
    return [
        errors.flipped(task, kind, method, seed)
        for task in errors.tasks
        for seed in errors.seeds
        for kind in KINDS
        for method in errors.methods
    ]


def recovered_runs(plan: NlpPlan) -> list[Run]:
    """The same, and the ground truth that they are measured against."""
    errors = plan.errors
    judges = [run for task in errors.tasks for seed in errors.seeds for run in _judges(plan, task, seed)]
    return unique(flipped_runs(plan) + judges)


def recovered(plan: NlpPlan, results: Results) -> list[Row]:
    """One row a student of a flipped-label supervisor: accuracy and PGR, as ``pairs.compare`` has them; ``kind``."""
    errors, of, pair = plan.errors, plan, _pair(plan)
    rows = []
    for task in errors.tasks:
        for seed in errors.seeds:
            weak, ceiling = (pairs.accuracy_on_test(results.predictions(run)) for run in _judges(plan, task, seed))
            for kind in KINDS:
                for method in errors.methods:
                    run = errors.flipped(task, kind, method, seed)
                    reached = pairs.accuracy_on_test(results.predictions(run))
                    row = pairs.identity(of, task, seed, method, pair) | {"labels": run.labels, "kind": kind}
                    rows.append(row | {"accuracy": reached} | pairs.gap(of.config, pair, weak, reached, ceiling))
    return rows


def dynamics(plan: NlpPlan, results: Results) -> list[Row]:
    """One row an evaluation of those students: agreement with their labels on test examples, right and wrong ones."""
    errors, of, pair = plan.errors, plan, _pair(plan)
    training = plan.config.training
    evaluations = max(1, round(training.epochs * training.evaluations_per_epoch))
    rows = []
    for task in errors.tasks:
        for seed in errors.seeds:
            for kind in KINDS:
                for method in errors.methods:
                    run = errors.flipped(task, kind, method, seed)
                    about = pairs.identity(of, task, seed, method, pair) | {"labels": run.labels, "kind": kind}
                    for one in results.history(run):
                        # The same evaluation of another seed may lie a step to the side: halves differ in length.
                        number = round(one["epoch"] / training.epochs * evaluations)
                        at = {"evaluation": number, "epoch": one["epoch"]}
                        right, wrong = one["test_labels_right"], one["test_labels_wrong"]
                        rows.append(about | at | {"agreement_right": right, "agreement_wrong": wrong})
    return rows


# -- label hints (Figure 27) -----------------------------------------------------------------------------------


def label_hint_runs(plan: NlpPlan) -> list[Run]:
    """Students whose prompts have their supervisor's prediction, the same without it, and ground truth beside them."""
    errors = plan.errors
    runs: list[Run] = []
    for task in errors.appended_tasks:
        for seed in errors.seeds:
            runs += _judges(plan, task, seed)
            for method in errors.methods:
                runs += [errors.appended(task, method, seed), plan.student(task, *errors.pair, method, seed)]
    return unique(runs)


def label_hints(plan: NlpPlan, results: Results) -> list[Row]:
    """One row a student, with a label hint (``told``) or without: accuracy, PGR, agreement with its supervisor."""
    errors, of, pair = plan.errors, plan, _pair(plan)
    rows = []
    for task in errors.appended_tasks:
        for seed in errors.seeds:
            weak, ceiling = (pairs.accuracy_on_test(results.predictions(run)) for run in _judges(plan, task, seed))
            for method in errors.methods:
                students = {
                    1: errors.appended(task, method, seed),
                    0: plan.student(task, *errors.pair, method, seed),
                }
                for hinted, run in students.items():
                    predictions = results.predictions(run)
                    reached = pairs.accuracy_on_test(predictions)
                    row = pairs.identity(of, task, seed, method, pair) | {"told": hinted}
                    row |= {"labels": run.labels + (", told" if hinted else ""), "accuracy": reached}
                    row |= pairs.gap(of.config, pair, weak, reached, ceiling)
                    rows.append(row | {"agreement": on_test(predictions).all})
    return rows
