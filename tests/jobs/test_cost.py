"""What a figure costs before it is made: learned from finished jobs, assumed where there are none."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from w2s.cli import commands
from w2s.config.files import deep_merge
from w2s.errors import UserError
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs import cost
from w2s.jobs.workflow import Workflow
from w2s.nlp.difficulty import judge

SPEED = 2e9  # FLOP a second of the pretended machine


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def workflow(tiny_config: dict[str, Any]) -> Workflow:
    return Workflow(tiny_config)


def pretend(
    artifact: Artifact, device: str = "cpu", examples: int = 100, tokens: int = 30, speed: float = SPEED
) -> None:
    """A finished job as its manifest tells of it: time is in proportion to work."""
    flop, measured = 0.0, {}
    if artifact.stage == "finetune":
        passes = artifact.spec["training"]["epochs"] * examples * tokens
        flop = 6 * cost.parameters_of(artifact.parents["model"]) * passes
        measured = {"examples": examples, "tokens": passes, "device": "cpu"}
    elif artifact.stage == "pretrain":
        flop = 6 * cost.parameters_of(artifact) * artifact.spec["tokens"]
        measured = {"tokens": artifact.spec["tokens"], "device": "cpu"}
    elif artifact.stage == "data":
        counts = {"parts": {part: {"examples": examples} for part in ("weak", "strong")}}
        measured = {"counts": counts}
    record = {
        "stage": artifact.stage,
        "key": artifact.key,
        "spec": artifact.spec,
        "parents": {role: parent.key for role, parent in artifact.parents.items()},
        "measured": {**measured, "flop": flop, "seconds": flop / SPEED if flop else 3.0},
        "made_with": {"peak_memory_mib": 700},
    }
    path = Path(artifact.manifest)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))


def needed(workflow: Workflow, figure: str = "fig5") -> list[Artifact]:
    return list(with_ancestors(workflow.figure(figure)).values())


def test_jobs_like_finished_ones_take_as_long_in_proportion_to_their_work(workflow: Workflow) -> None:
    plan = workflow.default
    pretend(plan.nlp.data("sciq", 0))
    pretend(plan.nlp.truth("sciq", "w8", 0))
    model = cost.Model(cost.past(Path("results")))
    small, large = (model.estimate(plan.nlp.truth("sst2", rung, 0)) for rung in ("w8", "w16"))
    known = cost.past(Path("results")).jobs["finetune"][0]
    assert model.device == "cpu"
    assert model.estimate(plan.nlp.student("sciq", "w8", "w8", "naive", 0)).seconds == pytest.approx(known.seconds)
    ratio = cost.parameters_of(plan.nlp.model("w16")) / cost.parameters_of(plan.nlp.model("w8"))
    assert large.seconds / small.seconds == pytest.approx(ratio)


def test_what_is_there_costs_nothing_more(workflow: Workflow) -> None:
    before = cost.summed(needed(workflow), cost.Model(cost.Past()))
    pretend(workflow.default.truth("sciq", "w16", 0))
    after = cost.summed(needed(workflow), cost.Model(cost.Past()))
    assert [one.jobs for one in before] == [one.jobs for one in after]
    assert sum(one.there for one in before) == 0
    assert [(one.stage, one.rung) for one in after if one.there] == [("finetune", "w16")]
    assert sum(one.seconds for one in after) < sum(one.seconds for one in before)


def test_texts_of_another_source_say_nothing_of_length(workflow: Workflow, tiny_config: dict[str, Any]) -> None:
    """The micro-world's short BoolQ does not make the real one look cheap."""
    plan = workflow.default
    pretend(plan.nlp.data("sciq", 0))
    pretend(plan.nlp.truth("sciq", "w8", 0), tokens=7)
    past = cost.past(Path("results"))
    assert past.tokens_of_an_example(plan.nlp.truth("sciq", "w16", 0)) == 7
    assert past.tokens_of_an_example(plan.nlp.truth("sst2", "w16", 0)) == cost.INVENTED["world"][0]
    assert cost.kind_of("nlp/sciq/data", {"rows": {"hub": "allenai/sciq"}}) != cost.kind_of(
        "nlp/sciq/data", plan.nlp.data("sciq", 0).spec
    )


