"""What figures cost before they are made: a start and a speed from finished jobs, assumed where there are none."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.jobs.finished import NOTHING, job, records, timed, with_spec
from w2s import cli
from w2s.config.files import deep_merge
from w2s.engine import artifacts
from w2s.errors import UserError
from w2s.experiments import settings
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs import cost
from w2s.jobs.cost import Model
from w2s.jobs.records import CACHE, Records, read
from w2s.jobs.workflow import Workflow
from w2s.models.work import parameters


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def plan(tiny_config: dict[str, Any]) -> Plan:
    return Workflow(tiny_config).default


@pytest.fixture
def runs(plan: Plan) -> list[Artifact]:
    """Runs of one stage whose FLOP differ widely."""
    runs: list[Artifact] = [plan.nlp.truth(task, rung, 0) for task in plan.nlp.tasks for rung in ("w8", "w16")]
    return runs + [with_spec(run, training={**run.spec["training"], "epochs": n}) for run in runs for n in (9, 40, 90)]


# -- work ------------------------------------------------------------------------------------------------------


def test_every_job_with_a_base_model_has_work(smoke: Plan) -> None:
    for artifact in with_ancestors(smoke.everything()).values():
        computes = "shape" in artifact.spec or ("model" in artifact.parents and not artifact.name.startswith("vision/"))
        assert (NOTHING.flop(artifact) > 0) == computes, artifact.path


def test_parameters_are_those_of_the_ladder(plan: Plan) -> None:
    for setting in (plan.nlp, plan.chess, plan.reward):
        for rung in setting.config.ladder:
            assert parameters(setting.model(rung.name)) == rung.parameter_count(setting.config.vocabulary)


def test_an_embedding_that_is_only_looked_up_takes_no_arithmetic(plan: Plan) -> None:
    run, puzzles = plan.nlp.truth("sciq", "w8", 0), plan.chess.truth("puzzles", "c8", 0)

    def with_vocabulary(run: Artifact, size: int) -> Artifact:
        model = run.parents["model"]
        corpus = with_spec(model.parents["corpus"], vocabulary=size)
        return replace(run, parents={**run.parents, "model": replace(model, parents={"corpus": corpus})})

    small, large = (NOTHING.flop(with_vocabulary(run, size)) for size in (500, 50_000))
    assert small == large > 0
    small, large = (NOTHING.flop(with_vocabulary(puzzles, size)) for size in (500, 50_000))
    assert small < large
    small, large = (NOTHING.flop(with_vocabulary(run, size).parents["model"]) for size in (500, 50_000))
    assert small < large


def test_work_grows_with_what_is_read_and_trained(plan: Plan) -> None:
    run, flop = plan.nlp.truth("sciq", "w8", 0), NOTHING.flop
    training = run.spec["training"]
    prompted, probing = plan.nlp.prompting, plan.nlp.probing
    assert flop(with_spec(run, training={**training, "epochs": 2 * training["epochs"]})) == 2 * flop(run)
    assert flop(with_spec(run, training={**training, "evaluations_per_epoch": 99})) > flop(run)
    assert flop(with_spec(run, adapters={"rank": 2}, precision="float32")) < flop(run)
    all_, few, many = (
        flop(with_spec(run, training={**training, "evaluation_examples": count})) for count in (None, 1, 10**6)
    )
    assert few < all_ == many
    assert flop(plan.nlp.truth("sciq", "w16", 0)) > flop(run)
    assert flop(prompted.truth("sciq", "w8", 0)) == prompted.setting.draws * flop(prompted.zero_shot("sciq", "w8", 0))
    assert flop(probing.features_of(run)) == pytest.approx(flop(run) + flop(probing.features("sciq", "w8", 0)))
    elo = plan.nlp.difficulty.elo("sciq", 0)
    assert flop(with_spec(elo, by="prompt")) == 2 * elo.spec["rounds"] * flop(elo)


def test_examples_are_counted_and_texts_measured_where_they_can_be(plan: Plan) -> None:
    run, data = plan.nlp.truth("sciq", "w8", 0), plan.nlp.data("sciq", 0)
    assumed = settings.size(data)
    assert NOTHING.examples(data, "weak") == assumed.half * (1 - 0.25 / 2)  # both halves lose half of validation
    assert NOTHING.examples(data, "validation") == assumed.half * 0.25
    built = records((data, job(data, parts={"weak": 77})), (run, job(run, tokens=2 * assumed.tokens)))
    assert built.examples(data, "weak") == 77
    read = records((data, job(data, characters=8 * assumed.tokens)))
    assert read.tokens_of(data) == 2 * assumed.tokens  # four characters a token
    assert read.flop(run) == 2 * NOTHING.flop(run)
    assert records((run, job(run, tokens=2 * assumed.tokens))).flop(run) == 2 * NOTHING.flop(run)
    real = replace(data, spec={**data.spec, "rows": {"hub": "allenai/sciq"}})  # of which nothing is known from that
    elsewhere = replace(run, parents={**run.parents, "data": real})
    assert built.flop(elsewhere) == NOTHING.flop(elsewhere)


# -- time ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [0.0, 0.2, 3.0])
def test_a_start_and_a_speed_are_found_again(runs: list[Artifact], start: float) -> None:
    noise = random.Random(0)
    speed = NOTHING.flop(runs[0])  # so that work takes the shortest a second
    model = Model(timed(runs, lambda flop: (start + flop / speed) * noise.uniform(0.8, 1.25)))
    for run in runs:
        assert model.estimate(run).seconds == pytest.approx(start + NOTHING.flop(run) / speed, rel=0.4)


def test_no_estimate_is_negative_and_more_work_never_takes_less(plan: Plan, runs: list[Artifact]) -> None:
    ordered = sorted((run for run in runs if run.parents["model"] is plan.nlp.model("w8")), key=NOTHING.flop)
    odd = [lambda flop: 0.0, lambda flop: 5.0, lambda flop: 1e9 / flop, lambda flop: flop]
    for past in (NOTHING, timed(runs[:1], lambda flop: 1.0), *(timed(runs, seconds) for seconds in odd)):
        for device in (None, "h100"):
            model = Model(past, device)
            seconds = [model.estimate(run).seconds for run in ordered]
            assert seconds == sorted(seconds)
            for artifact in with_ancestors(plan.everything()).values():
                estimate = model.estimate(artifact)
                assert min(estimate) >= 0
                assert estimate.seconds > 0


def test_jobs_without_a_model_take_the_median_of_their_stage(plan: Plan) -> None:
    several = [plan.nlp.data("sciq", seed) for seed in range(3)]
    past = records(*((data, job(data, seconds)) for data, seconds in zip(several, (1.0, 7.0, 50.0), strict=True)))
    assert Model(past).estimate(plan.nlp.data("sst2", 0)).seconds == 7
    assert Model(past, "h100").estimate(plan.nlp.data("sst2", 0)).seconds == 7  # they run beside the GPU
    assert Model(NOTHING).estimate(plan.nlp.data("sst2", 0)).seconds == cost.STARTING


def test_several_gpus_share_the_work_and_the_weights(plan: Plan) -> None:
    large = replace(plan.nlp.model("w8"), spec={}, environment={"parameters": 10**10})
    run = replace(plan.nlp.truth("sciq", "w8", 0), parents={"data": plan.nlp.data("sciq", 0), "model": large})
    alone, four = (Model(NOTHING, "h100").estimate(replace(run, environment={"gpus": gpus})) for gpus in (1, 4))
    assert four.seconds - cost.STARTING == pytest.approx((alone.seconds - cost.STARTING) / 4)
    assert (four.memory, four.host, four.gpus) == (alone.memory / 4, alone.host, 4)
    past = records((run, job(run, 60.0, "NVIDIA H100", processes=4)))
    assert Model(past).estimate(run).seconds == pytest.approx(240)
    assert Model(past).estimate(replace(run, environment={"gpus": 4})).seconds == pytest.approx(60)


def test_a_device_without_a_past_is_assumed_and_an_unknown_one_refused(runs: list[Artifact]) -> None:
    past = timed(runs, lambda flop: 9.0, "NVIDIA GeForce RTX 4090")
    learned, assumed = Model(past), Model(past, "h100")
    assert (learned.device, learned.learned, learned.is_gpu) == ("NVIDIA GeForce RTX 4090", True, True)
    assert (learned.assumed, assumed.learned) == (cost.ASSUMED["rtx4090"], False)
    assert "no finished jobs on 'h100': times assume" in cost.table(runs, assumed, "runs")
    with pytest.raises(UserError, match=r"unknown device 'h1000'; did you mean 'h100'\?[^\n]*$"):
        Model(past, "h1000")


# -- memory ----------------------------------------------------------------------------------------------------


def test_memory_is_of_weights_as_they_are_loaded(plan: Plan) -> None:
    billion = 10**9
    base = replace(plan.nlp.model("w8"), spec={}, environment={"parameters": billion})

    def bytes_of(run: Artifact, past: Records = NOTHING, **spec: Any) -> tuple[float, float]:
        parents = {**run.parents, "model": base}
        found = Model(past, "h100").estimate(replace(with_spec(run, **spec), parents=parents))
        return round(found.memory / billion / cost.MARGIN, 6), round(found.host / billion / cost.MARGIN, 6)

    run, prompted = plan.nlp.truth("sciq", "w8", 0), plan.nlp.prompting.zero_shot("sciq", "w8", 0)
    adapted: dict[str, Any] = {"precision": "bfloat16", "adapters": {"rank": 8}}
    assert bytes_of(run) == bytes_of(run, precision="bfloat16") == (16, 4)
    assert bytes_of(prompted) == bytes_of(prompted, precision="bfloat16") == (4, 4)
    assert bytes_of(run, **adapted)[0] == bytes_of(prompted, **adapted)[0] == 2
    assert bytes_of(plan.reward.generative("hh", plan.reward.config.ladder[-1].name, 0)) == (16, 8)
    assert bytes_of(run, records((run, job(run, 1.0, "h100", memory=5e10))))[0] == pytest.approx(5e10 / 1.2e9)


# -- records ---------------------------------------------------------------------------------------------------


def make(artifact: Artifact, estimate: dict[str, Any] | None = None) -> None:
    """Publish an artifact's record, without the work."""
    for parent in artifact.parents.values():
        make(parent)
    with artifacts.building(Path(artifact.path), artifact.identity, artifact.stage.manifest, estimate) as build:
        if build:
            build.measured |= {"device": "cpu"}


