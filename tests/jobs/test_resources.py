"""What jobs ask a scheduler for: from estimates, more with every try, GPUs where a model computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from tests.conftest import ROOT
from w2s.config.execution import Execution
from w2s.config.files import deep_merge, read_yaml
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs import cost
from w2s.jobs.resources import ASSUMED, LEARNED, LEAST_MEMORY, MINUTES, ON_GPU, Resources
from w2s.jobs.workflow import Workflow


def finished(artifact: Artifact, seconds: float, device: str = "cpu", host: float = 1e9, gpu: float = 0.0) -> Any:
    """A finished job of an artifact's size."""
    parameters = cost.parameters_of(artifact.parents["model"])
    model = cost.Model(cost.Past(), "cpu")
    flop = model.estimate(artifact).flop
    return cost.Finished(artifact.key, artifact.stage, "", device, parameters, flop, seconds, 0, host, gpu)


def resources(*jobs: Any, **execution: Any) -> Resources:
    past = cost.Past({"finetune": list(jobs)} if jobs else {})
    return Resources(Execution(**execution), lambda: past)


@pytest.fixture
def workflow(tiny_config: dict[str, Any], tmp_path: Path) -> Workflow:
    return Workflow(tiny_config, tmp_path)


def test_time_and_memory_are_what_was_measured_with_a_margin(workflow: Workflow) -> None:
    run = workflow.default.truth("sciq", "w16", 0)
    asked = resources(finished(run, 1200.0, host=8e9)).asked(run)
    assert asked.runtime == MINUTES + LEARNED * 20
    assert asked.mem_mb == 13_074  # 1.5 x 8 GB, and 1 GiB for Snakemake itself
    short = resources(finished(run, 1.0)).asked(run)
    assert (short.runtime, short.mem_mb) == (MINUTES + 1, 4295)


def test_a_second_try_gets_twice_as_much_and_none_more_than_is_allowed(workflow: Workflow) -> None:
    run = workflow.default.truth("sciq", "w16", 0)
    here = resources(finished(run, 1200.0, host=8e9), longest_job=100)
    first, second = here.asked(run), here.asked(run, 2)
    assert second.mem_mb == pytest.approx(2 * first.mem_mb, abs=1)
    assert (first.runtime, second.runtime) == (65, 100)


