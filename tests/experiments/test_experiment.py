"""A mistake in the config is one line that names the key, the value and what is allowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, refused
from w2s.config.files import deep_merge
from w2s.errors import LackingError, UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.jobs.workflow import Workflow
from w2s.models.pretraining import new_model

Change = Callable[[dict[str, Any]], object]


def swap_rungs(config: dict[str, Any]) -> None:
    ladder = config["nlp"]["ladder"]
    ladder[0], ladder[1] = ladder[1], ladder[0]


def rate(value: float) -> Change:
    return lambda config: config["nlp"]["ladder"][0].update(learning_rate=value)


OPEN: dict[str, Any] = {"parameters": 10**9, "tokens": 10**12, "learning_rate": 1e-5}
MISTAKES: list[tuple[str, Change, list[str]]] = [
    ("unknown key", lambda c: c.update(sede=[0]), ["sede: unknown key", "did you mean 'seeds'"]),
    ("nested unknown key", lambda c: c["nlp"].update(taks=[]), ["nlp.taks: unknown key", "did you mean 'tasks'"]),
    (
        "unknown key in a rung",
        lambda c: c["nlp"]["ladder"][1].update(witdh=3),
        ["nlp.ladder.1.witdh: unknown key", "did you mean 'width'"],
    ),
    ("wrong type", lambda c: c.update(seeds=["one"]), ["seeds.0: 'one' is not allowed; allowed: a whole number"]),
    (
        "out of range",
        lambda c: c["data"]["sizes"].update(test_share=1.5),
        ["data.sizes.test_share: 1.5", "less than 1"],
    ),
    (
        "not one of a few",
        lambda c: c.update(ceiling_half="both"),
        ["ceiling_half: 'both' is not allowed", "'weak' or 'strong'"],
    ),
    (
        "unknown task",
        lambda c: c["nlp"].update(tasks=["boolq", "scqi"]),
        ["nlp.tasks[1]: unknown task of the micro-world 'scqi'", "did you mean 'sciq'"],
    ),
    (
        "unknown method",
        lambda c: c["nlp"].update(methods=["naiv"]),
        ["nlp.methods: unknown method 'naiv'", "did you mean 'naive'"],
    ),
    (
        "unknown objective",
        lambda c: c["methods"].update(mine={"objective": "confidense"}),
        ["methods.mine.objective: unknown objective 'confidense'", "did you mean 'confidence'"],
    ),
    (
        "unknown parameter",
        lambda c: c["methods"]["confidence"].update(parameters={"alpha": 1}),
        ["methods.confidence: unknown parameter 'alpha'", "alpha_max"],
    ),
    (
        "unknown rung",
        lambda c: c["nlp"].update(supervisors=["w322"]),
        ["supervisors: unknown rung (or one without truth) 'w322'", "did you mean 'w32'"],
    ),
    ("empty ladder", lambda c: c["nlp"].update(ladder=[]), ["nlp.ladder", "at least 2 items"]),
    ("one rung", lambda c: c["nlp"].update(ladder=c["nlp"]["ladder"][:1]), ["nlp.ladder", "at least 2 items"]),
    ("no supervisors", lambda c: c["nlp"].update(supervisors=[]), ["nlp.supervisors", "at least 1 item"]),
    ("infinite rate", rate(float("inf")), ["nlp.ladder.0.learning_rate", "finite number"]),
    ("rung called corpus", lambda c: c["nlp"]["ladder"][0].update(name="corpus"), ["cannot be called 'corpus'"]),
    ("too few tokens", lambda c: c["nlp"]["pretraining"].update(vocabulary=100), ["vocabulary: 100", "than 256"]),
    ("equal answers", lambda c: c["nlp"]["training"].update(answers=["a", "a"]), ["answers: 'a' is named twice"]),
    (
        "setting out of range",
        lambda c: c["methods"]["confidence"]["large"]["parameters"].update(alpha_max=75),
        ["methods.confidence.alpha_max: 75 is not allowed; allowed: 0 to 1"],
    ),
    (
        "supervisor without truth",
        lambda c: (c["nlp"]["ladder"][0].update(truth=False), c["nlp"].update(supervisors=["w32"])),
        ["supervisors: unknown rung (or one without truth) 'w32'"],
    ),
    (
        "open rung without a commit",
        lambda c: c["nlp"]["ladder"].append({"name": "gpt2", "source": "openai-community/gpt2", **OPEN}),
        ["nlp.ladder.4: revision: missing; 'openai-community/gpt2' is on the hub"],
    ),
    (
        "unknown key of an open rung",
        lambda c: c["nlp"]["ladder"].append({"name": "g", "source": "./b", **OPEN, "precison": "x"}),
        ["nlp.ladder.4.precison: unknown key; did you mean 'precision'?"],
    ),
    (
        "unknown precision",
        lambda c: c["nlp"]["ladder"].append({"name": "g", "source": "./m", **OPEN, "precision": "float16"}),
        ["nlp.ladder.4.precision: 'float16' is not allowed; allowed: 'float32' or 'bfloat16'"],
    ),
    (
        "a revision with a space",
        lambda c: c["nlp"]["ladder"].append({"name": "g", "source": "a/b", "revision": "step 5", **OPEN}),
        ["nlp.ladder.4.revision: 'step 5'", "pattern"],
    ),
    (
        "a revision that nothing reads",
        lambda c: c["nlp"].update(tasks=[{"name": "boolq", "revision": "a" * 40}]),
        ["boolq: revision has an effect only with data.source 'hub'"],
    ),
    (
        "a split of the micro-world",
        lambda c: c["nlp"].update(tasks=[{"name": "boolq", "train": "validation"}]),
        ["boolq: train and test cannot be set with the micro-world"],
    ),
    (
        "a method called truth",
        lambda c: c["methods"].update(truth={"objective": "naive"}),
        ["methods: 'truth' is taken"],
    ),
    (
        "naive that is not naive",
        lambda c: c["methods"].update(naive={"objective": "confidence"}),
        ["methods.naive.objective", "allowed: naive"],
    ),
    (
        "a rung whose name is a list",
        lambda c: c["nlp"]["ladder"].append({"name": ["a"]}),
        ["nlp.ladder: unknown rung ['a']"],
    ),
    ("a rung that is no mapping", lambda c: c["nlp"]["ladder"].append(7), ["nlp.ladder.4: 7 is not allowed"]),
    (
        "unknown ladder",
        lambda c: c["nlp"].update(ladder="pythias"),
        ["unknown ladder 'pythias'; did you mean 'pythia'"],
    ),
    (
        "unknown shipped rung",
        lambda c: c["nlp"].update(ladder=["pythia-70m", "pythia-161m"]),
        ["nlp.ladder: unknown rung 'pythia-161m'; did you mean 'pythia-16"],
    ),
    (
        "representative task that is not there",
        lambda c: c["nlp"].update(representative=["boolk"]),
        ["representative: 'boolk' is not in this experiment; did you mean 'boolq'"],
    ),
    (
        "example pair the wrong way round",
        lambda c: c["nlp"].update(example={"supervisor": "w64", "student": "w32"}),
        ["example: student 'w32' is smaller than its supervisor 'w64'"],
    ),
    (
        "no task for medians",
        lambda c: c["nlp"].update(tasks=[{"name": "boolq", "medians": False}]),
        ["tasks: none has medians: true"],
    ),
    (
        "unknown spread",
        lambda c: c.update(spread="seed"),
        ["spread: 'seed' is not allowed; allowed: 'seeds', 'tasks' or 'examples'"],
    ),
    ("ladder out of order", swap_rungs, ["ladder is weakest first", "'w32'", "follows 'w48'"]),
    ("rung twice", lambda c: c["nlp"]["ladder"].insert(0, c["nlp"]["ladder"][0]), ["ladder: 'w32' is named twice"]),
    ("duplicate seeds", lambda c: c.update(seeds=[0, 1, 0]), ["seeds: 0 is named twice"]),
    ("no seeds", lambda c: c.update(seeds=[]), ["seeds", "at least 1 item"]),
    ("directory without one", lambda c: c["data"].update(source="directory"), ["directory must name one"]),
    ("one seed", lambda c: c.update(seeds=0), ["seeds: 0 is not allowed; allowed: a list, as in [0]"]),
    (
        "a huge seed",
        lambda c: c.update(seeds=[2**63]),
        [f"seeds.0: {2**63} is not allowed; allowed: less than {2**63}"],
    ),
    ("a negative seed", lambda c: c["nlp"]["tasks"].append({"name": "boolq", "seeds": [-1]}), ["seeds.0: -1 is not"]),
    ("a huge world seed", lambda c: c["data"]["world"].update(seed=2**70), ["data.world.seed", "less than"]),
    (
        "a number that YAML reads as text",
        lambda c: c["nlp"]["ladder"][0].update(tokens="3e11"),
        [
            "nlp.ladder.0.tokens: '3e11' is not allowed; allowed: a whole number; YAML reads 3e11 as text: "
            "write 300_000_000_000"
        ],
    ),
    (
        "words that YAML reads as truth values",
        lambda c: c["nlp"]["training"].update(answers=[False, True]),
        ["nlp.training.answers.0: False is not allowed; allowed: text; YAML reads no, off and false as False: put a "],
    ),
    (
        "a truth value for a number",
        lambda c: c["nlp"]["training"].update(epochs=True),
        ["nlp.training.epochs: True is not allowed; allowed: a number; YAML reads yes, on and true as True"],
    ),
    (
        "a truth value for a whole number",
        lambda c: c["data"]["sizes"].update(train=True),
        ["data.sizes.train: True is not allowed; allowed: a whole number; YAML reads yes, on and true as True"],
    ),
    (
        "a truth value in a list of numbers",
        lambda c: c.update(seeds=[2, False]),
        ["seeds.1: False is not allowed; allowed: a whole number; YAML reads no, off and false as False"],
    ),
    (
        "a truth value in a rung",
        lambda c: c["nlp"]["ladder"][1].update(learning_rate=True),
        ["nlp.ladder.1.learning_rate: True is not allowed; allowed: a number"],
    ),
    (
        "a truth value in a method",
        lambda c: c["methods"].update(mine={"objective": "naive", "keep": {"share": True}}),
        ["methods.mine.keep.share: True is not allowed; allowed: a number"],
    ),
    (
        "a truth value for a parameter",
        lambda c: c["methods"].update(mine={"objective": "confidence", "parameters": {"alpha_max": True}}),
        ["methods.mine.alpha_max: True is not allowed; allowed: 0 to 1"],
    ),
    (
        "a number for a truth value",
        lambda c: c["nlp"]["ladder"][0].update(truth=0),
        ["nlp.ladder.0.truth: 0 is not allowed; allowed: true, false"],
    ),
    (
        "a seed that is no whole number",
        lambda c: c.update(seeds=[1.5]),
        ["seeds.0: 1.5 is not allowed"],
    ),
    ("no number", rate(float("nan")), ["nlp.ladder.0.learning_rate: nan is not allowed; allowed: a finite number"]),
    (
        "no number, as text",
        lambda c: c.update(gpt4_compute="nan"),
        ["gpt4_compute: 'nan' is not allowed"],
    ),
    ("a number for text", lambda c: c["nlp"]["ladder"][0].update(name=7), ["nlp.ladder.0.name: 7 is not allowed"]),
    (
        "a commit that YAML reads as a number",
        lambda c: c["nlp"]["tasks"].append({"name": "boolq", "revision": 10**39}),
        ["revision: 1000", "allowed: text"],
    ),
    (
        "slices of no puzzles",
        lambda c: c["chess"]["sizes"].update(steps=0, step=0),
        ["chess.sizes.step: 0 is not allowed; allowed: more than 0"],
    ),
    ("a fraction", lambda c: c["nlp"]["training"].update(batch=1.5), ["batch: 1.5 is not allowed; allowed: a whole"]),
    ("no section", lambda c: c["nlp"].update(training=3), ["nlp.training: 3 is not allowed; allowed: a section"]),
    ("missing key", lambda c: c.pop("experiment"), ["experiment: missing"]),
]


@pytest.mark.parametrize(("change", "said"), [case[1:] for case in MISTAKES], ids=[case[0] for case in MISTAKES])
def test_a_mistake_is_one_line_with_key_value_and_what_is_allowed(
    config: dict[str, Any], change: Change, said: list[str]
) -> None:
    change(config)
    refused(config, said)


@pytest.mark.parametrize(("written", "number"), [("1e-3", 1e-3), ("1.5E3", 1500.0), (2, 2.0)])
def test_numbers_may_be_written_as_people_write_them(config: dict[str, Any], written: Any, number: float) -> None:
    """YAML 1.1 reads 1e-3 as text."""
    config["nlp"]["training"]["epochs"] = written
    assert plan_of(config, "config.yaml").nlp.config.training.epochs == number


def test_text_of_the_command_line_is_read_as_numbers_and_truth_values(config: dict[str, Any]) -> None:
    """Snakemake's ``--config seeds=[0]`` hands the list over as text."""
    config.update(seeds=["0", "1"], overlay_paper="true")
    experiment = plan_of(config, "config.yaml").experiment
    assert (experiment.seeds, experiment.overlay_paper) == ((0, 1), True)