def test_a_device_without_a_past_is_assumed_and_says_so(workflow: Workflow) -> None:
    pretend(workflow.default.truth("sciq", "w8", 0))
    past = cost.past(Path("results"))
    learned, assumed = cost.Model(past), cost.Model(past, "h100")
    assert (learned.learned, learned.is_gpu) == (True, False)
    assert (assumed.learned, assumed.is_gpu) == (False, True)
    text = cost.table(cost.summed(needed(workflow), assumed), assumed, "fig5")
    assert "nothing was made on 'h100' yet: times assume" in text
    assert "GPU-h in all" in text
    with pytest.raises(UserError, match=r"unknown device 'h1000'; did you mean 'h100'"):
        cost.Model(past, "h1000")


def test_what_several_gpus_took_tells_what_one_takes(workflow: Workflow) -> None:
    plan = workflow.default
    pretend(plan.nlp.data("sciq", 0))
    run = plan.nlp.truth("sciq", "w16", 0)
    pretend(run)
    manifest = Path(run.manifest)
    record = json.loads(manifest.read_text())
    alone = record["measured"]["seconds"]
    record["measured"] |= {"seconds": alone / 2, "processes": 2}
    manifest.write_text(json.dumps(record))
    model = cost.Model(cost.past(Path("results")))
    like = plan.nlp.student("sciq", "w8", "w16", "naive", 0)
    assert model.estimate(like).seconds == pytest.approx(alone)
    spread = replace(like, environment={"gpus": 2})
    assert model.estimate(spread).seconds == pytest.approx(alone / 2)
    assert model.estimate(spread).gpus == 2


def test_several_gpus_share_the_work_and_the_weights(tiny_config: dict[str, Any]) -> None:
    def ladder(gpus: int) -> list[dict[str, Any]]:
        shared = {"revision": "a" * 40, "tokens": 10**9, "learning_rate": 1e-5}
        return [
            {"name": "o1", "source": "some/small", "parameters": 10**9, **shared},
            {"name": "o2", "source": "some/large", "parameters": 10**10, "gpus": gpus, **shared},
        ]

    hours = []
    for gpus in (1, 4):
        config = deep_merge(tiny_config, {"nlp": {"ladder": ladder(gpus)}})
        sums = cost.summed(needed(Workflow(config)), cost.Model(cost.Past(), "h100"))
        hours.append({one.rung: one.hours for one in sums if one.stage == "finetune"})
        assert max(one.memory for one in sums) == pytest.approx(1.2 * 16 * 10**10 / gpus)  # of one of them
    assert hours[0]["o2"] < hours[1]["o2"] < 2 * hours[0]["o2"]  # each of four has to start
    assert hours[1]["o1"] == hours[0]["o1"]


def test_a_judge_costs_what_it_reads_and_several_gpus_share_it(workflow: Workflow) -> None:
    elo = workflow.default.difficulty.elo("sciq", 0)
    model = cost.Model(cost.Past(), "cpu")
    questions, tokens = 2 * cost.INVENTED["world"][1], cost.INVENTED["world"][0]
    parameters = cost.parameters_of(elo.parents["model"])
    alone = model.estimate(elo)
    assert alone.flop == cost.READING * parameters * questions * tokens
    by_prompt = replace(elo, spec={**elo.spec, "by": "prompt"})
    longer = 2 * tokens + judge.ROOM
    assert model.estimate(by_prompt).flop == cost.READING * parameters * questions * elo.spec["rounds"] * longer
    four = model.estimate(replace(elo, environment={"gpus": 4}))
    assert four.seconds - cost.STARTING == pytest.approx((alone.seconds - cost.STARTING) / 4)


