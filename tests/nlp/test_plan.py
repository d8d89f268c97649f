"""A run's path is its whole identity: equal specs share it, every change moves it and its descendants."""

from __future__ import annotations

import copy
import json
import string
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.figures.fake import Fake
from w2s.analysis.pairs import has_pgr
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module, names
from w2s.graph.artifact import Identity, Run, canonical, with_ancestors
from w2s.nlp.tasks import TASKS

Change = Callable[[dict[str, Any]], object]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
specs = st.dictionaries(st.text(string.ascii_lowercase, min_size=1, max_size=6), json_values, max_size=5)


@settings(deadline=None)  # the machine may be busy
@given(specs)
def test_a_key_ignores_the_order_of_fields(spec: dict[str, Any]) -> None:
    backwards = dict(reversed(list(spec.items())))
    assert Identity("finetune", 1, spec, {}).key == Identity("finetune", 1, backwards, {}).key


@given(specs, specs)
def test_different_specs_have_different_keys(one: dict[str, Any], other: dict[str, Any]) -> None:
    same = Identity("finetune", 1, one, {}).key == Identity("finetune", 1, other, {}).key
    assert same == (canonical(one) == canonical(other))


@given(specs)
def test_a_key_survives_a_round_trip_through_json(spec: dict[str, Any]) -> None:
    """The command line carries the spec as JSON; what comes out must have the key of what went in."""
    assert Identity("data", 1, json.loads(canonical(spec)), {}).key == Identity("data", 1, spec, {}).key


@given(st.sampled_from(["stage", "version", "parents"]))
def test_stage_version_and_parents_are_part_of_the_key(changed: str) -> None:
    base: dict[str, Any] = {"stage": "data", "version": 1, "spec": {}, "parents": {"data": "0" * 10}}
    other: dict[str, Any] = {"stage": "corpus", "version": 2, "parents": {}}
    assert Identity(**base).key != Identity(**base | {changed: other[changed]}).key


def keys(plan: Plan) -> dict[str, str]:
    """Readable name (with the seed for data) -> key, of everything in a plan."""
    found = with_ancestors(plan.nlp.runs_of_figures()).values()
    return {f"{one.name} {one.spec.get('seed', '')} {one.spec.get('half', '')}": one.key for one in found}


def moved(config: dict[str, Any], change: Change) -> set[str]:
    """Names whose key a change of the config moves."""
    before = keys(plan_of(config, "before"))
    edited = copy.deepcopy(config)
    change(edited)
    after = keys(plan_of(edited, "after"))
    return {name for name in before if after.get(name) != before[name]}


def rung(name: str, **values: Any) -> Change:
    def change(config: dict[str, Any]) -> None:
        next(one for one in config["nlp"]["ladder"] if one["name"] == name).update(values)

    return change


def test_a_finetuning_rate_moves_that_rungs_runs_and_what_learns_from_them(config: dict[str, Any]) -> None:
    names = moved(config, rung("w48", learning_rate=1e-4))
    assert names
    assert all("/w48/" in name or "/from-w48/" in name for name in names)
    everything = keys(plan_of(config, "all"))
    assert names == {name for name in everything if "/w48/" in name or "/from-w48/" in name}


def test_a_pretraining_rate_moves_that_model_and_its_runs_but_no_other_model(config: dict[str, Any]) -> None:
    names = moved(config, rung("w48", pretraining_learning_rate=1e-4))
    assert {name for name in names if name.startswith("models/")} == {"models/w48  "}
    assert not any("/w64/truth" in name for name in names)


def test_a_methods_setting_moves_only_students_of_that_method(config: dict[str, Any]) -> None:
    names = moved(config, lambda c: c["methods"]["confidence"]["parameters"].update(warmup=0.3))
    assert names
    assert all("/confidence/" in name for name in names)


def test_large_students_are_those_from_a_pretraining_compute_on(config: dict[str, Any]) -> None:
    names = moved(config, lambda c: c["methods"]["confidence"]["large"].update(compute=5.0e12))
    assert names
    assert all("/w96/" in name and "/confidence/" in name for name in names)