def test_where_nothing_was_measured_the_margin_is_wider(workflow: Workflow) -> None:
    run = workflow.default.truth("sciq", "w16", 0)
    known, unknown = resources(finished(run, 600.0)), resources(gpu="h100")
    assert not unknown.model.learned
    expected = unknown.estimate(run).seconds / 60
    assert unknown.asked(run).runtime == -int(-(MINUTES + ASSUMED * expected) // 1)
    assert known.asked(run).runtime == MINUTES + LEARNED * 10


def test_what_computes_with_a_model_asks_for_a_gpu_and_nothing_else_does(workflow: Workflow) -> None:
    here, none = resources(), resources(gpu="none")
    for artifact in with_ancestors(workflow.default.everything()).values():
        wants = artifact.stage in ON_GPU and not (artifact.stage == "judge" and "model" not in artifact.parents)
        assert here.asked(artifact).gpu == (1 if wants else None), artifact.path
        assert none.asked(artifact).gpu is None
    assert none.model.device == "cpu"


def test_a_rung_that_needs_several_gpus_gets_them(tiny_config: dict[str, Any], tmp_path: Path) -> None:
    shared = {"revision": "a" * 40, "tokens": 10**9, "learning_rate": 1e-5}
    ladder = [
        {"name": "o1", "source": "some/small", "parameters": 10**9, **shared},
        {"name": "o2", "source": "some/large", "parameters": 10**10, "gpus": 4, **shared},
    ]
    plan = Workflow(deep_merge(tiny_config, {"nlp": {"ladder": ladder}}), tmp_path).default
    here = resources(gpu="a100")
    assert [here.asked(plan.nlp.truth("sciq", rung, 0)).gpu for rung in ("o1", "o2")] == [1, 4]
    assert here.asked(plan.nlp.model("o2")).gpu is None  # it is only looked up
    large = here.asked(plan.nlp.truth("sciq", "o2", 0))
    assert large.mem_mb > 4 * 10**10 / 1e6  # the host holds the weights once
    assert large.mem_mb < 16 * 10**10 / 1e6


def test_a_kind_of_gpu_is_found_in_what_was_measured(workflow: Workflow) -> None:
    run = workflow.default.truth("sciq", "w16", 0)
    jobs = [finished(run, 900.0), finished(run, 60.0, device="NVIDIA A100-SXM4-80GB")]
    jobs.append(finished(run, 1.0, device="NVIDIA GeForce RTX 4090"))
    measured = resources(*jobs, gpu="a100")
    assert (measured.model.device, measured.model.learned) == ("NVIDIA A100-SXM4-80GB", True)
    assert measured.estimate(run).seconds == pytest.approx(60)
    assert resources(*jobs, gpu="rtx4090").model.device == "NVIDIA GeForce RTX 4090"
    assert resources(*jobs, gpu="h200").model.learned is False
    assert resources(*jobs).model.device == "cpu"  # where most time went


def test_the_kinds_are_those_that_estimates_know() -> None:
    named = get_args(Execution.model_fields["gpu"].annotation)
    assert {"any", "none", *(name for name, (_, is_gpu) in cost.ASSUMED.items() if is_gpu)} == set(named)


def test_the_past_is_read_once_and_only_when_a_job_asks(workflow: Workflow) -> None:
    asked = []

    def past() -> cost.Past:
        asked.append(1)
        return cost.Past()

    here = Resources(Execution(), past)
    assert asked == []
    for run in workflow.default.every_run():
        here.asked(run)
        here.recorded(run)
    assert asked == [1]


def test_the_estimate_for_the_record_is_json_of_seconds_memory_and_device(workflow: Workflow) -> None:
    run = workflow.default.truth("sciq", "w16", 0)
    said = json.loads(resources(finished(run, 12.0, host=3 * 2.0**30)).recorded(run))
    assert said == {"seconds": 12.0, "memory_mib": 3072, "device": "cpu"}


@pytest.mark.parametrize("experiment", [None, "nlp-paper"])
def test_no_pack_of_the_slurm_profile_waits_for_itself(experiment: str | None) -> None:
    """A pack starts when all that it needs is there: no member may need, by whatever way, what another one makes."""
    profile = read_yaml(ROOT / "profiles" / "slurm" / "profile.yaml")
    named = dict(one.split("=") for one in profile["groups"] if "{figure}" not in one)
    named["prefer"] = named.pop("reward_model")  # the stage of that rule
    assert {one.split("=")[0] for one in profile["group-components"]} == set(named.values())
    artifacts = with_ancestors(Workflow(read_yaml(ROOT / "config.yaml"), ROOT).plan(experiment).everything())

    def pack(artifact: Artifact) -> str | None:
        if artifact.stage not in named:
            return None
        _, _, _, rung, labels, method, _ = artifact.path.split("/")
        return str(named[artifact.stage]).format(rung=rung, labels=labels, method=method)

    needs: dict[str, set[str]] = {}

    def above(artifact: Artifact) -> set[str]:
        """Packs of everything that it needs."""
        if artifact.key not in needs:
            parents = artifact.parents.values()
            needs[artifact.key] = {name for one in parents if (name := pack(one))}.union(*map(above, parents))
        return needs[artifact.key]

    waits: dict[str, set[str]] = {}
    for artifact in artifacts.values():
        if name := pack(artifact):
            waits.setdefault(name, set()).update(above(artifact))
    assert len(waits) > 50
    for name, others in waits.items():
        assert name not in others
        assert not [other for other in others if name in waits[other]], name


def test_the_config_says_what_the_code_does() -> None:
    stated = yaml.safe_load((ROOT / "config.yaml").read_text())["execution"]
    assert Execution(**stated).model_dump() == Execution().model_dump()
    assert LEAST_MEMORY == 4 * cost.GIB
