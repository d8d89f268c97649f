"""What jobs ask a scheduler for: from estimates, more with every attempt, GPUs where a model computes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml

from tests.conftest import ROOT
from tests.jobs.finished import NOTHING, job, records, with_spec
from w2s.config.execution import Execution
from w2s.config.files import deep_merge, read_yaml
from w2s.engine import artifacts
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs import cost
from w2s.jobs.records import Finished, Records
from w2s.jobs.resources import ASSUMED, LEARNED, LEAST_MEMORY, MINUTES, Resources
from w2s.jobs.workflow import Workflow


def resources(*jobs: tuple[Artifact, Finished], **execution: Any) -> Resources:
    return Resources(Execution(**execution), lambda: records(*jobs))


@pytest.fixture
def plan(tiny_config: dict[str, Any], tmp_path: Path) -> Plan:
    return Workflow(tiny_config, tmp_path).default


@pytest.fixture
def run(plan: Plan) -> Artifact:
    return plan.nlp.truth("sciq", "w16", 0)


def test_time_and_memory_are_what_was_measured_with_a_margin(run: Artifact) -> None:
    asked = resources((run, job(run, 1200.0, "cpu", memory=8e9))).asked(run)
    assert asked.runtime == MINUTES + LEARNED * 20
    assert asked.mem_mb == 13_074  # 1.5 x 8 GB, and 1 GiB for Snakemake itself
    short = resources((run, job(run, 1.0, "cpu"))).asked(run)
    assert (short.runtime, short.mem_mb) == (MINUTES + 1, 4295)


def test_more_is_asked_with_every_attempt_and_none_more_than_is_allowed(run: Artifact) -> None:
    here = resources((run, job(run, 1200.0, "cpu", memory=8e9)), longest_job=150)
    first, second, third = (here.asked(run, attempt) for attempt in (1, 2, 3))
    assert second.mem_mb == pytest.approx(2 * first.mem_mb, abs=1)
    assert third.mem_mb == pytest.approx(3 * first.mem_mb, abs=2)
    assert [asked.runtime for asked in (first, second, third)] == [65, 130, 150]


def test_where_nothing_was_measured_the_margin_is_wider(run: Artifact) -> None:
    known, unknown = resources((run, job(run, 600.0, "cpu"))), resources(gpu="h100")
    assert not unknown.model.learned
    expected = unknown.estimate(run).seconds / 60
    assert unknown.asked(run).runtime == -int(-(MINUTES + ASSUMED * expected) // 1)
    assert known.asked(run).runtime == MINUTES + LEARNED * 10


def test_what_computes_with_a_model_asks_for_a_gpu_and_nothing_else_does(plan: Plan) -> None:
    here, none = resources(), resources(gpu="none")
    elo = plan.nlp.difficulty.elo("sciq", 0)
    by_the_user = Artifact(elo.stage, elo.name, "", {**elo.spec, "by": {}}, {"data": elo.parents["data"]})
    for artifact in [by_the_user, *with_ancestors(plan.everything()).values()]:
        wants = artifact.stage.gpu and artifact is not by_the_user
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
    looked_up = here.asked(plan.nlp.model("o2"))
    assert (looked_up.gpu, looked_up.mem_mb) == (None, here.asked(plan.nlp.data("sciq", 0)).mem_mb)
    assert 4 * 10**10 < 1e6 * here.asked(plan.nlp.truth("sciq", "o2", 0)).mem_mb < 16 * 10**10  # it holds weights once


def test_a_kind_of_gpu_is_found_in_what_was_measured(run: Artifact) -> None:
    devices = {"cpu": 900.0, "NVIDIA A100-SXM4-80GB": 60.0, "NVIDIA GeForce RTX 4090": 1.0}
    several = [with_spec(run, seed=seed) for seed, _ in enumerate(devices)]
    jobs = [(one, job(one, seconds, device)) for one, (device, seconds) in zip(several, devices.items(), strict=True)]
    measured = resources(*jobs, gpu="a100")
    assert (measured.model.device, measured.model.learned) == ("NVIDIA A100-SXM4-80GB", True)
    assert measured.estimate(run).seconds == pytest.approx(60)
    assert resources(*jobs, gpu="rtx4090").model.device == "NVIDIA GeForce RTX 4090"
    assert resources(*jobs, gpu="h200").model.learned is False
    assert resources(*jobs).model.device == "cpu"  # where most time went


def test_the_kinds_are_those_that_estimates_know() -> None:
    named = get_args(Execution.model_fields["gpu"].annotation)
    assert {"any", "none", *cost.ASSUMED} - {"cpu"} == set(named)


def test_records_are_read_once_and_only_when_a_job_asks(plan: Plan) -> None:
    asked = []

    def read() -> Records:
        asked.append(1)
        return NOTHING

    here = Resources(Execution(), read)
    assert asked == []
    for run in plan.nlp.every_run():
        here.asked(run)
        here.recorded(run)
    assert asked == [1]


def test_the_estimate_stands_in_the_record(run: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = json.loads(resources((run, job(run, 12.0, "cpu", memory=3 * 2.0**30))).recorded(run))
    assert said == {"seconds": 12.0, "memory_mib": 3072, "device": "cpu"}
    with artifacts.building(Path(run.path), run.identity, run.stage.manifest, said):
        pass
    assert json.loads(Path(run.manifest).read_text())["made_with"]["estimated"] == said


@pytest.mark.parametrize("experiment", [None, "nlp-paper"])
def test_no_pack_of_the_slurm_profile_waits_for_itself(experiment: str | None) -> None:
    """A pack starts when all that it needs is there: no member may need, by whatever way, what another one makes."""
    profile = read_yaml(ROOT / "profiles" / "slurm" / "profile.yaml")
    named = dict(one.split("=") for one in profile["groups"] if "{figure}" not in one)
    assert {one.split("=")[0] for one in profile["group-components"]} == set(named.values())
    artifacts = with_ancestors(Workflow(read_yaml(ROOT / "config.yaml"), ROOT).plan(experiment).everything())

    def pack(artifact: Artifact) -> str | None:
        if artifact.stage.name not in named:
            return None
        _, _, _, rung, labels, method, _ = artifact.path.split("/")
        return str(named[artifact.stage.name]).format(rung=rung, labels=labels, method=method)

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
