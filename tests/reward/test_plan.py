"""The reward setting's runs: their counts at the paper's grid, what each starts from, and mistakes in one line."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import refused
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.graph.artifact import with_ancestors
from w2s.jobs.workflow import Workflow
from w2s.reward.plan import RewardPlan


def ladder(count: int) -> list[dict[str, Any]]:
    shape = {"layers": 2, "heads": 2, "pretraining_learning_rate": 1e-3, "learning_rate": 1e-3, "tokens": 10**6}
    return [{"name": f"r{number}", "width": 16 * (number + 1), **shape} for number in range(count)]


@pytest.fixture
def paper(config: dict[str, Any]) -> RewardPlan:
    """Ten sizes and five supervisors, as in the paper's Figure 3; without the largest and with three in Figure 10."""
    config["reward"].update(
        ladder=ladder(10), seeds=[0], supervisors=["r0", "r3", "r5", "r6", "r7"], dpo=None, shift=None
    )
    config["reward"]["generative"].update(rungs=[f"r{number}" for number in range(9)], supervisors=["r0", "r3", "r5"])
    return plan_of(config, "paper").reward


def test_the_papers_grid_has_its_runs(paper: RewardPlan) -> None:
    """10 ground truth, 29 naive pairs; 9 generative ceilings, 19 students of plain and 19 of generative supervisors."""
    assert len(paper.config.pairs()) == 29
    assert len(paper.config.generative_pairs()) == 9 + 6 + 4
    kinds = Counter(
        ("+generative" in run.rung, run.labels == "truth", "+generative" in run.labels) for run in paper.every_run()
    )
    assert kinds == {
        (False, True, False): 10,
        (True, True, False): 9,
        (False, False, False): 29,
        (True, False, False): 19,
        (True, False, True): 19,
    }


def test_a_generative_student_differs_in_what_it_starts_from_alone(paper: RewardPlan) -> None:
    plain = paper.student("hh", "r0", "r5", "naive", 0)
    generative = paper.student("hh", "r0", "r5", "naive", 0, generative=True)
    assert plain.spec == generative.spec
    assert plain.parents["labels"] is generative.parents["labels"] is paper.truth("hh", "r0", 0)
    assert generative.parents["model"] is paper.generative("hh", "r5", 0)
    assert generative.parents["model"].parents["model"] is plain.parents["model"]
    assert generative.path == f"results/reward/hh/r5+generative/from-r0/naive/s0-{generative.key}"


def test_generative_supervisors_label_for_figure_18(paper: RewardPlan) -> None:
    run = paper.student("hh", "r0", "r5", "naive", 0, generative=True, generative_supervisor=True)
    assert run.labels == "from-r0+generative"
    assert run.parents["labels"] is paper.truth("hh", "r0", 0, generative=True)


def test_a_student_of_direct_preference_optimisation_differs_in_its_reward_alone(config: dict[str, Any]) -> None:
    config["reward"]["dpo"] = {"beta": 0.2, "rate": 0.5}
    plan = plan_of(config, "dpo").reward
    naive, dpo = (plan.student("hh", "p16", "p32", method, 0) for method in ("naive", "dpo"))
    expected = copy.deepcopy(dict(naive.spec)) | {"beta": 0.2, "learning_rate": naive.spec["learning_rate"] / 2}
    del expected["training"]["head"]
    assert dpo.spec == expected
    assert dpo.parents == naive.parents
    assert dpo.path == f"results/reward/hh/p32/from-p16/dpo/s0-{dpo.key}"
    assert [run.path for run in plan.every_run() if run.method == "dpo"] == [dpo.path]


def test_without_direct_preference_optimisation_no_key_differs(config: dict[str, Any]) -> None:
    def keys() -> set[str]:
        return {run.key for run in plan_of(config, "x").reward.every_run()}

    before = keys()
    config["reward"]["dpo"] = None
    assert len(before - keys()) == 1
    assert keys() < before
    with pytest.raises(LackingError, match=r"reward\.dpo is null"):
        plan_of(config, "x").reward.student("hh", "p16", "p32", "dpo", 0)