def test_manifests_are_read_once_and_those_that_cannot_be_read_left_out(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = plan.nlp.truth("sciq", "w8", 0), plan.nlp.truth("sciq", "w16", 0)
    make(run)
    first = read(Path("results"), CACHE)
    assert {job.key for _, job in first.jobs} == with_ancestors([run]).keys()
    make(other)
    Path(run.manifest).write_text("{}")
    known, looked = (read(Path("results"), CACHE, look=look) for look in (False, True))
    assert [job.key for _, job in known.jobs] == [job.key for _, job in first.jobs]
    assert {other.key, run.key} <= {job.key for _, job in looked.jobs}  # the old one is not read again
    CACHE.write_text("{")  # half of it
    assert run.key not in {job.key for _, job in read(Path("results"), CACHE).jobs}
    for number, change in enumerate([("finetune", "retired"), ("half", "part")]):  # of other versions of the package
        folder = Path(f"results/nlp/sciq/old-{number:010}")
        folder.mkdir()
        record = Path(other.manifest).read_text().replace(other.key, f"{number:010}").replace(*change)
        (folder / "run.json").write_text(record)
    known = read(Path("results"))
    assert other.key in {job.key for _, job in known.jobs}
    assert not {f"{number:010}" for number in range(2)} & {job.key for _, job in known.jobs}
    Path(other.parents["data"].manifest).unlink()
    assert other.key not in {job.key for _, job in read(Path("results")).jobs}  # what it worked on is not known


# -- the commands ----------------------------------------------------------------------------------------------


def test_what_is_there_costs_nothing_more(plan: Plan, runs: list[Artifact]) -> None:
    def row(stage: str) -> list[str]:
        lines = cost.table(runs[:4], Model(NOTHING), "runs").splitlines()
        return next(line.split() for line in lines if line.startswith(stage))

    before = row("all")
    make(runs[0])
    assert row("all")[1:3] == ["4", "1"]
    assert float(row("all")[3]) <= float(before[3])
    assert row("finetune")[:4] == ["finetune", "w8", "2", "1"]


def test_the_check_compares_estimates_with_what_was_measured(plan: Plan, runs: list[Artifact]) -> None:
    def took(flop: float) -> float:
        return 1 + flop / NOTHING.flop(runs[0])

    def before(run: Artifact, off: float) -> dict[str, Any]:
        return {"seconds": took(NOTHING.flop(run)) / off, "memory_mib": 600, "device": "cpu"}

    finished = [(run, job(run, took(NOTHING.flop(run)), "cpu")) for run in runs]
    finished = [
        (run, replace(one, estimated=before(run, off)))
        for (run, one), off in zip(finished, (1.0, 1.9, 2.1, 0.4) * (len(runs) // 4), strict=True)
    ]
    said = [line.split() for line in cost.check(runs, records(*finished)).splitlines()]
    number = str(len(runs))
    assert said[3][:5] == ["finetune", number, number, "50%", "100%"]
    assert said[3][5] == "100%"
    assert said[-1][:2] == ["all", number]
    with pytest.raises(UserError, match="these figures have no finished jobs on 'cpu'"):
        cost.check(runs, NOTHING)


def test_the_command_says_what_a_figure_costs(tiny_config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(json.dumps(tiny_config))
    assert cli.main(["cost", "fig5", "figures/fig4.pdf", "--device", "a100"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "fig5, fig4"
    assert said[-2].split()[:2] == ["all", "31"]
    assert "GPU-h in all" in said[1]
    assert cli.main(["cost", "fig55"]) == 1
    assert "unknown figure 'fig55'" in capsys.readouterr().err


def test_several_gpus_are_paid_for(tiny_config: dict[str, Any]) -> None:
    shared = {"revision": "a" * 40, "tokens": 10**9, "learning_rate": 1e-5}

    def hours(gpus: int) -> float:
        large = {"name": "o2", "source": "some/large", "parameters": 10**10, "gpus": gpus, **shared}
        small = {"name": "o1", "source": "some/small", "parameters": 10**9, **shared}
        plan = Workflow(deep_merge(tiny_config, {"nlp": {"ladder": [small, large]}})).default
        run = plan.nlp.truth("sciq", "o2", 0)
        return float(cost.table([run], Model(NOTHING, "cpu"), "run").splitlines()[-2].split()[3])

    assert 0 < hours(1) <= hours(4) < 1.1 * hours(1) + 0.01  # each of four has to start