def test_memory_is_of_weights_as_they_are_loaded(workflow: Workflow) -> None:
    """Of bfloat16 rungs base weights are so where they are frozen under adapters; a judge's never are."""
    plan, billion = workflow.default, 10**9
    base = replace(plan.nlp.model("w8"), environment={"parameters": billion})
    model = cost.Model(cost.Past(), "h100")

    def bytes_of(run: Artifact, **spec: Any) -> tuple[float, float]:
        parents = {**run.parents, "model": base}
        found = model.estimate(replace(run, spec={**run.spec, **spec}, parents=parents))
        return round(found.memory / billion / 1.2, 6), round(found.host / billion / 1.2, 6)

    run, elo = plan.nlp.truth("sciq", "w8", 0), plan.nlp.difficulty.elo("sciq", 0)
    adapted = {"precision": "bfloat16", "adapters": {"rank": 8}}
    assert bytes_of(run) == bytes_of(run, precision="bfloat16") == (16, 4)
    assert bytes_of(run, **adapted) == (2, 2)
    assert bytes_of(elo) == bytes_of(elo, precision="bfloat16") == (4, 4)
    prompted = plan.nlp.prompting.zero_shot("sciq", "w8", 0)
    assert bytes_of(prompted, precision="bfloat16") == (4, 4)
    assert bytes_of(prompted, **adapted) == (2, 2)
    writing = next(one for one in needed(workflow, "fig10") if one.stage == "writing")
    assert bytes_of(writing) == (16, 8)  # it is read once more, to be written


def test_with_adapters_a_finished_run_takes_itself_as_long(workflow: Workflow) -> None:
    """Records count operations as if all weights were trained, estimates do not."""
    plan = workflow.default
    run = plan.nlp.truth("sciq", "w16", 0)
    run = replace(run, spec={**run.spec, "adapters": {"rank": 2, "alpha": 4.0}})
    pretend(plan.nlp.data("sciq", 0))
    pretend(run)
    past = cost.past(Path("results"))
    (known,) = past.jobs["finetune"]
    assert known.parameters == pytest.approx(cost.parameters_of(plan.nlp.model("w16")))
    found = cost.Model(past).estimate(run)
    assert found.flop == pytest.approx(known.flop)
    assert found.seconds == pytest.approx(known.seconds)


def test_generative_finetuning_learns_both_halves(workflow: Workflow) -> None:
    writing = next(one for one in needed(workflow, "fig10") if one.stage == "writing")
    data = writing.parents["data"]
    halves = sum(cost.examples_of(writing, part) for part in ("weak", "strong"))
    tokens = cost.Past().tokens_of_an_example(writing)
    passes = writing.spec["training"]["epochs"] * halves * tokens
    assert data.stage == "preferences"
    parameters = cost.parameters_of(writing.parents["model"])
    assert cost.Model(cost.Past(), "cpu").estimate(writing).flop == 6 * parameters * passes


def test_sizes_stand_in_for_data_that_is_not_built(workflow: Workflow) -> None:
    plan = workflow.default
    run = plan.nlp.truth("sciq", "w8", 0)
    assert cost.examples_of(run) == cost.INVENTED["world"][1]
    pretend(plan.nlp.data("sciq", 0), examples=77)
    assert cost.examples_of(run) == 77
    assert cost.examples_of(plan.chess.truth("puzzles", "c8", 0)) == 32


def test_a_manifest_that_cannot_be_read_is_left_out(workflow: Workflow) -> None:
    run = workflow.default.truth("sciq", "w8", 0)
    pretend(run)
    Path(run.manifest).write_text("{}")
    assert cost.past(Path("results")).jobs == {}


