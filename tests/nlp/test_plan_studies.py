"""Runs of the special studies: what they share with Figure 12, what they train anew, and mistakes in one line."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refused
from w2s.config import user_code as own
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
from w2s.graph.artifact import Run, with_ancestors
from w2s.nlp.errors.config import KINDS, WEAK

STUDIES = ("fig21", "fig22", "fig25", "fig26", "fig27")


def new(plan: Plan, figure: str) -> Counter[str]:
    """Stage -> what a figure makes once Figure 12 is there."""
    there = with_ancestors(module("fig12").needs(plan))
    needed = with_ancestors(module(figure).needs(plan))
    return Counter(one.stage.name for key, one in needed.items() if key not in there)


def test_after_figure_12_only_what_is_new_is_trained(smoke: Plan) -> None:
    tasks, rungs, students, told = 3, 3, 3, 3
    second_fold = tasks * rungs
    assert new(smoke, "fig21") == {"finetune": second_fold + tasks * students * (rungs + 1), "levels": tasks}
    assert new(smoke, "fig22") == {"finetune": second_fold + tasks * students * 3, "levels": tasks, "judge": tasks}
    assert new(smoke, "fig25") == new(smoke, "fig26") == {"finetune": tasks * 6 * 2, "flip": tasks * 6}
    assert new(smoke, "fig27") == {"finetune": told * 2}


def test_everything_has_all_that_the_figures_need(smoke: Plan) -> None:
    known = with_ancestors(smoke.everything())
    for figure in STUDIES:
        assert {one.key for one in module(figure).needs(smoke)} <= known.keys()
    assert len({one.path for one in known.values()}) == len(known)


def test_the_papers_grid(config: dict[str, Any]) -> None:
    """Figure 21: 7 data sets x 4 students x 7 cutoffs; Figures 25 and 26: 3 x 6 x 2; Figure 27: 9 x 2."""
    shape = {"layers": 2, "heads": 2, "pretraining_learning_rate": 1e-3, "learning_rate": 1e-3, "tokens": 10**6}
    names = [f"w{16 * number}" for number in range(1, 8)]
    config["nlp"]["ladder"] = [{"name": name, "width": int(name[1:]), **shape} for name in names]
    config["nlp"]["difficulty"] = {"seeds": [0], "rungs": names[:6], "students": names[2:6]}
    config["nlp"]["errors"] = {"seeds": [0]}
    plan = plan_of(config, "paper")
    runs = Counter(run.method.split("-")[0] for run in module("fig21").needs(plan) if isinstance(run, Run))
    assert runs == {"up": 7 * 4 * 7}
    assert len(module("fig26").needs(plan)) == 3 * 6 * 2
    assert sum(run.method.endswith("-told") for run in module("fig27").needs(plan)) == 9 * 2


def test_each_fold_is_predicted_by_the_other(smoke: Plan) -> None:
    folds = smoke.nlp.difficulty.held_out("sciq", "w64", 0)
    assert folds["strong"] is smoke.nlp.truth("sciq", "w64", 0)
    other = folds["weak"].spec
    assert (other["half"], other["predicts"]) == ("strong", ["weak", "test"])
    parents = smoke.nlp.difficulty.levels("sciq", 0).parents
    assert {role for role in parents if role != "data"} == {
        f"{half}{n}" for half in ("weak", "strong") for n in range(3)
    }


def test_runs_differ_from_those_of_figure_12_in_what_the_study_is_about_alone(smoke: Plan) -> None:
    student = smoke.nlp.student("sciq", "w48", "w96", "confidence", 0)
    flipped = smoke.nlp.errors.flipped("sciq", WEAK, "confidence", 0)
    assert flipped.spec == {**student.spec, "agreement": True}
    assert flipped.parents == {**student.parents, "labels": smoke.nlp.errors.labels("sciq", WEAK, 0)}
    assert flipped.path == f"results/nlp/sciq/w96/flipped-weak-w48/confidence/s0-{flipped.key}"
    told = smoke.nlp.errors.appended("sciq", "confidence", 0)
    longer = {**student.spec["training"], "epochs": 20, "evaluations_per_epoch": 1}
    assert {key: value for key, value in told.spec.items() if key != "appended"} == {**student.spec, "training": longer}
    assert told.parents == student.parents
    easy, truth = smoke.nlp.difficulty.up_to("sciq", "w64", "w48", 0), smoke.nlp.truth("sciq", "w64", 0)
    assert easy.spec == {**truth.spec, "half": "both", "subset": "up_to_0"}
    assert easy.path == f"results/nlp/sciq/w64/truth/up-to-w48/s0-{easy.key}"


def moved(config: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> set[str]:
    """Names of what a change of the config moves."""

    def keys(content: dict[str, Any]) -> dict[str, str]:
        return {one.path[:-11]: one.key for one in with_ancestors(plan_of(content, "some").everything()).values()}

    edited = copy.deepcopy(config)
    change(edited)
    before, after = keys(config), keys(edited)
    return {name for name, key in before.items() if after.get(name, key) != key}


def test_told_students_train_as_long_as_others_unless_the_config_says_otherwise(config: dict[str, Any]) -> None:
    config["nlp"]["errors"]["appended"]["epochs"] = None
    plan = plan_of(config, "as all")
    told, student = plan.nlp.errors.appended("sciq", "naive", 0), plan.nlp.student("sciq", "w48", "w96", "naive", 0)
    assert told.spec["training"] == student.spec["training"]


def test_settings_move_what_they_change_and_no_more(config: dict[str, Any]) -> None:
    judged = moved(config, lambda c: c["nlp"]["difficulty"]["judge"].update(rounds=3))
    assert judged
    assert all("/elo" in name or "/easiest-" in name for name in judged)
    told = moved(config, lambda c: c["nlp"]["errors"]["appended"].update(prompt="Perhaps {label}?"))
    assert told
    assert all("-told/" in name for name in told)
    assert not moved(config, lambda c: c["nlp"]["errors"].update(tasks=["sciq"]))


def test_a_judge_of_the_users_own_needs_no_model_and_moves_with_its_code(
    config: dict[str, Any], tmp_path: Path
) -> None:
    config["nlp"]["difficulty"]["judge"]["by"] = "judges.mine:easier"
    (tmp_path / "judges").mkdir()
    path, found = tmp_path / "judges" / "mine.py", []
    for code in ("one", "two"):
        path.write_text(f"def easier(pairs):\n    return {code}(pairs)\n")
        judged = plan_of(copy.deepcopy(config), "own", tmp_path).nlp.difficulty.elo("sciq", 0)
        assert set(judged.parents) == {"data"}
        assert judged.spec["by"] == {"function": "easier", "code": own.digest("judges.mine:easier", tmp_path)}
        found.append(judged.key)
    assert found[0] != found[1]
    path.unlink()
    with pytest.raises(UserError, match=r"'judges\.mine:easier': no file"):
        plan_of(config, "own", tmp_path).nlp.difficulty.elo("sciq", 0)


def test_an_experiment_without_these_sections_lacks_these_figures_alone(config: dict[str, Any]) -> None:
    config["nlp"].update(difficulty=None, errors=None)
    plan = plan_of(config, "without")
    for figure in STUDIES:
        with pytest.raises(LackingError, match=r"has no nlp\.(difficulty|errors) in its config"):
            module(figure).needs(plan)
    assert list(plan.everything())


def test_without_a_judge_figure_22_is_lacking(config: dict[str, Any]) -> None:
    config["nlp"]["difficulty"]["judge"] = None
    plan = plan_of(config, "without")
    with pytest.raises(LackingError, match=r"nlp\.difficulty\.judge is null"):
        module("fig22").needs(plan)
    assert module("fig21").needs(plan)
    assert list(plan.everything())


@pytest.mark.parametrize(
    ("section", "figure"), [("errors", "fig25"), ("sandwiching", "sandwiching"), ("fewer_labels", "labels")]
)
def test_a_ladder_with_one_truth_alone_has_no_pair(config: dict[str, Any], section: str, figure: str) -> None:
    for rung in config["nlp"]["ladder"][1:]:
        rung["truth"] = False
    plan = plan_of(config, "one")
    with pytest.raises(LackingError, match=rf"nlp\.{section} needs a supervisor"):
        module(figure).needs(plan)
    assert list(plan.everything())


def test_the_pair_is_the_second_supervisor_and_the_largest(smoke: Plan, config: dict[str, Any]) -> None:
    assert smoke.nlp.errors.pair == ("w48", "w96")
    config["nlp"]["errors"].update(student="w48")
    assert plan_of(config, "small").nlp.errors.pair == ("w32", "w48")


Change = Callable[[dict[str, Any]], object]
MISTAKES: list[tuple[str, Change, list[str]]] = [
    ("task", lambda c: c["difficulty"].update(tasks=["scqi"]), ["difficulty.tasks: 'scqi' is not", "'sciq'"]),
    ("rung", lambda c: c["difficulty"].update(rungs=["w23"]), ["difficulty.rungs: 'w23' is not in this experiment"]),
    ("student", lambda c: c["difficulty"].update(students=["w9"]), ["difficulty.students: 'w9' is not"]),
    ("twice", lambda c: c["difficulty"].update(tasks=["sciq", "sciq"]), ["difficulty.tasks: 'sciq' is named twice"]),
    ("key", lambda c: c["difficulty"]["judge"].update(round=3), ["nlp.difficulty.judge.round: unknown key", "rounds"]),
    (
        "by",
        lambda c: c["difficulty"]["judge"].update(by="confident"),
        ["judge.by", "'confident' is not", "module:func"],
    ),
    ("judge", lambda c: c["difficulty"]["judge"].update(rung="w1"), ["difficulty.judge.rung: 'w1' is not"]),
    ("shares", lambda c: c["difficulty"]["judge"].update(shares=[0.3, 0.301]), ["shares: 30 is named twice"]),
    ("supervisor", lambda c: c["errors"].update(supervisor="w96"), ["errors.supervisor: 'w96' is not"]),
    (
        "pair",
        lambda c: c["errors"].update(supervisor="w64", student="w48"),
        ["errors: student 'w48' is not larger than its supervisor 'w64'"],
    ),
    ("method", lambda c: c["errors"].update(methods=["product"]), ["errors.methods: 'product' is not"]),
    ("prompt", lambda c: c["errors"]["appended"].update(prompt="Yes?"), ["appended.prompt", "one {label}"]),
    ("words", lambda c: c["errors"]["appended"].update(words=["a", "a"]), ["words: 'a' is named twice"]),
    ("place", lambda c: c["errors"]["appended"].update(place="middle"), ["appended.place: 'middle' is not allowed"]),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line(config: dict[str, Any], change: Change, said: list[str]) -> None:
    change(config["nlp"])
    refused(config, said)


def test_an_unknown_kind_cutoff_or_share_is_one_line(smoke: Plan) -> None:
    with pytest.raises(UserError, match="unknown kind of supervisor 'rando'; did you mean 'random'"):
        smoke.nlp.errors.labels("sciq", "rando", 0)
    with pytest.raises(UserError, match="unknown cutoff 'w32'"):
        smoke.nlp.difficulty.up_to("sciq", "w64", "w32", 0)
    with pytest.raises(UserError, match="unknown share 40; allowed: 100, 30, 50"):
        smoke.nlp.difficulty.easiest("sciq", "w64", 40, 0)
    assert len(KINDS) == 6
