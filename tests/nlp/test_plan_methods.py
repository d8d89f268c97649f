"""A method's changes are in the identity of its runs and of no others; relabelling chains runs."""

from __future__ import annotations

from typing import Any

import pytest

from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
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


@pytest.mark.parametrize(
    ("change", "said"),
    [
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