def test_early_stopping_of_students_leaves_truth_runs_alone(config: dict[str, Any]) -> None:
    names = moved(config, lambda c: c["nlp"]["training"].update(early_stopping="none"))
    assert names
    assert all("/from-" in name for name in names)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(experiment="other"),
        lambda c: c["seeds"].append(7),
        lambda c: c["nlp"]["tasks"].pop(),
        lambda c: c["nlp"].update(methods=["naive"]),
        lambda c: c["nlp"].update(supervisors=["w32", "w48", "w64", "w96"]),
        lambda c: c["methods"].update(mine={"objective": "naive", "label_noise": 0.3}),
    ],
    ids=["name", "seed", "task", "fewer methods", "supervisors", "method"],
)
def test_what_is_added_or_left_out_moves_nothing_that_stays(config: dict[str, Any], change: Change) -> None:
    before = keys(plan_of(config, "before"))
    edited = copy.deepcopy(config)
    change(edited)
    after = keys(plan_of(edited, "after"))
    assert all(after[name] == key for name, key in before.items() if name in after)


def test_a_task_with_seeds_of_its_own_has_runs_of_these_alone(config: dict[str, Any]) -> None:
    """Its other runs go, nothing else does, and no key moves."""
    before = {(run.task, run.seed): run.key for run in plan_of(config, "before").nlp.runs_of_figures()}
    edited = copy.deepcopy(config)
    edited["nlp"]["tasks"][0] = {"name": config["nlp"]["tasks"][0], "seeds": [0]}
    task = edited["nlp"]["tasks"][0]["name"]
    after = {(run.task, run.seed): run.key for run in plan_of(edited, "after").nlp.runs_of_figures()}
    assert before.keys() - after.keys() == {(task, seed) for seed in config["seeds"] if seed != 0}
    assert after == {name: before[name] for name in after}


def test_fewer_examples_at_evaluations_are_another_run(config: dict[str, Any]) -> None:
    names = moved(config, lambda c: c["nlp"]["training"].update(evaluation_examples=50))
    assert names == {name for name in keys(plan_of(config, "all")) if "/truth/" in name or "/from-" in name}


def test_batches_by_length_are_another_run_and_random_ones_the_same(config: dict[str, Any]) -> None:
    names = moved(config, lambda c: c["nlp"]["training"].update(batches="by_length"))
    assert names == {name for name in keys(plan_of(config, "all")) if "/truth/" in name or "/from-" in name}
    assert not moved(config, lambda c: c["nlp"]["training"].update(batches=None))


def test_a_default_spelled_out_is_the_same_run(config: dict[str, Any]) -> None:
    assert not moved(config, lambda c: c["methods"]["confidence"]["parameters"].pop("warmup"))


def test_sizes_that_do_not_apply_move_nothing(config: dict[str, Any]) -> None:
    assert not moved(config, lambda c: c["data"]["sizes"].update(test_share=0.3))


def test_how_often_the_corpus_tells_a_fact_leaves_the_data_alone(config: dict[str, Any]) -> None:
    assert not [name for name in moved(config, lambda c: c["data"]["world"].update(zipf=0.5)) if "/data" in name]


def test_going_back_finds_the_old_paths(config: dict[str, Any]) -> None:
    assert not moved(config, lambda c: rung("w48", learning_rate=c["nlp"]["ladder"][1]["learning_rate"])(c))


def test_one_truth_run_serves_as_supervisor_and_ceiling(smoke: Plan) -> None:
    assert smoke.nlp.truth("sciq", "w64", 0) is smoke.nlp.ceiling("sciq", "w64", 0)


def test_ceiling_half_strong_adds_ceilings_and_moves_nothing(config: dict[str, Any], smoke: Plan) -> None:
    config["ceiling_half"] = "strong"
    plan = plan_of(config, "strong")
    assert plan.nlp.truth("sciq", "w64", 0).key == smoke.nlp.truth("sciq", "w64", 0).key
    assert plan.nlp.ceiling("sciq", "w64", 0).key != plan.nlp.truth("sciq", "w64", 0).key
    assert plan.nlp.ceiling("sciq", "w64", 0).spec["half"] == "strong"


