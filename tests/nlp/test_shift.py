"""Runs scored on other test sets: what is trained anew, what stays as it was, and mistakes in one line."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import refused
from tests.nlp.test_plan_studies import new
from w2s.config.shift import ELSEWHERE
from w2s.errors import LackingError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
from w2s.graph.artifact import Run, with_ancestors

Change = Callable[[dict[str, Any]], object]


def test_two_tasks_runs_are_trained_for_this_figure_and_for_no_other(smoke: Plan) -> None:
    tasks, runs, others = 2, 4, 3
    of_nlp = {"finetune": tasks * runs, "data": others}
    of_reward = {"dialogues": 1, "pretrain": 2, "preferences": 3, "reward_model": 4}
    assert new(smoke, "shift") == of_nlp | of_reward
    known, needed = with_ancestors(smoke.everything()), module("shift").needs(smoke)
    assert {one.key for one in needed} <= known.keys()
    assert not {one.key for one in needed} & with_ancestors(module("fig5").needs(smoke)).keys()


def test_a_run_scored_elsewhere_is_its_own_with_further_parents(smoke: Plan) -> None:
    study = smoke.nlp.shift
    student = smoke.nlp.student("sciq", "w32", "w96", "naive", 0)
    elsewhere = study.student("sciq", "w32", "w96", "naive", 0)
    data = {f"{ELSEWHERE}{test.name}": study.data(test, 0) for test in study.tests if test.task == "sciq"}
    assert list(data) == ["elsewhere-openbookqa", "elsewhere-boolq"]
    assert elsewhere.spec == student.spec
    assert elsewhere.parents == {**student.parents, **data}
    assert elsewhere.path == f"results/nlp/sciq/w96/from-w32/naive-scored-elsewhere/s0-{elsewhere.key}"
    assert data["elsewhere-boolq"].key != smoke.nlp.data("boolq", 0).key  # other people are asked about


def test_the_study_moves_no_run(config: dict[str, Any]) -> None:
    def others() -> set[str]:
        every = with_ancestors(plan_of(copy.deepcopy(config), "some").everything()).values()
        return {one.path for one in every if "scored-elsewhere" not in one.path and "held_out_of" not in str(one.spec)}

    before = others()
    config["nlp"]["shift"] |= {"tests": [{"task": "boolq", "other": "sciq"}], "methods": ["naive"], "seeds": [1]}
    assert others() == before
    config["nlp"]["shift"] = None
    assert others() == before


def test_pairs_methods_and_seeds_are_those_of_the_section(config: dict[str, Any]) -> None:
    config["nlp"]["shift"] |= {"pairs": [["w48", "w64"], ["w32", "w64"]], "methods": ["naive"], "seeds": [0, 1]}
    config["reward"] = None
    runs = [run for run in module("shift").needs(plan_of(config, "some")) if isinstance(run, Run)]
    students = {(run.rung, run.labels, run.seed) for run in runs if run.labels != "truth"}
    assert students == {("w64", f"from-{weak}", seed) for weak in ("w32", "w48") for seed in (0, 1)}
    assert {run.method for run in runs} == {"naive-scored-elsewhere"}


def test_usual_test_sets_are_those_between_the_experiments_tasks(config: dict[str, Any]) -> None:
    config["nlp"].update(tasks=["boolq", "sciq", "sst2"], comparison={})
    assert [test.name for test in plan_of(config, "few").nlp.shift.tests] == ["boolq"]
    config["nlp"].update(tasks=["boolq", "sst2"])
    config["reward"] = None
    plan = plan_of(config, "none")
    with pytest.raises(LackingError, match=r"nlp\.shift\.tests is null, and the experiment does not have both"):
        module("shift").needs(plan)
    assert list(plan.everything())


def test_another_split_is_another_test_set(config: dict[str, Any]) -> None:
    config.update(settings=["nlp"])
    config["data"]["source"] = "hub"
    config["nlp"]["pretraining"]["corpus"] = "tasks"
    hard = {"task": "ethics_justice", "other": "ethics_justice", "test": "test"}
    same = {"task": "sciq", "other": "boolq"}
    config["nlp"]["shift"]["tests"] = [hard, same]
    nlp = plan_of(config, "hub").nlp
    of_hard, of_same = (nlp.shift.data(test, 0) for test in nlp.shift.tests)
    assert nlp.shift.tests[0].name == "ethics_justice-test"
    assert of_hard.spec["rows"] == {**nlp.data("ethics_justice", 0).spec["rows"], "test": "test"}
    assert of_hard.key != nlp.data("ethics_justice", 0).key
    assert of_same.key == nlp.data("boolq", 0).key


def test_without_a_pair_that_has_a_gap_the_figure_is_lacking(config: dict[str, Any]) -> None:
    for rung in config["nlp"]["ladder"][1:]:
        rung["truth"] = False
    config["reward"] = None
    plan = plan_of(config, "one")
    with pytest.raises(LackingError, match=r"nlp\.shift needs a supervisor that is smaller"):
        module("shift").needs(plan)
    assert list(plan.everything())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(tests=[{"task": "scqi", "other": "boolq"}]), "shift.tests: task: 'scqi' is not in this"),
        (lambda c: c.update(tests=[{"task": "sciq", "other": "bolq"}]), "shift.tests[0]: unknown task of the micro"),
        (lambda c: c.update(tests=[{"task": "sciq", "other": "sciq"}]), "sciq on sciq is its own test set"),
        (lambda c: c.update(tests=[{"task": "sciq", "other": "boolq", "test": "none"}]), "none: a test set cut from"),
        (lambda c: c.update(tests=[{"task": "sciq", "other": "boolq", "test": "hard"}]), "test cannot be set with the"),
        (lambda c: c.update(tests=[{"task": "sciq", "other": "boolq"}] * 2), "is named twice"),
        (lambda c: c.update(methods=["naif"]), "shift.methods: 'naif' is not"),
        (lambda c: c.update(pairs=[["w96", "w32"]]), "shift.pairs: [w96, w32] is no pair of this ladder"),
    ],
)
def test_mistakes_are_one_line(change: Change, said: str, config: dict[str, Any]) -> None:
    change(config["nlp"]["shift"])
    refused(config, [said])
