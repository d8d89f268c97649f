"""Reward models scored on other preference data: what is planned, mistakes, and scores of the very model."""

from __future__ import annotations

import copy
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn.utils.rnn import pad_sequence

from tests.conftest import refused
from tests.made import made, table_of
from w2s.config.files import deep_merge
from w2s.config.shift import ELSEWHERE
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.graph.artifact import with_ancestors
from w2s.models import context, encoding
from w2s.models.base import directory_of
from w2s.reward import finetune, policy
from w2s.reward.batching import RewardModel
from w2s.reward.plan import RewardPlan
from w2s.reward.policy import Policy
from w2s.training import loop

Change = Callable[[dict[str, Any]], object]
HARMLESS = {"task": "hh_helpful", "other": "hh_harmless"}


# -- the plan ----------------------------------------------------------------------------------------------


def test_a_run_scored_elsewhere_is_its_own_with_further_parents(smoke: Plan) -> None:
    reward, study = smoke.reward, smoke.reward.shift
    student = reward.student("hh", "p16", "p32", "naive", 0)
    elsewhere = study.student("hh", "p16", "p32", "naive", 0)
    data = {f"{ELSEWHERE}{test.name}": study.data(test, 0) for test in study.tests}
    assert list(data) == ["elsewhere-hh_helpful", "elsewhere-hh_harmless"]
    assert elsewhere.spec == student.spec
    assert elsewhere.parents == {**student.parents, **data}
    assert elsewhere.path == f"results/reward/hh/p32/from-p16/naive-scored-elsewhere/s0-{elsewhere.key}"
    assert {"hh", "hh_helpful", "hh_harmless"} == {
        one.spec["task"] for one in elsewhere.parents.values() if "task" in one.spec
    }


def test_the_study_moves_no_run(config: dict[str, Any]) -> None:
    def others() -> set[str]:
        every = with_ancestors(plan_of(copy.deepcopy(config), "some").reward.every_run()).values()
        return {one.path for one in every if "scored-elsewhere" not in one.path and "/hh_" not in one.path}

    before = others()
    config["reward"]["shift"] |= {"methods": ["naive", "dpo"], "seeds": [1], "pairs": [["p20", "p32"]]}
    assert {run.method for run in plan_of(copy.deepcopy(config), "dpo").reward.shift.every_run()} == {
        "naive-scored-elsewhere",
        "dpo-scored-elsewhere",
    }
    config["reward"]["shift"]["seeds"] = None
    assert others() == before
    config["reward"]["shift"] = None
    assert others() == before


def on_the_hub(config: dict[str, Any], tasks: list[Any]) -> RewardPlan:
    config.update(settings=["reward"])
    config["reward"].update(source="hub", tasks=tasks)
    config["reward"]["pretraining"]["corpus"] = "tasks"
    return plan_of(config, "hub").reward


def test_usual_test_sets_are_those_between_the_experiments_tasks(config: dict[str, Any]) -> None:
    study = on_the_hub(config, ["hh_helpful", "hh_harmless"]).shift
    assert [(test.task, test.other) for test in study.tests] == [
        ("hh_helpful", "hh_harmless"),
        ("hh_harmless", "hh_helpful"),
    ]
    harmless = study.data(study.tests[0], 0)
    assert harmless.key == study.plan.truth("hh_harmless", "p16", 0).parents["data"].key
    place = {"files": "{split}.jsonl.gz", "train": "harmless-*/train", "test": "harmless-*/test"}
    assert harmless.spec["rows"].items() >= place.items()
    alone = on_the_hub(config, ["hh"])
    with pytest.raises(LackingError, match=r"reward\.shift\.tests is null, and the experiment does not have both"):
        _ = alone.shift.tests
    assert not list(alone.shift.every_run())


def write(folder: Path, texts: list[str]) -> None:
    rows = [
        {"chosen": f"\n\nHuman: {text}?\n\nAssistant: yes", "rejected": f"\n\nHuman: {text}?\n\nAssistant: no"}
        for text in texts
    ]
    for split in ("train", "test"):
        folder.mkdir(parents=True, exist_ok=True)
        with gzip.open(folder / f"{split}.jsonl.gz", "wt") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def in_a_directory(config: dict[str, Any], directory: Path, **shift: Any) -> RewardPlan:
    config.update(settings=["reward"])
    config["reward"].update(source="directory", directory=str(directory), tasks=["hh_helpful"])
    config["reward"]["pretraining"]["corpus"] = "tasks"
    config["reward"]["shift"] |= shift
    return plan_of(config, "files").reward


def test_a_copy_of_the_hubs_repository_has_both_kinds_of_dialogues(config: dict[str, Any], tmp_path: Path) -> None:
    folder = tmp_path / "anthropic_hh"
    for name, texts in (("helpful-base", ["a"]), ("helpful-online", ["b"]), ("harmless-base", ["c"])):
        write(folder / name, texts)
    study = in_a_directory(config, tmp_path, tests=[HARMLESS]).shift
    helpful, harmless = study.plan.truth("hh_helpful", "p16", 0).parents["data"], study.data(study.tests[0], 0)
    assert [len(files) for files in helpful.environment.values()] == [2, 2]
    assert [Path(*files).parent.name for files in harmless.environment.values()] == ["harmless-base"] * 2