def test_a_whole_number_may_be_written_with_an_exponent(config: dict[str, Any]) -> None:
    config["nlp"]["ladder"][0]["tokens"] = 2.0e6  # what YAML reads in 2.0e+6
    assert plan_of(config, "config.yaml").nlp.config.ladder[0].tokens == 2_000_000


def test_the_smoke_config_spells_out_every_default(config: dict[str, Any], smoke: Plan) -> None:
    """A reader of config.yaml sees every key that there is."""

    def keys(section: object, prefix: str = "") -> set[str]:
        if not isinstance(section, dict) or prefix.startswith("methods."):
            return set()
        return {f"{prefix}{name}" for name in section}.union(
            *(keys(value, f"{prefix}{name}.") for name, value in section.items())
        )

    assert keys(smoke.experiment.model_dump(mode="json")) == keys(config)


def test_every_key_of_the_smoke_config_is_commented() -> None:
    """On its line or right above it; lists of rungs and the two-line objectives speak for themselves."""
    lines = (ROOT / "config.yaml").read_text().splitlines()
    silent = [
        line.strip()
        for before, line in zip(["", *lines], lines, strict=False)
        if ":" in line and "#" not in line and not before.startswith("#") and not before.lstrip().startswith("# ")
    ]
    assert [line for line in silent if not line.startswith(("- {name:", "objective:"))] == []


