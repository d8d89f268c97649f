"""Reward modelling: which runs its figures compare, with generative finetuning first or without (Section 5.2.2).

Rows keep the names of plain rungs: ``method`` tells runs apart that start from a base model after generative
finetuning, and so do the columns ``start`` (of student and ceiling) and ``supervisor_start``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.errors import LackingError
from w2s.graph.artifact import Run
from w2s.reward.plan import RewardPlan

REWARD = "reward"
GENERATIVE = "generative"  # stands for the method of naive students that were finetuned generatively first
GENERATIVE_TRUTH = "generative-truth"  # and of ground-truth runs that were
STOPPED = "probability_stopped"  # predictions at the evaluation with the best test accuracy ("cheating")


def of_generative(plan: RewardPlan, *, supervisors: bool = False) -> pairs.Runs:
    """The runs after generative finetuning of students and ceilings; with ``supervisors``, of supervisors too."""
    truth = partial(plan.truth, generative=True) if supervisors else plan.truth
    ceiling = partial(plan.ceiling, generative=True)
    student = partial(plan.student, generative=True, generative_supervisor=supervisors)
    return pairs.Variant(plan.name, plan.config, plan.seeds, truth, ceiling, student)


def naive(plan: RewardPlan, figure: str) -> list[str]:
    """The one method of figures that show naive finetuning only; LackingError if the setting leaves it out."""
    return pairs.only_naive(plan.config.methods, figure, REWARD)


def naive_runs(plan: RewardPlan, figure: str) -> list[Run]:
    """Ground truth at every rung and every naive student: what Figure 3 shows."""
    return pairs.runs(plan, naive(plan, figure), plan.tasks)


def naive_rows(plan: RewardPlan, figure: str, results: Results) -> list[Row]:
    """Rows of ground truth and naive students, as ``pairs.compare`` has them, then their medians over tasks."""
    return with_medians(plan, pairs.compare(plan, naive(plan, figure), results, plan.tasks))


def with_medians(plan: RewardPlan, rows: Sequence[Row], values: Sequence[str] = aggregate.COMPARED) -> list[Row]:
    """The rows, and where there are several tasks also medians over them; the paper has one."""
    return aggregate.with_aggregates(rows, values) if len(plan.tasks) > 1 else list(rows)


# -- generative finetuning first ---------------------------------------------------------------------------


def generative_pairs(plan: RewardPlan, figure: str, *, supervisors: bool = False) -> list[pairs.Pair]:
    """Same-size and larger students that are finetuned generatively first, and with ``supervisors`` so were theirs."""
    setting = plan.config
    naive(plan, figure)
    if setting.generative is None:
        raise LackingError(f"{figure} shows generative finetuning, but reward.generative is null")
    started = setting.generative_rungs()
    found = [pair for pair in setting.generative_pairs() if not supervisors or pair[0] in started]
    if not found:
        raise LackingError(f"{figure} has supervisors finetuned generatively; reward.generative.rungs names none")
    return found


def generative_runs(plan: RewardPlan, figure: str, *, supervisors: bool = False) -> list[Run]:
    """What ``generative_rows`` reads, each run once."""
    shown, tasks = generative_pairs(plan, figure, supervisors=supervisors), plan.tasks
    found: dict[str, Run] = {}
    for of in (plan, of_generative(plan, supervisors=supervisors)):
        found |= {run.key: run for run in pairs.runs(of, [pairs.NAIVE], tasks, only=shown)}
    return list(found.values())


def generative_rows(
    plan: RewardPlan, figure: str, results: Results, *, supervisors: bool = False, stopped: bool = False
) -> list[Row]:
    """The same pairs without generative finetuning and with it, each with its own ceiling.

    PGR with it is (student - weak) / (ceiling - weak), student and ceiling after generative finetuning, weak without
    (Figures 10, 17) or, with ``supervisors``, after it too (Figure 18). stopped: students at their best evaluation
    on the test set (Figure 17); ground truth is judged at the last step all the same, as in the paper's.
    """
    shown = generative_pairs(plan, figure, supervisors=supervisors)
    column = STOPPED if stopped else "probability"
    rows: list[Row] = []
    for of in (plan, of_generative(plan, supervisors=supervisors)):
        found = pairs.compare(of, [pairs.NAIVE], results, plan.tasks, only=shown, students=column)
        rows += found if not rows else renamed(found, supervisors=supervisors)
    return with_medians(plan, rows)


def renamed(rows: Sequence[Row], *, supervisors: bool = False) -> list[Row]:
    """Rows of naive students and ground truth as those of runs that were finetuned generatively first."""
    names = {pairs.TRUTH: GENERATIVE_TRUTH, pairs.NAIVE: GENERATIVE}
    found = [row | {"method": names[row["method"]], "start": GENERATIVE} for row in rows]
    return [row | {"supervisor_start": GENERATIVE} if supervisors and "weak" in row else row for row in found]