def test_figures_of_the_reward_setting_can_show_it(config: dict[str, Any]) -> None:
    config["reward"]["methods"] = ["naive", "dpo"]
    plan = plan_of(config, "x").reward
    runs = [run for run in plan.every_run() if run.method == "dpo"]
    assert len(runs) == len([run for run in plan.every_run() if run.method == "naive" and run.labels != "truth"])
    assert {run.rung for run in runs} >= {"p32", "p32+generative"}


def test_generative_finetuning_belongs_to_data_and_seed(config: dict[str, Any]) -> None:
    config["reward"]["seeds"] = [0, 1]
    plan = plan_of(config, "seeds").reward
    assert plan.generative("hh", "p16", 0).key != plan.generative("hh", "p16", 1).key
    assert plan.model("p16").key == plan.generative("hh", "p16", 1).parents["model"].key


def test_one_run_is_supervisor_and_ceiling_unless_the_half_says_otherwise(config: dict[str, Any]) -> None:
    plan = plan_of(config, "weak").reward
    assert plan.ceiling("hh", "p32", 0) is plan.truth("hh", "p32", 0)
    config["ceiling_half"] = "strong"
    plan = plan_of(config, "strong").reward
    assert plan.ceiling("hh", "p32", 0).spec["half"] == "strong"
    assert plan.ceiling("hh", "p32", 0).key != plan.truth("hh", "p32", 0).key


def test_what_is_left_out_is_lacking(config: dict[str, Any]) -> None:
    config["reward"]["generative"] = None
    plan = plan_of(config, "config.yaml").reward
    with pytest.raises(LackingError, match=r"reward\.generative is null"):
        plan.student("hh", "p16", "p32", "naive", 0, generative=True)
    assert all("generative" not in run.path for run in plan.every_run())
    config["reward"] = None
    with pytest.raises(LackingError, match="has no reward section"):
        _ = plan_of(config, "config.yaml").reward


def test_a_rung_outside_of_generative_rungs_is_lacking(paper: RewardPlan) -> None:
    with pytest.raises(LackingError, match=r"reward\.generative\.rungs leaves 'r9' out"):
        paper.ceiling("hh", "r9", 0, generative=True)


def test_preferences_do_not_move_the_ladder(config: dict[str, Any]) -> None:
    before = plan_of(config, "x").reward.model("p16").key
    config["reward"]["world"].update(pairs=10, test=10, noise=0.4)
    assert plan_of(config, "y").reward.model("p16").key == before
    config["reward"]["world"].update(words=61)
    assert plan_of(config, "z").reward.model("p16").key != before


def test_batches_by_length_are_another_run_and_random_ones_the_same(config: dict[str, Any]) -> None:
    def keys() -> dict[str, str]:
        every = plan_of(config, "x").reward.every_run()
        return {one.path.rpartition("-")[0]: one.key for one in with_ancestors(every).values()}

    before = keys()
    config["reward"]["training"]["batches"] = None
    assert keys() == before
    config["reward"]["training"]["batches"] = "by_length"
    moved = {name for name, key in keys().items() if key != before[name]}
    assert moved == {name for name in before if "/truth/" in name or "/from-" in name}


def test_keys_of_reward_are_found(tiny_config: dict[str, Any]) -> None:
    workflow = Workflow(tiny_config)
    for artifact in with_ancestors(workflow.default.reward.every_run()).values():
        assert workflow.artifact(artifact.key).path == artifact.path
    assert {"generative_finetuning", "reward_model"} <= {one.stage.name for one in workflow.known()}


def test_files_are_known_by_their_content(config: dict[str, Any], tmp_path: Path) -> None:
    config["settings"] = ["reward"]
    config["reward"].update(source="directory", tasks=[{"name": "hh", "test": "none"}])
    config["reward"]["pretraining"]["corpus"] = "tasks"

    def keys(place: str) -> tuple[str, str]:
        config["reward"]["directory"] = str(tmp_path / place)
        plan = plan_of(copy.deepcopy(config), "files").reward
        return plan.data("hh", 0).key, plan.corpus().key

    for place, content in (("here", "one"), ("there", "one"), ("edited", "other")):
        (tmp_path / place / "anthropic_hh").mkdir(parents=True)
        (tmp_path / place / "anthropic_hh" / "train.jsonl").write_text(json.dumps({"chosen": content}))
    assert keys("here") == keys("there")
    assert all(one != other for one, other in zip(keys("here"), keys("edited"), strict=True))
    with pytest.raises(UserError, match=r"reward\.directory: .*nowhere' is not a directory"):
        keys("nowhere")