def test_parameters_are_counted_without_building_the_model(smoke: Plan) -> None:
    nlp = smoke.nlp.config
    for rung in nlp.ladder:
        shape = smoke.nlp.model(rung.name).spec["shape"]
        model = new_model(shape, nlp.pretraining.vocabulary, seed=0)
        counted = sum(parameter.numel() for parameter in model.parameters())
        assert rung.parameter_count(nlp.pretraining.vocabulary) == counted


def test_pairs_are_every_supervisor_with_students_at_least_as_large(smoke: Plan) -> None:
    pairs = [(weak.name, strong.name) for weak, strong in smoke.nlp.config.pairs()]
    assert len(pairs) == 4 + 3 + 2
    assert ("w32", "w32") in pairs
    assert ("w96", "w96") not in pairs


def test_ladders_are_taken_by_name_and_rungs_may_be_changed(config: dict[str, Any]) -> None:
    config["nlp"]["ladder"] = [
        "pythia-70m",
        {"name": "pythia-160m", "truth": False, "learning_rate": 1e-6},
        "pythia-410m",
    ]
    first, second, third = plan_of(config, "config.yaml", ROOT).nlp.config.ladder
    assert (first.name, first.truth, second.truth) == ("pythia-70m", True, False)
    assert second.learning_rate == 1e-6
    assert third.parameter_count(0) == 405_334_016