def test_a_missing_test_set_and_the_tasks_own_rows_are_refused(config: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path / "anthropic_hh" / "helpful-base", ["a"])
    plan = in_a_directory(config, tmp_path, tests=[HARMLESS])
    with pytest.raises(UserError, match=r"anthropic_hh: no split 'harmless-\*/train'"):
        list(plan.every_run())
    write(tmp_path / "anthropic_hh" / "harmless-base", ["a"])
    plan = in_a_directory(config, tmp_path, tests=[HARMLESS])
    with pytest.raises(UserError, match=r"reward\.shift\.tests: hh_harmless has the same rows as hh_helpful; name"):
        list(plan.every_run())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(tests=[{"task": "hhh", "other": "hh"}]), "shift.tests: task: 'hhh' is not in this"),
        (lambda c: c.update(tests=[{"task": "hh", "other": "shp"}]), "shift.tests[0]: the micro-world has no 'shp'"),
        (lambda c: c.update(tests=[{"task": "hh", "other": "hh"}]), "hh on hh is its own test set; name another task"),
        (lambda c: c.update(tests=[HARMLESS | {"task": "hh", "test": "x"}]), "shift.tests[0]: hh_harmless: train and"),
        (lambda c: c.update(methods=["confidence"]), "shift.methods: 'confidence' is not"),
        (lambda c: c.update(pairs=[["p32", "p16"]]), "shift.pairs: [p32, p16] is no pair of this ladder"),
    ],
)
def test_mistakes_are_one_line(change: Change, said: str, config: dict[str, Any]) -> None:
    change(config["reward"]["shift"])
    refused(config, [said])


def test_another_test_set_is_of_a_task_that_exists(config: dict[str, Any]) -> None:
    config["reward"]["shift"]["tests"] = [{"task": "hh", "other": "hh_harmles"}]
    with pytest.raises(UserError, match=r"reward\.shift\.tests\[0\]: unknown task 'hh_harmles'; did you mean 'hh_harm"):
        on_the_hub(config, ["hh"])


# -- scores ------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("method", ["naive", "dpo"])
def test_scores_are_the_trained_models_and_other_predictions_the_ordinary_runs(
    method: str, tiny_config: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    trained: list[RewardModel] = []

    def optimise(network: RewardModel, *args: Any, **more: Any) -> Any:
        trained.append(network)
        return loop.optimise(network, *args, **more)

    monkeypatch.setattr(finetune, "optimise", optimise)
    study = {"methods": [method], "tests": [{"task": "hh", "other": "hh_harmless"}]}
    plan = plan_of(deep_merge(tiny_config, {"reward": {"shift": study}}), "tiny").reward
    ordinary, both = (of.student("hh", "p8", "p12", method, 0) for of in (plan, plan.shift))
    alone, table = (table_of(run, "predictions") for run in (ordinary, both))
    count = len(alone["id"])
    assert {name: column[:count] for name, column in table.items()} == alone
    assert (made(ordinary) / "history.csv").read_bytes() == (made(both) / "history.csv").read_bytes()
    assert set(table["part"][count:]) == {"elsewhere-hh_harmless"}
    pairs = table_of(plan.shift.data(plan.shift.tests[0], 0), "examples")
    numbers = [number for number, part in enumerate(pairs["part"]) if part == "test"]
    assert [table[name][count:] for name in ("id", "truth")] == [
        [pairs[name][number] for number in numbers] for name in ("id", "label")
    ]
    base, cue = directory_of(made(plan.model("p12"))), both.spec["training"]["cue"]
    direct = [
        logit(trained[-1], base, cue, *(pairs[name][n] for name in ("prefix", "first", "second"))) for n in numbers
    ]
    assert table["probability_stopped"][count:] == pytest.approx(torch.tensor(direct).sigmoid().tolist(), abs=1e-5)


@torch.no_grad()
def logit(network: RewardModel, base: Path, cue: str, prefix: str, *completions: str) -> float:
    """How much more the network rewards the second completion than the first: one text each, without batches."""
    tokenizer = encoding.tokenizer_of(base)
    (before,), (behind,) = encoding.bare_ids(tokenizer, [prefix]), context.words(tokenizer, [cue])
    ends = [context.following(tokenizer, [prefix], [one])[0] + behind for one in completions]
    texts = [torch.tensor([*encoding.start_of(tokenizer), *before, *end]) for end in ends]
    if isinstance(network, Policy):
        together, sizes = (
            pad_sequence(texts, batch_first=True),
            np.array([[len(texts[0]) - len(ends[0]), *map(len, ends)]]),
        )
        rewards = network(together, sizes) - policy.load(base, network.beta)(together, sizes)
    else:
        rewards = torch.stack([network(text[None], torch.tensor([len(text)])) for text in texts], dim=-1)
    return float(rewards[0, 1] - rewards[0, 0])