def test_readable_paths_with_a_ten_digit_key(smoke: Plan) -> None:
    run = smoke.nlp.student("sciq", "w32", "w96", "confidence", 1)
    assert run.path == f"results/nlp/sciq/w96/from-w32/confidence/s1-{run.key}"
    assert smoke.nlp.data("sciq", 1).path == f"results/nlp/sciq/data-{smoke.nlp.data('sciq', 1).key}"
    assert smoke.nlp.model("w32").path == f"results/models/w32-{smoke.nlp.model('w32').key}"
    assert all(len(one.path) < 120 for one in with_ancestors(smoke.nlp.every_run()).values())


def test_alpha_is_larger_for_large_students_only(config: dict[str, Any]) -> None:
    """Whatever the ladder: its largest rung may be small."""

    def alphas(compute: float) -> list[float]:
        config["methods"]["confidence"]["large"]["compute"] = compute
        plan = plan_of(config, "config.yaml")
        students = [plan.nlp.student("sciq", "w32", name, "confidence", 0) for name in ("w32", "w48", "w64", "w96")]
        return [float(one.spec["objective"]["parameters"]["alpha_max"]) for one in students]

    assert alphas(2.1e24) == [0.5, 0.5, 0.5, 0.5]
    at = plan_of(config, "config.yaml").nlp.config
    assert alphas(at.compute(at.ladder[2])) == [0.5, 0.5, 0.75, 0.75]


def test_figure_5_needs_every_pair_and_one_truth_run_a_rung(smoke: Plan) -> None:
    runs: list[Run] = module("fig5").needs(smoke)
    nlp = smoke.nlp.config
    each = len(nlp.ladder) + len(nlp.pairs()) * len(nlp.methods)
    assert len({run.key for run in runs}) == len(runs)
    assert len(runs) == len(nlp.median_tasks()) * len(smoke.experiment.seeds) * each


@pytest.fixture
def paper(config: dict[str, Any]) -> Plan:
    """As in the paper: seven ground-truth sizes; the third of eight, 10^-4.67, is a student only. One seed."""
    shape = {"layers": 2, "heads": 2, "pretraining_learning_rate": 1e-3, "learning_rate": 1e-3, "tokens": 10**6}
    widths = (16, 32, 36, 48, 64, 80, 96, 128)
    ladder = [{"name": f"w{width}", "width": width, "truth": width != 36, **shape} for width in widths]
    config["nlp"].update(ladder=ladder, supervisors=None, tasks=list(TASKS), methods=["naive", "confidence"])
    config["seeds"] = [0]
    return plan_of(config, "paper")


def test_a_ladder_like_the_papers_has_its_pairs(paper: Plan) -> None:
    nlp = paper.nlp.config
    assert len(nlp.pairs()) == 29
    assert len([pair for pair in nlp.pairs() if has_pgr(nlp, pair)]) == 21


def test_a_ladder_like_the_papers_has_its_runs(paper: Plan) -> None:
    """As in the paper: 22 x (7 ground truth + 29 naive + 29 confidence) = 1,430."""
    runs: list[Run] = module("fig12").needs(paper)
    counts = Counter((run.labels == "truth", run.method) for run in runs)
    assert counts == {
        (True, "naive"): 7 * len(TASKS),
        (False, "naive"): 29 * len(TASKS),
        (False, "confidence"): 29 * len(TASKS),
    }
    assert len({run.key for run in runs}) == len(runs) == 65 * len(TASKS)
    assert not [run for run in runs if run.rung == "w36" and run.labels == "truth"]
    assert not [run for run in runs if run.labels == "from-w36"]