def test_execution_becomes_the_environment_of_jobs(config: dict[str, Any]) -> None:
    config["execution"] = {"runs_per_process": 1, "checkpoint_seconds": 5, "tokens_at_once": 512}
    variables = plan_of(config, "config.yaml").experiment.execution.variables()
    assert variables == {
        "W2S_RUNS_PER_PROCESS": "1",
        "W2S_CHECKPOINT_SECONDS": "5",
        "W2S_TOKENS_AT_ONCE": "512",
        "W2S_THREADS": "1",
        "W2S_JOBS_PER_GPU": "4",
        "W2S_COMPILE": "auto",
        "W2S_TRACKER": "",
        "W2S_PACK": "never",
        "W2S_KEEP_WEIGHTS": "never",
    }


def test_execution_is_no_part_of_any_identity(config: dict[str, Any], smoke: Plan) -> None:
    config["execution"] = {"runs_per_process": 1, "checkpoint_seconds": 5, "tokens_at_once": 512, "threads": 2}
    config["execution"]["tracker"] = "mlflow"
    other = plan_of(config, "config.yaml")
    assert [run.key for run in other.nlp.every_run()] == [run.key for run in smoke.nlp.every_run()]


def test_an_overlay_cannot_say_how_jobs_are_run(config: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config/fast.yaml").write_text("execution: {threads: 2}\n")
    with pytest.raises(UserError, match=r"fast.yaml: execution: applies to all experiments of a call"):
        Workflow(config, tmp_path).plan("fast")


def test_named_settings_are_all_that_there_are(config: dict[str, Any]) -> None:
    config["settings"] = ["chess", "vision"]
    plan = plan_of(config, "config.yaml")
    assert plan.there() == ["chess", "vision"]
    assert plan.experiment.shown() == ["chess"]  # no ladder of base models in vision: no panel
    with pytest.raises(LackingError, match="has no nlp section"):
        _ = plan.nlp


def test_invented_data_beside_real_data_is_refused_unless_named(config: dict[str, Any]) -> None:
    config["chess"]["puzzles"] = {"source": "files", "paths": ["none.csv"]}
    config["chess"]["games"] = {"source": "files", "paths": ["none.pgn"]}
    with pytest.raises(UserError, match=r"chess has real data, and nlp, vision, reward .*settings: \[chess\]"):
        plan_of(config, "config.yaml")
    config["settings"] = ["chess", "reward"]  # asked for
    assert plan_of(config, "config.yaml").there() == ["chess", "reward"]


ENTRIES: list[tuple[tuple[str, ...], str]] = [
    (("methods",), "lora"),
    (("chess", "sizes", "fewer"), "hard"),
    (("methods", "confidence", "parameters"), "warmup"),
]


@pytest.mark.parametrize(("section", "key"), ENTRIES)
def test_null_removes_an_inherited_entry_and_nothing_else(
    config: dict[str, Any], section: tuple[str, ...], key: str
) -> None:
    overlay: dict[str, Any] = {key: None}
    for name in reversed(section):
        overlay = {name: overlay}
    before, after = (
        plan_of(one, "config.yaml").experiment.model_dump(mode="json") for one in (config, deep_merge(config, overlay))
    )
    for name in section:
        before, after = before[name], after[name]
    if section[-1] == "parameters":  # the objective's own default takes the place
        assert after[key] == 0.2
    else:
        assert after == {name: value for name, value in before.items() if name != key}