def test_the_hub_is_known_by_its_commit(config: dict[str, Any]) -> None:
    config["settings"] = ["reward"]
    config["reward"].update(source="hub", tasks=["hh", "summarize", "shp", "webgpt"])
    config["reward"]["pretraining"]["corpus"] = "tasks"
    plan = plan_of(config, "hub").reward
    rows = {task: plan.data(task, 0).spec["rows"] for task in plan.tasks}
    assert all(len(one["revision"]) == 40 for one in rows.values())
    assert "test" not in rows["webgpt"]
    assert "test_share" in plan.data("webgpt", 0).spec["sizes"]
    assert "test_share" not in plan.data("hh", 0).spec["sizes"]


Change = Callable[[dict[str, Any]], object]
MISTAKES: list[tuple[str, Change, list[str]]] = [
    ("unknown key", lambda c: c.update(sorce="hub"), ["reward.sorce: unknown key; did you mean 'source'"]),
    ("nested", lambda c: c["world"].update(parirs=3), ["reward.world.parirs: unknown key; did you mean 'pairs'"]),
    ("corpus", lambda c: c.update(source="hub"), ["pretraining.corpus: 'world' needs source 'world'; allowed: tasks"]),
    (
        "task",
        lambda c: c.update(source="hub", tasks=["hhh"], pretraining={"corpus": "tasks"}),
        ["reward.tasks[0]: unknown task 'hhh'; did you mean 'hh'"],
    ),
    ("world task", lambda c: c.update(tasks=["shp"]), ["the micro-world has no 'shp'; allowed: hh"]),
    ("directory", lambda c: c.update(source="directory"), ["source is 'directory', so directory must name one"]),
    ("folder", lambda c: c.update(tasks=[{"name": "hh", "folder": "x"}]), ["folder has an effect only with"]),
    ("method", lambda c: c.update(methods=["naiv"]), ["reward.methods: unknown method 'naiv'", "'naive'"]),
    ("twice", lambda c: c.update(methods=["naive", "naive"]), ["methods: 'naive' is named twice"]),
    ("example", lambda c: c["example"].update(task="shp"), ["example.task: 'shp' is not in this experiment"]),
    ("generative", lambda c: c["generative"].update(rungs=["p61"]), ["generative.rungs: 'p61' is not", "p16"]),
    (
        "no pair",
        lambda c: c["generative"].update(rungs=["p16"], supervisors=["p24"]),
        ["generative: no pair is left"],
    ),
    ("no dpo", lambda c: c.update(dpo=None, methods=["naive", "dpo"]), ["reward.methods: unknown method 'dpo'"]),
    ("dpo", lambda c: c["dpo"].update(pairs=[["p32", "p16"]]), ["dpo.pairs: [p32, p16] is no pair of this ladder"]),
    ("beta", lambda c: c["dpo"].update(beta=0), ["reward.dpo.beta: 0 is not allowed; allowed: more than 0"]),
    ("taken name", lambda c: c["ladder"][0].update(name="dialogues"), ["cannot be called 'dialogues'"]),
    ("ladder", lambda c: c.update(ladder="pythai"), ["reward.ladder: unknown ladder 'pythai'; did you mean 'pythia'"]),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line(config: dict[str, Any], change: Change, said: list[str]) -> None:
    change(config["reward"])
    refused(config, said)


def test_the_name_of_dpo_is_taken(config: dict[str, Any]) -> None:
    config["methods"]["dpo"] = {"objective": "confidence"}
    refused(config, ["methods: 'dpo' is taken: it stands for reward.dpo in figures; allowed: another name"])
    config["reward"]["dpo"] = None
    plan_of(config, "x")
