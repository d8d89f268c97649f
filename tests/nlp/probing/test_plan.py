"""What is prompted and probed hangs on runs that other figures make too, and moves none of them."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow
from w2s.nlp.prompting.config import PAPERS

FIGURES = ("fig9", "fig11", "fig23", "fig24", "table2")


def made(plan: Plan, *names: str) -> dict[str, Counter[str]]:
    return {
        name: Counter(one.stage.name for one in with_ancestors(module(name).needs(plan)).values()) for name in names
    }


def test_they_finetune_nothing_that_figure_12_does_not(smoke: Plan) -> None:
    trained = {run.key for run in module("fig12").needs(smoke)}
    for name in FIGURES:
        finetuned = {
            one.key for one in with_ancestors(module(name).needs(smoke)).values() if one.stage.name == "finetune"
        }
        assert finetuned <= trained, name
        assert finetuned or name in ("fig23", "fig24", "table2")


def test_smoke_makes_as_many_as_its_time_allows(smoke: Plan) -> None:
    stages = made(smoke, *FIGURES)
    assert stages["fig9"]["prompt"] == 7 * (4 + 4 + 9)  # tasks x (zero-shot, 5-shot, 5-shot of every pair)
    assert (stages["fig11"]["features"], stages["fig11"]["probe"]) == (8 * 2, 8 * 3)
    assert (stages["fig23"]["features"], stages["fig23"]["probe"]) == (8 * 4, 8 * (4 + 6))
    assert stages["fig24"] == {"data": 1, "corpus": 1, "pretrain": 1, "features": 1, "errors": 1}
    assert not stages["table2"]


def test_features_of_a_base_model_are_made_once(smoke: Plan) -> None:
    """For all probes of all figures, whatever they are trained on."""
    features = {
        one.key: one
        for name in FIGURES
        for one in with_ancestors(module(name).needs(smoke)).values()
        if one.stage.name == "features" and "run" not in one.parents
    }
    places = Counter((one.parents["data"].key, one.parents["model"].key) for one in features.values())
    assert set(places.values()) == {1}


def test_features_of_a_finetuned_run_hang_on_it_and_on_what_it_was_trained_on(smoke: Plan) -> None:
    run = smoke.nlp.student("sciq", "w32", "w96", "naive", 0)
    features = smoke.nlp.probing.features_of(run)
    assert features.parents["run"] is run
    assert features.parents["labels"] is run.parents["labels"]
    assert features.path.startswith("results/nlp/sciq/w96/from-w32/features-naive/s0-")
    truth = smoke.nlp.probing.features_of(smoke.nlp.truth("sciq", "w96", 0))
    assert "labels" not in truth.parents


def test_a_weak_probe_teaches_a_strong_one_and_a_finetuned_supervisor_another(smoke: Plan) -> None:
    probing, adam = smoke.nlp.probing, smoke.nlp.probing.setting.students
    student = probing.student("sciq", "w32", "w64", 0, adam)
    assert student.parents["labels"] is probing.truth("sciq", "w32", 0, adam)
    assert student.spec["half"] == "strong"
    assert student.spec["selected"] == "validation"
    assert student.path.startswith("results/nlp/sciq/w64/from-w32-probe-adam/probe-adam/s0-")
    taught = probing.on_weak_labels("sciq", "w32", "w64", 0, adam)
    assert taught.parents["labels"] is smoke.nlp.truth("sciq", "w32", 0)
    assert taught.key != student.key
    assert probing.truth("sciq", "w32", 0, adam).spec["selected"] == "last"


def test_ceiling_half_strong_moves_the_truth_that_is_compared_and_not_what_labels(config: dict[str, Any]) -> None:
    config["ceiling_half"] = "strong"
    plan = plan_of(config, "strong")
    adam = plan.nlp.probing.setting.students
    assert plan.nlp.probing.ceiling("sciq", "w64", 0, adam).spec["half"] == "strong"
    assert plan.nlp.probing.truth("sciq", "w64", 0, adam).spec["half"] == "weak"
    assert plan.nlp.prompting.truth("sciq", "w64", 0).spec["half"] == "strong"


def test_prompts_of_weak_labels_hang_on_the_finetuned_supervisor(smoke: Plan) -> None:
    run = smoke.nlp.prompting.weak("sciq", "w32", "w64", 0)
    assert run.parents["labels"] is smoke.nlp.truth("sciq", "w32", 0)
    assert run.path.startswith("results/nlp/sciq/w64/from-w32/5-shot/s0-")
    assert smoke.nlp.prompting.zero_shot("sciq", "w64", 0).path.startswith("results/nlp/sciq/w64/none/zero-shot/s0-")


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    ("change", "moved"),
    [
        (lambda c: c["prompting"].update(draws=4), {"prompt"}),
        (lambda c: c["prompting"].update(answers=[" false", " true"]), {"prompt"}),
        (lambda c: c["prompting"].update(instructions=False), {"prompt"}),
        (lambda c: c["probing"]["students"].update(epochs=9), {"probe"}),
        (lambda c: c["probing"]["recipe"].update(c=0.5), {"probe"}),
        (lambda c: c["probing"]["recipe"].update(epochs=9), set()),  # lbfgs has none
        (lambda c: c["probing"]["errors"].update(draws=2), {"errors"}),
    ],
)
def test_a_setting_moves_its_own_stage_alone(config: dict[str, Any], change: Change, moved: set[str]) -> None:
    config["nlp"]["sandwiching"] = None  # its non-experts hang on prompts
    config["nlp"]["comparison"]["methods"] = ["naive"]  # others learn zero-shot labels

    def keys(settings: dict[str, Any]) -> dict[str, str]:
        plan = plan_of(settings, "config")
        return {one.key: one.stage.name for one in with_ancestors(plan.everything()).values()}

    before, changed = keys(config), copy.deepcopy(config)
    change(changed["nlp"])
    after = keys(changed)
    assert {stage for key, stage in after.items() if key not in before} == moved


def test_draws_leave_zero_shot_prompts_alone(config: dict[str, Any], smoke: Plan) -> None:
    config["nlp"]["prompting"]["draws"] = 9
    plan = plan_of(config, "more")
    assert plan.nlp.prompting.zero_shot("sciq", "w64", 0).key == smoke.nlp.prompting.zero_shot("sciq", "w64", 0).key


def test_keys_of_prompts_and_probes_are_found(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    for artifact in with_ancestors(workflow.default.everything()).values():
        assert workflow.artifact(artifact.key).path == artifact.path
    assert {"prompt", "features", "probe", "errors"} <= {one.stage.name for one in workflow.known()}


def test_paths_are_unique(smoke: Plan) -> None:
    found = with_ancestors(smoke.everything()).values()
    assert len({one.path for one in found}) == len(found)
    assert max(len(one.path) for one in found) < 120


def test_the_papers_tasks_are_prompted_or_else_all(config: dict[str, Any], smoke: Plan) -> None:
    assert smoke.nlp.prompting.tasks == list(PAPERS)
    config["nlp"]["tasks"] = ["boolq", "dream"]
    config["nlp"]["prompting"]["tasks"] = None
    assert plan_of(config, "two").nlp.prompting.tasks == ["boolq", "dream"]


def test_an_open_model_has_blank_lines_between_examples_and_an_own_one_its_end_token(config: dict[str, Any]) -> None:
    rung = {"revision": "a" * 40, "tokens": 10**9, "learning_rate": 1e-5}
    own = plan_of(config, "own").nlp.prompting.truth("sciq", "w32", 0)
    config["nlp"]["ladder"] = [
        {"name": "one", "source": "group/one", "parameters": 10**6} | rung,
        {"name": "two", "source": "group/two", "parameters": 10**7, "precision": "bfloat16"} | rung,
    ]
    plan = plan_of(config, "open")
    assert (own.spec["between"], plan.nlp.prompting.truth("sciq", "one", 0).spec["between"]) == (None, "\n\n")
    assert plan.nlp.prompting.truth("sciq", "two", 0).spec["precision"] == "bfloat16"
    assert plan.nlp.probing.features("sciq", "two", 0).spec["precision"] == "bfloat16"


MISTAKES: list[tuple[Change, str]] = [
    (lambda c: c["prompting"].update(tasks=["scqi"]), "prompting.tasks: 'scqi' is not in this experiment"),
    (lambda c: c["prompting"].update(texts={"scqi": "x"}), "prompting.texts: 'scqi' is not in this experiment"),
    (lambda c: c["prompting"].update(supervisors=["w96"]), "prompting.supervisors: 'w96' is not in"),
    (lambda c: c["prompting"].update(answers=["1", " 1"]), "answers: '1' is named twice"),
    (lambda c: c["prompting"].update(shot=5), "nlp.prompting.shot: unknown key; did you mean 'shots'"),
    (lambda c: c["probing"].update(tasks=["scqi"]), "probing.tasks: 'scqi' is not in this experiment"),
    (lambda c: c["probing"]["pair"].update(student="w1"), "probing.pair.student: 'w1' is not in this experiment"),
    (lambda c: c["probing"]["recipe"].update(by="sgd"), "nlp.probing.recipe.by: 'sgd' is not allowed"),
    (lambda c: c["probing"]["errors"].update(noised=7), "noised: 7 is none of features; allowed: 4, 8, 16, 32, 64"),
    (lambda c: c["probing"]["errors"].update(features=[8, 4]), "features: [8, 4] do not rise"),
    (lambda c: c["probing"]["errors"].update(noise=[0.6]), "less than 0.5"),
]


@pytest.mark.parametrize(("change", "said"), MISTAKES)
def test_a_mistake_is_one_line(config: dict[str, Any], change: Change, said: str) -> None:
    change(config["nlp"])
    with pytest.raises(UserError) as caught:
        plan_of(config, "config.yaml")
    message = str(caught.value)
    assert said in message
    assert "\n" not in message
