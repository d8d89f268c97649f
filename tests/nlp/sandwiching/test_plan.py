"""Runs of sandwiching: no assistant has seen a truth that it gives away, what is shared, and mistakes in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.nlp.test_plan_studies import moved, new
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
from w2s.graph.artifact import Artifact, Run, with_ancestors
from w2s.nlp.sandwiching.config import DEBATE, PROMPTED, STUDENT

Change = Callable[[dict[str, Any]], object]
KINDS = (PROMPTED, STUDENT)


def test_after_figure_12_only_what_is_new_is_trained(smoke: Plan) -> None:
    """Asked base models; of every pair and assistant the assisted, its student; and the students that assist."""
    tasks, seeds, pairs = 3, 1, 2
    each = tasks * seeds * pairs
    assert new(smoke, "sandwiching") == {"prompt": tasks * seeds, "finetune": each * (2 + 2 + 1)}


def taught(run: Artifact) -> set[str]:
    """The parts of the data whose truth a run was trained on itself."""
    if "labels" in run.parents or run.spec.get("shots") == 0:
        return set()
    half = run.spec["half"]
    return {"weak", "strong"} if half == "both" else {half}


@pytest.mark.parametrize("half", ["weak", "strong"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_assistant_was_trained_on_the_truth_of_an_example_that_it_assists_with(
    kind: str, half: str, config: dict[str, Any]
) -> None:
    config["ceiling_half"] = half
    plan = plan_of(config, "half")
    study = plan.nlp.sandwiching
    for weak, strong in study.pairs:
        assisted = study.assisted("sciq", weak, strong, kind, 0)
        assistant = assisted.parents["assistant"]
        assert {assisted.spec["half"], "strong", "validation", "test"} == set(assistant.spec["predicts"])
        assert not taught(assistant)
        # Whoever taught the assistant saw the truth of other examples than those that the assistant learned from.
        for labels in [assistant.parents[role] for role in ("labels",) if role in assistant.parents]:
            assert taught(labels) == {"weak"}
            assert assistant.spec["half"] == "strong"


def test_runs_differ_from_those_without_assistant_in_what_the_study_is_about_alone(smoke: Plan) -> None:
    study, alone = smoke.nlp.sandwiching, smoke.nlp.truth("sciq", "w48", 0)
    for kind in KINDS:
        assistant = study.assistant("sciq", "w48", "w96", kind, 0)
        assisted = study.assisted("sciq", "w48", "w96", kind, 0)
        told = assisted.spec["appended"]
        assert told["prompt"] == "An assistant says that this is {label}. What do you think?"
        longer = {**alone.spec["training"], "epochs": 10, "evaluations_per_epoch": 1}
        assert assisted.spec == {**alone.spec, "appended": told, "training": longer}
        assert assisted.parents == {**alone.parents, "assistant": assistant}
        student, other = (
            study.student("sciq", "w48", "w96", kind, "naive", 0),
            smoke.nlp.student("sciq", "w48", "w96", "naive", 0),
        )
        assert student.spec == other.spec
        assert student.parents == {**other.parents, "labels": assisted}
        assert student.path == f"results/nlp/sciq/w96/from-w48-assisted-by-w96-{kind}/naive/s0-{student.key}"


def test_assistants_are_the_model_as_it_is_and_the_non_experts_own_student(smoke: Plan) -> None:
    study = smoke.nlp.sandwiching
    asked, plain = study.assistant("sciq", "w48", "w96", PROMPTED, 0), smoke.nlp.prompting.zero_shot("sciq", "w96", 0)
    assert {**asked.spec, "predicts": None} == {**plain.spec, "predicts": None}
    assert asked is study.assistant("sciq", "w32", "w96", PROMPTED, 0)  # the same, whoever asks
    assert "predicts" not in plain.spec
    taught, other = (
        study.assistant("sciq", "w48", "w96", STUDENT, 0),
        smoke.nlp.student("sciq", "w48", "w96", "naive", 0),
    )
    assert {**taught.spec, "predicts": None} == {**other.spec, "predicts": None}
    assert taught.parents == other.parents


@pytest.mark.parametrize("advocate", KINDS)
def test_a_debate_differs_from_its_advocates_label_hint_in_the_line_alone(
    advocate: str, config: dict[str, Any]
) -> None:
    config["nlp"]["sandwiching"]["debate"]["advocate"] = advocate
    study = plan_of(config, "debate").nlp.sandwiching
    debated, told = (study.assisted("sciq", "w48", "w96", kind, 0) for kind in (DEBATE, advocate))
    assert debated.parents["assistant"] is told.parents["assistant"]
    assert {**debated.spec, "appended": None} == {**told.spec, "appended": None}
    assert set(debated.spec["appended"]) == {"prompt", "strengths", "place"}
    student = study.student("sciq", "w48", "w96", DEBATE, "naive", 0)
    assert student.path.startswith("results/nlp/sciq/w96/from-w48-assisted-by-w96-debate/naive/s0-")


def test_a_debate_adds_runs_and_moves_none(config: dict[str, Any]) -> None:
    before = with_ancestors(plan_of(config, "without").everything())
    config["nlp"]["sandwiching"]["assistants"] = ["zero-shot", "student", "debate"]
    after = with_ancestors(plan_of(config, "with").everything())
    assert before.keys() < after.keys()
    added = [after[key] for key in after.keys() - before.keys()]
    assert len(added) == 3 * 2 * 2  # tasks, pairs; the assisted and its student
    assert all("assisted-by-w96-debate" in one.name for one in added)


def test_a_student_of_relabelled_labels_descends_from_the_assisted(config: dict[str, Any]) -> None:
    config["nlp"]["methods"] = ["naive", "relabelling"]
    config["nlp"]["sandwiching"]["methods"] = ["relabelling"]
    study = plan_of(config, "again").nlp.sandwiching
    student = study.student("sciq", "w48", "w96", PROMPTED, "relabelling", 0)
    between = student.parents["labels"]
    assert isinstance(between, Run)
    assert between.method == "naive"
    assert between.parents["labels"] is study.assisted("sciq", "w48", "w96", PROMPTED, 0)


def test_everything_has_all_that_the_figure_needs(smoke: Plan) -> None:
    known = with_ancestors(smoke.everything())
    assert {one.key for one in module("sandwiching").needs(smoke)} <= known.keys()
    assert len({one.path for one in known.values()}) == len(known)


def test_what_is_said_moves_the_assisted_and_their_students_alone(config: dict[str, Any]) -> None:
    told = moved(config, lambda c: c["nlp"]["sandwiching"]["told"].update(prompt="It may be {label}."))
    assert told
    assert all("assisted-by-" in name for name in told)
    before = with_ancestors(plan_of(config, "all").everything()).keys()
    config["nlp"]["sandwiching"].update(tasks=["sciq"], assistants=["student"])
    assert with_ancestors(plan_of(config, "fewer").everything()).keys() < before


def test_an_experiment_without_the_section_lacks_this_figure_alone(config: dict[str, Any]) -> None:
    config["nlp"]["sandwiching"] = None
    plan = plan_of(config, "without")
    with pytest.raises(LackingError, match=r"has no nlp\.sandwiching in its config"):
        module("sandwiching").needs(plan)
    assert list(plan.everything())


def test_pairs_are_those_of_the_config_or_the_weakest_with_the_largest(smoke: Plan, config: dict[str, Any]) -> None:
    assert smoke.nlp.sandwiching.pairs == [("w32", "w96"), ("w48", "w96")]
    config["nlp"]["sandwiching"]["non_experts"] = None
    assert plan_of(config, "all").nlp.sandwiching.pairs == [("w32", "w96"), ("w48", "w96"), ("w64", "w96")]
    config["nlp"]["sandwiching"]["pairs"] = [["w32", "w64"]]
    assert plan_of(config, "one").nlp.sandwiching.pairs == [("w32", "w64")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda c: c.update(tasks=["scqi"]),
            "sandwiching.tasks: 'scqi' is not in this experiment; did you mean 'sciq'",
        ),
        (lambda c: c.update(methods=["naif"]), "sandwiching.methods: 'naif' is not"),
        (lambda c: c.update(pairs=[["w64", "w64"]]), r"sandwiching.pairs: \[w64, w64\] is no supervisor with a larger"),
        (
            lambda c: c.update(assistants=["oracle"]),
            "sandwiching.assistants.0: 'oracle' is not allowed; allowed: 'zero-",
        ),
        (lambda c: c["debate"].update(advocate="debate"), "sandwiching.debate.advocate: 'debate' is not allowed; allo"),
        (
            lambda c: c["debate"].update(prompt="{yes}?"),
            r"debate.prompt: '{yes}\?' is not allowed; it should have one {no} and one {yes}",
        ),
        (lambda c: c["debate"].update(strengths=["a", "a"]), "sandwiching.debate: strengths: 'a' is named twice"),
        (lambda c: c.update(seeds=[1, 1]), "nlp.sandwiching: seeds: 1 is named twice"),
        (
            lambda c: c["told"].update(prompt="so?"),
            r"nlp.sandwiching.told.prompt: 'so\?' is not allowed; it should have",
        ),
    ],
)
def test_mistakes_are_one_line(change: Change, said: str, config: dict[str, Any]) -> None:
    change(config["nlp"]["sandwiching"])
    with pytest.raises(UserError, match=said):
        plan_of(config, "wrong")
