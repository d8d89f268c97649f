"""A method's changes are in the identity of its runs and of no others; relabelling chains runs."""

from __future__ import annotations

from typing import Any

import pytest

from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
from w2s.graph.artifact import with_ancestors
from w2s.training.objectives import SEPARABLE


def student(plan: Plan, method: str, rung: str = "w96") -> Any:
    return plan.nlp.student("sciq", "w32", rung, method, 0)


def test_what_a_method_leaves_out_stands_in_no_spec(smoke: Plan) -> None:
    assert "method" not in student(smoke, "naive").spec
    assert student(smoke, "naive").spec["objective"] == {"name": "naive", "parameters": {}}
    assert set(student(smoke, "confidence").spec) == set(student(smoke, "naive").spec)
    assert student(smoke, "thresholding").spec["method"] == {"keep": {"share": 0.2, "epochs": 10.0}}
    assert "method" not in smoke.nlp.truth("sciq", "w96", 0).spec


def test_every_method_of_the_smoke_experiment_has_runs_of_its_own(smoke: Plan) -> None:
    runs = list(smoke.nlp.compared_runs())
    assert len({run.key for run in runs}) == len({run.path for run in runs}) == len(runs)
    assert {run.method for run in runs} == set(smoke.experiment.methods)


def test_every_change_that_there_is_has_an_entry_in_the_smoke_config(smoke: Plan) -> None:
    from w2s.config.methods import SOURCES, Method
    from w2s.training.objectives import OBJECTIVES

    methods = smoke.experiment.methods.values()
    used = {name for method in methods for name in method.changes()}
    used |= {name for method in methods for name in SOURCES if getattr(method, name) is not None}
    assert used | {"objective", "parameters", "large"} == set(Method.model_fields)
    assert {method.objective for method in methods} == set(OBJECTIVES)
    assert {"naive", "product"} < SEPARABLE


def test_the_comparison_trains_only_what_other_figures_have_not(smoke: Plan) -> None:
    """Naive and confidence students, supervisors and ceilings are Figure 12's."""
    there = {run.key for run in module("fig12").needs(smoke)}
    new = [run for run in module("methods").needs(smoke) if run.key not in there]
    assert {run.method for run in new} == set(smoke.experiment.methods) - {"naive", "confidence"}
    assert len(new) == 3 * len(smoke.experiment.seeds) * (len(smoke.experiment.methods) - 2)


def test_relabelling_learns_from_the_same_student_and_may_be_chained(config: dict[str, Any]) -> None:
    config["methods"]["again"] = {"objective": "confidence", "relabelled_by": "relabelling"}
    plan = plan_of(config, "config.yaml")
    again, relabelled, naive = (student(plan, name) for name in ("again", "relabelling", "naive"))
    assert again.parents["labels"] is relabelled
    assert relabelled.parents["labels"] is naive
    assert naive.parents["labels"] is plan.nlp.truth("sciq", "w32", 0)
    assert relabelled.spec == naive.spec
    assert relabelled.key != naive.key
    assert relabelled.path.startswith("results/nlp/sciq/w96/from-w32/relabelling/s0-")


def test_iterated_students_are_chained_to_the_supervisor(smoke: Plan) -> None:
    methods, run = [], student(smoke, "iterated")
    while run.labels != "truth":
        methods.append(run.method)
        run = run.parents["labels"]
    assert methods == ["iterated", "relabelling", "naive"]
    assert run is smoke.nlp.truth("sciq", "w32", 0)


def test_an_ensemble_is_of_all_supervisors_that_the_student_is_paired_with(smoke: Plan) -> None:
    run = student(smoke, "ensemble")
    mean = run.parents["labels"]
    assert mean.stage.name == "ensemble"
    assert dict(mean.parents) == {rung: smoke.nlp.truth("sciq", rung, 0) for rung in ("w32", "w48", "w64")}
    assert run.spec == student(smoke, "naive").spec
    assert run.path.startswith("results/nlp/sciq/w96/ensemble-of-3/ensemble/s0-")
    assert set(student(smoke, "ensemble", "w48").parents["labels"].parents) == {"w32", "w48"}


def test_zero_shot_labels_come_from_the_students_own_base_model_and_no_supervisor(smoke: Plan) -> None:
    run = student(smoke, "zero-shot-labels")
    prompted = run.parents["labels"]
    assert prompted.parents == {"data": run.parents["data"], "model": run.parents["model"]}
    assert (prompted.spec["shots"], prompted.spec["half"]) == (0, None)
    assert {"strong", "validation", "test"} <= set(prompted.spec["predicts"])
    assert run.spec["method"] == {"balanced": True}
    assert run.path.startswith("results/nlp/sciq/w96/zero-shot/zero-shot-labels/s0-")
    assert "truth" not in {getattr(one, "labels", "") for one in with_ancestors([run]).values()}


