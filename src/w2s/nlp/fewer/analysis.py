"""Accuracy and PGR of students by the number of weak labels that they learn from."""

from __future__ import annotations

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.graph.artifact import Run, unique
from w2s.nlp.fewer.plan import FewerLabelsPlan
from w2s.nlp.plan import NlpPlan

VALUES = (*aggregate.COMPARED, "weak", "ceiling", "learned")


def _of_study(plan: NlpPlan, share: float) -> pairs.Runs:
    """The NLP setting's runs, of the study's seeds, with students of a share of the labels."""
    study: FewerLabelsPlan = plan.fewer_labels

    def student(task: str, weak: str, strong: str, method: str, seed: int) -> Run:
        assert (weak, strong) == study.pair
        return study.student(task, method, share, seed)

    return pairs.Variant(plan, study.seeds, plan.truth, plan.ceiling, student)


def _pair(plan: NlpPlan) -> pairs.Pair:
    weak, strong = plan.fewer_labels.pair
    return plan.rung(weak), plan.rung(strong)


def runs(plan: NlpPlan) -> list[Run]:
    """Supervisor and ceiling of the pair, and its students on every share of the labels."""
    study, only = plan.fewer_labels, [_pair(plan)]
    of_shares = (pairs.runs(_of_study(plan, share), study.methods, study.tasks, only) for share in study.shares)
    return unique([run for some in of_shares for run in some])


def rows(plan: NlpPlan, results: Results) -> list[Row]:
    """One row a student, with the columns of ``pairs.compare``, then medians over tasks and their intervals.

    ``share`` is that of the weak labels, which ``labels`` says in words;
    ``learned`` is the number of weak labels that the run was trained on. Medians are one a share.
    """
    study, only = plan.fewer_labels, [_pair(plan)]
    found: list[Row] = []
    for share in study.shares:
        of = _of_study(plan, share)
        for row in pairs.compare(of, study.methods, results, study.tasks, only):
            if row["method"] == pairs.TRUTH:
                continue
            run = study.student(row["task"], row["method"], share, row["seed"])
            learned = results.record(run)["measured"]["examples"]
            found.append(row | {"labels": f"{100 * share:g}% of {run.labels}", "share": share, "learned": learned})
    return [*found, *aggregate.medians(found, VALUES), *aggregate.interval_rows(found)]