def test_figures_of_one_experiment_share_their_runs(paper: Plan) -> None:
    """What Figure 12 has trained, Figures 2, 3, 5, 6, 8 and 13 find there."""
    trained = {run.key for run in module("fig12").needs(paper)}
    for name in ("fig2", "fig3", "fig5", "fig6", "fig8", "fig13"):
        of_nlp = {run.key for run in module(name).needs(paper) if run.path.startswith("results/nlp/")}
        assert of_nlp, name
        assert of_nlp <= trained, name


@pytest.mark.parametrize("half", ["weak", "strong"])
def test_no_figure_is_given_runs_that_it_does_not_read(config: dict[str, Any], half: str) -> None:
    """tabulate() reads exactly the runs of needs(): none is trained in vain, none is missing."""
    rungs = len(config["nlp"]["ladder"])
    config["ceiling_half"] = half
    config["nlp"]["tasks"] = [*list(TASKS)[:3], {"name": list(TASKS)[3], "medians": False}]
    config["nlp"]["representative"] = list(TASKS)[2:4]
    config["nlp"]["shift"]["tests"] = [{"task": list(TASKS)[2], "other": list(TASKS)[1]}]
    config["nlp"]["example"] = {}
    config["nlp"]["ladder"][rungs // 2]["truth"] = False
    plan = plan_of(config, "some")
    for name in names():
        results, figure = Fake(lambda run: 0.6), module(name)
        figure.tabulate(plan, results)
        needed = [run.key for run in figure.needs(plan)]
        assert len(needed) == len(set(needed)), name
        assert results.read == set(needed), name


def open_ladder(config: dict[str, Any], **changed: Any) -> dict[str, Any]:
    """The config with two open rungs on the hub, the first of them changed."""
    rung = {"revision": "a" * 40, "tokens": 10**9, "learning_rate": 1e-5}
    first = {"name": "one", "source": "group/one", "parameters": 10**6} | rung | changed
    edited = copy.deepcopy(config)
    edited["nlp"]["ladder"] = [first, {"name": "two", "source": "group/two", "parameters": 10**7} | rung]
    return edited


def open_keys(config: dict[str, Any]) -> tuple[str, str]:
    """(base model's key, a ground-truth run's key) of the first rung."""
    plan = plan_of(config, "open")
    return plan.nlp.model("one").key, plan.nlp.truth("sciq", "one", 0).key


@pytest.mark.parametrize(
    ("changed", "moves_model", "moves_run"),
    [
        ({"revision": "b" * 40}, True, True),
        ({"source": "group/other"}, True, True),
        ({"precision": "bfloat16"}, False, True),
        ({"adapters": {"rank": 4}}, False, True),
        ({"learning_rate": 2e-5}, False, True),
        ({"checkpointing": True}, False, False),
        ({"gpus": 4}, False, False),
        ({"tokens": 10**8}, False, False),
        ({"parameters": 10**6 + 1}, False, False),
    ],
)
def test_an_open_rungs_settings_move_what_they_change(
    config: dict[str, Any], changed: dict[str, Any], moves_model: bool, moves_run: bool
) -> None:
    before, after = open_keys(open_ladder(config)), open_keys(open_ladder(config, **changed))
    assert (before[0] != after[0], before[1] != after[1]) == (moves_model, moves_run)


def test_an_open_ladder_needs_no_corpus(config: dict[str, Any]) -> None:
    plan = plan_of(open_ladder(config), "open")
    needed = with_ancestors(plan.nlp.runs_of_figures()).values()
    assert {one.stage.name for one in needed} == {"data", "open_model", "finetune"}


def test_a_local_models_content_is_in_its_key_and_its_place_is_not(config: dict[str, Any], tmp_path: Path) -> None:
    found = []
    for name, weights in (("here", b"w" * 5000), ("there", b"w" * 5000), ("edited", b"w" * 4999 + b"x")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(weights)
        (tmp_path / name / "README.md").write_text(name)
        found.append(open_keys(open_ladder(config, source=str(tmp_path / name), revision=None))[0])
    assert found[0] == found[1] != found[2]


def test_a_local_model_that_is_not_there_is_one_line(config: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"rung 'one': .* holds no base model \(no config.json\)"):
        open_keys(open_ladder(config, source=str(tmp_path), revision=None))


def test_a_files_content_is_in_the_key_and_its_place_is_not(config: dict[str, Any], tmp_path: Path) -> None:
    keys = []
    config["settings"] = ["nlp"]
    for name, more in (("here", ""), ("there", ""), ("edited", "a,1\n")):
        folder = tmp_path / name / "glue.cola"
        folder.mkdir(parents=True)
        (folder / "train.csv").write_text("sentence,label\nb,0\n" + more)
        (folder / "validation.csv").write_text("sentence,label\nc,0\n")
        config["data"] |= {"source": "directory", "directory": str(tmp_path / name)}
        config["nlp"] |= {"tasks": ["cola"], "pretraining": config["nlp"]["pretraining"] | {"corpus": "tasks"}}
        keys.append(plan_of(config, name).nlp.data("cola", 0).key)
    assert keys[0] == keys[1] != keys[2]


def test_a_corpus_of_all_texts_reads_whole_training_splits_and_leaves_the_runs_data_alone(
    config: dict[str, Any],
) -> None:
    data = {}
    for corpus in ("tasks", "all-texts"):
        config["nlp"]["pretraining"] = config["nlp"]["pretraining"] | {"corpus": corpus}
        nlp = plan_of(config, "corpus").nlp
        data[corpus] = nlp.corpus().parents
        assert set(data[corpus]) == set(nlp.tasks)
        assert all(nlp.data(task, 0).spec["sizes"]["train"] == config["data"]["sizes"]["train"] for task in nlp.tasks)
    for task, limited in data["tasks"].items():
        whole = data["all-texts"][task].spec
        assert whole == {**limited.spec, "sizes": {**limited.spec["sizes"], "train": None}} != limited.spec


def test_a_task_of_the_corpus_alone_has_texts_in_it_and_no_run(config: dict[str, Any]) -> None:
    first, *others = (task if isinstance(task, dict) else {"name": task} for task in config["nlp"]["tasks"])
    assert others
    for corpus in ("tasks", "all-texts"):
        config["nlp"]["pretraining"] = config["nlp"]["pretraining"] | {"corpus": corpus}
        config["nlp"]["tasks"] = [first, *others]
        whole = plan_of(config, "whole").nlp
        config["nlp"]["tasks"] = [first, *({**task, "corpus_only": True} for task in others)]
        nlp = plan_of(config, "part").nlp
        assert nlp.corpus().key == whole.corpus().key
        assert nlp.tasks == nlp.median_tasks == [first["name"]] == sorted({run.task for run in nlp.every_run()})
        assert nlp.student(first["name"], "w32", "w96", "naive", 0).key in {run.key for run in whole.every_run()}
    config["nlp"]["pretraining"] = config["nlp"]["pretraining"] | {"corpus": "world"}
    with pytest.raises(UserError, match="corpus_only has no effect"):
        plan_of(config, "world")
    config["nlp"]["tasks"] = [{**first, "corpus_only": True}]
    config["nlp"]["pretraining"] = config["nlp"]["pretraining"] | {"corpus": "tasks"}
    with pytest.raises(UserError, match="tasks: none has"):
        plan_of(config, "none")


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(1e-6, 1e-1))
def test_any_rate_and_seed_make_a_plan_whose_paths_are_unique(seed: int, learning_rate: float) -> None:
    from tests.conftest import ROOT, TINY
    from w2s.config.files import deep_merge, read_yaml

    config = copy.deepcopy(deep_merge(read_yaml(ROOT / "config.yaml"), TINY))  # merged lists are TINY's own
    config["seeds"] = [seed, seed + 1]
    config["nlp"]["ladder"][0] = {**config["nlp"]["ladder"][0], "learning_rate": learning_rate}
    runs = list(plan_of(config, "any").nlp.runs_of_figures())
    assert len({run.path for run in runs}) == len(runs) == 2 * 2 * (2 + 2 * 2)
