"""Sandwiching: non-experts, the model that assists them, experts, and students (Cotra 2021, Bowman et al. 2022)."""

from __future__ import annotations

from w2s.analysis import aggregate, pairs
from w2s.analysis.agreement import VALUES, agreement
from w2s.analysis.pgr import accuracy
from w2s.analysis.results import Predictions, Results, Row
from w2s.graph.artifact import Run, unique
from w2s.nlp.plan import NlpPlan

# Who answers, in the order of the figure; the column ``who``.
NON_EXPERT, ASSISTANT, ASSISTED = "non-expert", "assistant", "assisted"
STUDENT, STUDENT_OF_ASSISTED, EXPERT = "student", "student of assisted", "expert"


def _pairs(plan: NlpPlan) -> list[pairs.Pair]:
    return [(plan.rung(weak), plan.rung(strong)) for weak, strong in plan.sandwiching.pairs]


def of_study(plan: NlpPlan) -> pairs.Runs:
    """The NLP setting's runs, of the study's seeds."""
    return pairs.Variant(plan, plan.sandwiching.seeds, plan.truth, plan.ceiling, plan.student)


def runs(plan: NlpPlan) -> list[Run]:
    """Supervisors, students and ceilings, shared with every other figure; assistants, assisted ones, their students."""
    study = plan.sandwiching
    shared = pairs.runs(of_study(plan), study.methods, study.tasks, _pairs(plan))
    return unique([*shared, *study.every_run()])


def rows(plan: NlpPlan, results: Results) -> list[Row]:
    """One row for each who answers, task, seed and pair, then the medians over tasks and their intervals.

    Accuracy and PGR are of the test set. ``labels_accuracy`` is that of the labels which students learn from;
    agreements are the assisted non-expert's with its assistant. ``assistant`` says which, where that matters.
    """
    found: list[Row] = []
    study = plan.sandwiching
    for task in study.tasks:
        for seed in study.seeds:
            for pair in _pairs(plan):
                found += _of_pair(plan, results, task, seed, pair)
    return [*found, *aggregate.medians(found, VALUES_OF_FIGURE), *aggregate.interval_rows(found)]


VALUES_OF_FIGURE = (*aggregate.COMPARED, "labels_accuracy", *VALUES)


def _of_pair(plan: NlpPlan, results: Results, task: str, seed: int, pair: pairs.Pair) -> list[Row]:
    study, of = plan.sandwiching, of_study(plan)
    weak, strong = (rung.name for rung in pair)
    alone, expert = plan.truth(task, weak, seed), plan.ceiling(task, strong, seed)
    bounds = [pairs.accuracy_on_test(results.predictions(run)) for run in (alone, expert)]

    def row(who: str, run: Run, method: str, assistant: str = "", role: str = "", *, labels: bool = False) -> Row:
        predictions = results.predictions(run)
        reached = pairs.accuracy_on_test(predictions)
        found = pairs.identity(of, task, seed, method, pair) | {"who": who, "assistant": assistant}
        found |= {"labels": run.labels + role, "accuracy": reached}
        found |= pairs.gap(of.config, pair, bounds[0], reached, bounds[1])
        if who in (NON_EXPERT, EXPERT):  # 0 and 1, or undefined as all others are
            del found["undefined"]
        return found | ({"labels_accuracy": of_labels(predictions)} if labels else {})

    found = [row(NON_EXPERT, alone, pairs.TRUTH, labels=True), row(EXPERT, expert, pairs.TRUTH)]
    found += [row(STUDENT, plan.student(task, weak, strong, one, seed), one) for one in study.methods]
    for kind in study.setting.assistants:
        assistant = study.assistant(task, weak, strong, kind, seed)
        assisted = study.assisted(task, weak, strong, kind, seed)
        found.append(row(ASSISTANT, assistant, assistant.method, kind, ", as assistant", labels=True))
        trusts = agreement(*_both(results.predictions(assistant), results.predictions(assisted)))
        told = row(ASSISTED, assisted, assisted.method, kind, f", {weak} assisted", labels=True)
        found.append(told | dict(zip(VALUES, trusts, strict=True)))
        for method in study.methods:
            run = study.student(task, weak, strong, kind, method, seed)
            found.append(row(STUDENT_OF_ASSISTED, run, method, kind))
    return found


def of_labels(predictions: Predictions) -> float:
    """Accuracy on the strong half, where a run's predictions are labels."""
    chosen = [number for number, part in enumerate(predictions["part"]) if part == "strong"]
    return accuracy(*([predictions[name][number] for number in chosen] for name in ("truth", "probability")))


def _both(assistant: Predictions, assisted: Predictions) -> tuple[list[float], list[float], list[float], list[object]]:
    """(truth, what the assistant says, what the assisted says, ids) of the test set, by id."""
    said = dict(zip(assistant["id"], assistant["probability"], strict=True))
    chosen = [number for number, part in enumerate(assisted["part"]) if part == "test"]
    ids, truth, probability = ([assisted[name][one] for one in chosen] for name in ("id", "truth", "probability"))
    return truth, [said[one] for one in ids], probability, ids