def test_manifests_are_read_once(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = workflow.default
    pretend(plan.nlp.data("sciq", 0))
    pretend(plan.nlp.truth("sciq", "w8", 0))
    first = cost.past(Path("results"), cost.REMEMBERED)
    assert {stage: len(jobs) for stage, jobs in first.jobs.items()} == {"data": 1, "finetune": 1}
    read: list[Path] = []
    whole = cost._finished

    def watched(record: dict[str, Any], path: Path) -> cost.Finished:
        read.append(path)
        return whole(record, path)

    monkeypatch.setattr(cost, "_finished", watched)
    assert cost.past(Path("results"), cost.REMEMBERED) == first
    pretend(plan.nlp.truth("sciq", "w16", 0))
    assert len(cost.past(Path("results"), cost.REMEMBERED, look=False).jobs["finetune"]) == 1
    assert len(cost.past(Path("results"), cost.REMEMBERED).jobs["finetune"]) == 2
    assert read == [Path(plan.nlp.truth("sciq", "w16", 0).manifest).relative_to("results")]
    shutil.rmtree(plan.nlp.truth("sciq", "w8", 0).path)
    assert len(cost.past(Path("results"), cost.REMEMBERED).jobs["finetune"]) == 1
    cost.REMEMBERED.write_text("{")  # half of it
    assert len(cost.past(Path("results"), cost.REMEMBERED).jobs["finetune"]) == 1


def test_a_prompted_model_costs_by_its_size_and_by_how_much_it_reads(workflow: Workflow) -> None:
    prompting = workflow.default.prompting
    small, large = (prompting.zero_shot("sciq", rung, 0) for rung in ("w8", "w16"))
    shots = prompting.truth("sciq", "w16", 0)
    model = cost.Model(cost.Past(), "cpu")
    work = [model.estimate(run).flop for run in (small, large, shots)]
    ratio = cost.parameters_of(large.parents["model"]) / cost.parameters_of(small.parents["model"])
    assert work[1] / work[0] == pytest.approx(ratio)
    assert work[2] / work[1] == pytest.approx(prompting.setting.draws * (1 + prompting.setting.shots))
    assistant = workflow.default.sandwiching.assistant("sciq", "w8", "w16", "zero-shot", 0)  # answers all parts
    assert model.estimate(assistant).flop > work[1]
    finished = cost.Finished("k", "prompt", "", "cpu", 0, 0, 8.0, 0, 1e9, 0, model="m", texts=work[0] / ratio)
    base = cost.Finished("m", "pretrain", "", "cpu", cost.parameters_of(small.parents["model"]), 1, 1, 0, 1e9, 0)
    past = cost._together([finished, base])
    assert past.jobs["prompt"][0].parameters == base.parameters
    assert past.jobs["prompt"][0].flop == cost.READING * base.parameters * finished.texts * cost.TOKENS["nlp"]


def test_the_check_compares_what_was_foreseen_with_what_was_measured(workflow: Workflow) -> None:
    plan = workflow.default
    runs = [plan.nlp.truth(task, "w8", 0) for task in ("sciq", "sst2")]
    runs += [plan.nlp.student("sciq", "w8", "w8", method, 0) for method in ("naive", "confidence")]
    pretend(plan.nlp.data("sciq", 0))
    for run, off in zip(runs, (1.0, 1.9, 2.1, 0.4), strict=True):
        pretend(run)
        record = json.loads(Path(run.manifest).read_text())
        seconds = record["measured"]["seconds"] / off
        record["made_with"]["estimated"] = {"seconds": seconds, "memory_mib": 600, "device": "cpu"}
        Path(run.manifest).write_text(json.dumps(record))
    past = cost.past(Path("results"))
    lines = [line.split() for line in cost.check(needed(workflow), past).splitlines()]
    assert lines[3] == ["data", "1", "0", "0%", "6.00", "100%"]  # three seconds, and without a past half a one
    assert lines[4] == ["finetune", "4", "4", "50%", "100%", "75%", "1.00", "100%"]  # sst2 was not counted
    assert lines[-1][:5] == ["all", "5", "4", "50%", "100%"]
    with pytest.raises(UserError, match="no job of these figures is finished on 'cpu'"):
        cost.check(needed(workflow), cost.Past())


def test_the_command_says_what_a_figure_costs(tiny_config: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    Path("config.yaml").write_text(json.dumps(tiny_config))
    assert commands.main(["cost", "fig5", "figures/fig4.pdf", "--device", "a100"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "fig5, fig4"
    assert said[-2].split()[:2] == ["all", "31"]
    assert commands.main(["cost", "fig55"]) == 1
    assert "unknown figure 'fig55'" in capsys.readouterr().err