def test_a_run_that_is_the_same_for_every_supervisor_has_one_path(config: dict[str, Any]) -> None:
    config["methods"] |= {
        "again": {"objective": "naive", "relabelled_by": "ensemble"},
        "own": {"objective": "confidence", "relabelled_by": "zero-shot-labels"},
    }
    config["nlp"]["comparison"]["pairs"] = [["w32", "w96"], ["w64", "w96"], ["w32", "w64"]]
    plan = plan_of(config, "config.yaml")
    for method in ("ensemble", "zero-shot-labels", "again", "own"):
        first, other = (plan.nlp.student("sciq", weak, "w96", method, 0) for weak in ("w32", "w64"))
        assert first is other
    runs = {run.key: run for run in plan.nlp.compared_runs()}
    assert len({run.path for run in plan.nlp.compared_runs()}) == len(runs)


def test_zero_shot_labels_are_those_of_an_assistant_in_sandwiching(smoke: Plan) -> None:
    """So both studies make them once."""
    assistant = smoke.nlp.sandwiching.assistant("sciq", "w32", "w96", "zero-shot", 0)
    assert student(smoke, "zero-shot-labels").parents["labels"] is assistant


@pytest.mark.parametrize("study", ["errors", "sandwiching"])
def test_a_study_of_supervisors_takes_no_method_with_other_labels(config: dict[str, Any], study: str) -> None:
    config["nlp"]["methods"] = ["naive", "ensemble"]
    config["nlp"][study]["methods"] = ["ensemble"]
    config["nlp"]["sandwiching" if study == "errors" else "errors"] = None
    with pytest.raises(UserError, match=rf"nlp.{study}.methods: 'ensemble' has other labels than the supervisor's"):
        plan_of(config, "config.yaml")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"a": {"ground_truth": 2}}, "methods.a.ground_truth: 2 is not allowed; allowed: 0 to 1"),
        ({"a": {"labels": "zeroshot"}}, "methods.a.labels: 'zeroshot' is not allowed; allowed: 'ensemble' or 'zero_sh"),
        ({"a": {"keep": {"share": 0.5, "neighbours": 0}}}, "methods.a.keep.neighbours: 0 is not allowed; allowed: "),
        ({"a": {"labels": "ensemble", "relabelled_by": "naive"}}, "methods.a: relabelled_by and labels both say whose"),
        ({"a": {"label_noise": 1.5}}, "methods.a.label_noise: 1.5 is not allowed; allowed: 0 to 1"),
        ({"a": {"dropout": 1}}, "methods.a.dropout: 1 is not allowed; allowed: 0 to below 1"),
        ({"a": {"average": {"decay": -0.1}}}, "methods.a.average.decay: -0.1 is not allowed; allowed: 0 to below 1"),
        ({"a": {"keep": {"share": 0}}}, "methods.a.keep.share: 0 is not allowed; allowed: above 0 to 1"),
        ({"a": {"consistency": {"tial": 3}}}, "methods.a.consistency.tial: unknown key; did you mean 'tail'?"),
        ({"a": {"weight_decay": -1}}, "methods.a.weight_decay: -1 is not allowed; allowed: 0 to 10000"),
        ({"a": {"head_first": {"epochs": 0}}}, "methods.a.head_first.epochs: 0 is not allowed; allowed: above 0"),
        ({"a": {"relabelled_by": "nave"}}, "methods.a.relabelled_by: 'nave' is not in this experiment; did you mean"),
        ({"a": {"relabelled_by": "b"}, "b": {"relabelled_by": "a"}}, "methods.a.relabelled_by: a circle, a by b by a"),
        ({"a": {}}, "methods.a: is the same as methods.naive; leave one of them out"),
        ({"a": {"droput": 0.1}}, "methods.a.droput: unknown key; did you mean 'dropout'?"),
        ({"naive": {"dropout": 0.1}}, "methods.naive: figures take 'naive' for naive finetuning"),
        (
            {"a": {"objective": "l2_confidence", "parameters": {"balanced": 1}}},
            "methods.a.balanced: 1 is not allowed; allowed: true, false",
        ),
    ],
)
def test_a_mistake_is_one_line_with_the_range(config: dict[str, Any], change: dict[str, Any], said: str) -> None:
    config["methods"] |= {name: {"objective": "naive", **some} for name, some in change.items()}
    with pytest.raises(UserError) as caught:
        plan_of(config, "config.yaml")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("comparison", "said"),
    [
        ({"tasks": ["scqi"]}, "comparison.tasks: 'scqi' is not in this experiment; did you mean 'sciq'"),
        ({"methods": ["product", "prodct"]}, "nlp.comparison.methods: unknown method 'prodct'; did you mean 'product'"),
        ({"pairs": [["w96", "w32"]]}, "comparison.pairs: [w96, w32] is no pair of this ladder; allowed: [w32, w32]"),
        ({"pairs": [["w32", "w64"], ["w32", "w64"]]}, "is named twice"),
    ],
)
def test_a_comparison_names_what_there_is(config: dict[str, Any], comparison: dict[str, Any], said: str) -> None:
    config["nlp"]["comparison"] = comparison
    with pytest.raises(UserError) as caught:
        plan_of(config, "config.yaml")
    assert said in str(caught.value)
