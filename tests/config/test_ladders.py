"""Ladders that ship: in order, one way of finetuning each, parameters as the published shapes have them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from w2s.config.ladder import OpenRung
from w2s.errors import UserError
from w2s.experiments.loading import plan_of, shipped
from w2s.models.plan import computed, open_model

SHIPPED = shipped(ROOT)
RUNGS = {name: OpenRung.model_validate(rung) for name, rung in SHIPPED.rungs.items() if "source" in rung}
LADDERS = {  # of open models
    name: [OpenRung.model_validate(rung) for rung in rungs]
    for name, rungs in SHIPPED.ladders.items()
    if "source" in rungs[0]
}
each_ladder = pytest.mark.parametrize("name", LADDERS)
GPT4 = 2.1e25  # FLOP
LARGEST_GPU = 80e9  # bytes, of those that the headers of the files speak of


@dataclass(frozen=True)
class Shape:
    """Published dimensions of a decoder with gated feed-forward layers and RMS norms.

    norms: vectors of the model's width in each layer; others: further weights of each layer (biases, norms of queries
    and keys).
    """

    vocabulary: int
    width: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    tied: bool
    head: int | None = None
    norms: int = 2
    others: int = 0

    def parameters(self) -> int:
        """All weights, a tied embedding once."""
        head = self.head or self.width // self.heads
        attention = 2 * self.width * head * (self.heads + self.kv_heads)
        layer = attention + 3 * self.width * self.intermediate + self.norms * self.width + self.others
        return self.vocabulary * self.width * (1 if self.tied else 2) + self.layers * layer + self.width


SHAPES = {
    "smollm2-135m": Shape(49152, 576, 30, 9, 3, 1536, tied=True),
    "smollm2-360m": Shape(49152, 960, 32, 15, 5, 2560, tied=True),
    "smollm2-1.7b": Shape(49152, 2048, 24, 32, 32, 8192, tied=True),
    "olmo2-1b": Shape(100352, 2048, 16, 16, 16, 8192, tied=False, others=2 * 2048),
    "olmo2-7b": Shape(100352, 4096, 32, 32, 32, 11008, tied=False, others=2 * 4096),
    "olmo2-13b": Shape(100352, 5120, 40, 40, 40, 13824, tied=False, others=2 * 5120),
    "olmo2-32b": Shape(100352, 5120, 64, 40, 8, 27648, tied=False, others=5120 + 1024),
    "qwen2.5-0.5b": Shape(151936, 896, 24, 14, 2, 4864, tied=True, others=896 + 2 * 128),
    "qwen2.5-1.5b": Shape(151936, 1536, 28, 12, 2, 8960, tied=True, others=1536 + 2 * 256),
    "qwen2.5-7b": Shape(152064, 3584, 28, 28, 4, 18944, tied=False, others=3584 + 2 * 512),
    "qwen2.5-14b": Shape(152064, 5120, 48, 40, 8, 13824, tied=False, others=5120 + 2 * 1024),
    "qwen2.5-32b": Shape(152064, 5120, 64, 40, 8, 27648, tied=False, others=5120 + 2 * 1024),
    "qwen3-0.6b": Shape(151936, 1024, 28, 16, 8, 3072, tied=True, head=128, others=2 * 128),
    "qwen3-1.7b": Shape(151936, 2048, 28, 16, 8, 6144, tied=True, head=128, others=2 * 128),
    "qwen3-4b": Shape(151936, 2560, 36, 32, 8, 9728, tied=True, head=128, others=2 * 128),
    "qwen3-8b": Shape(151936, 4096, 36, 32, 8, 12288, tied=False, head=128, others=2 * 128),
    "qwen3-14b": Shape(151936, 5120, 40, 40, 8, 17408, tied=False, head=128, others=2 * 128),
    "gemma3-270m": Shape(262144, 640, 18, 4, 1, 2048, tied=True, head=256, norms=4, others=2 * 256),
    "gemma3-1b": Shape(262144, 1152, 26, 4, 1, 6912, tied=True, head=256, norms=4, others=2 * 256),
    "llama3.2-1b": Shape(128256, 2048, 16, 32, 8, 8192, tied=True),
    "llama3.2-3b": Shape(128256, 3072, 28, 24, 8, 8192, tied=True),
    "llama3.1-8b": Shape(128256, 4096, 32, 32, 8, 14336, tied=False),
    "llama3.1-70b": Shape(128256, 8192, 80, 64, 8, 28672, tied=False),
}
PYTHIA = {  # vocabulary, width, layers: GPT-NeoX, untied, with biases and layer norms
    "14m": (50304, 128, 6),
    "31m": (50304, 256, 6),
    "70m": (50304, 512, 6),
    "160m": (50304, 768, 12),
    "410m": (50304, 1024, 24),
    "1b": (50304, 2048, 16),
    "1.4b": (50304, 2048, 24),
    "2.8b": (50304, 2560, 32),
    "6.9b": (50432, 4096, 32),
    "12b": (50688, 5120, 36),
}


@each_ladder
def test_ladders_are_weakest_first(name: str) -> None:
    compute = [rung.compute(0) for rung in LADDERS[name]]
    assert compute == sorted(set(compute))


@each_ladder
def test_all_rungs_of_a_ladder_are_finetuned_in_one_way(name: str) -> None:
    """Adapters on the largest rungs alone would confound size with the way of finetuning."""
    assert len({rung.adapters for rung in LADDERS[name]}) == 1
    assert len({rung.precision for rung in LADDERS[name]}) == 1


@each_ladder
def test_adapters_are_an_alternative_to_a_ladder_of_full_weights(name: str) -> None:
    family, _, adapters = name.partition("-adapters")
    if name != family:
        assert not adapters
        assert {rung.name for rung in LADDERS[family]} <= {rung.name for rung in LADDERS[name]}
    assert all((rung.adapters is not None) == (name != family) for rung in LADDERS[name])


@each_ladder
def test_every_rung_fits_on_the_gpus_that_it_asks_for(name: str) -> None:
    """By the estimate of `w2s cost`: 16 bytes per trained parameter and 20%, or 2 per frozen one."""
    for rung in LADDERS[name]:
        each = 2.0 if rung.adapters else 16 * 1.2
        assert each * rung.parameters / rung.gpus < LARGEST_GPU, rung.name


def test_the_long_ladder_spans_the_papers_compute_but_for_its_last_decade() -> None:
    fractions = [rung.compute(0) / GPT4 for rung in LADDERS["long"]]
    assert fractions[0] < 1e-8
    assert fractions[-1] > 10**-0.8
    assert LADDERS["long-adapters"][-1].compute(0) / GPT4 > 10**-0.6


@pytest.mark.parametrize("rung", RUNGS.values(), ids=list(RUNGS))
def test_every_rung_says_its_licence_and_where_its_learning_rate_is_from(rung: OpenRung) -> None:
    assert rung.licence
    assert rung.learning_rate_from
    assert rung.gated == str(rung.source).startswith(("meta-llama/", "google/"))


@pytest.mark.parametrize("name", SHAPES)
def test_parameters_are_those_of_the_published_shape(name: str) -> None:
    assert RUNGS[name].parameters == SHAPES[name].parameters()


@pytest.mark.parametrize("size", PYTHIA)
def test_parameters_of_pythia_are_those_of_its_shape(size: str) -> None:
    vocabulary, width, layers = PYTHIA[size]
    block = 12 * width**2 + 13 * width  # weights and biases of six matrices, and two layer norms
    assert RUNGS[f"pythia-{size}"].parameters == 2 * vocabulary * width + layers * block + 2 * width


def test_early_checkpoints_are_branches_with_the_tokens_of_their_step() -> None:
    for rung in LADDERS["pythia-steps"]:
        assert rung.revision is not None
        assert rung.name == f"pythia-70m-{rung.revision}"
        assert rung.tokens == 2_097_152 * int(rung.revision.removeprefix("step"))
        assert rung.parameters == RUNGS["pythia-70m"].parameters
    assert RUNGS["pythia-70m"].tokens == 2_097_152 * 143_000


def test_what_a_rung_says_to_its_reader_moves_no_key() -> None:
    plain = RUNGS["llama3.1-8b"]
    other = plain.model_copy(update={"licence": None, "gated": False, "learning_rate_from": None})
    assert open_model(plain).key == open_model(other).key
    assert computed(plain) == computed(other)


@each_ladder
def test_ladders_are_taken_by_name(config: dict[str, Any], name: str) -> None:
    config["nlp"]["ladder"] = name
    assert list(plan_of(config, "config.yaml", ROOT).nlp.config.ladder) == LADDERS[name]


def write(root: Path, **files: str) -> None:
    (root / "config" / "ladders").mkdir(parents=True)
    for name, content in files.items():
        (root / "config" / "ladders" / f"{name}.yaml").write_text(content)


def test_a_ladder_takes_rungs_of_other_files_and_its_own_all_holds_for_them(tmp_path: Path) -> None:
    write(
        tmp_path,
        family="all: {gpus: 4, tokens: 7}\nrungs: [{name: a, source: x/a}, {name: b, source: x/b}]",
        mixed="all: {gpus: 1}\nrungs: [a, {name: b, tokens: 9}]",
    )
    found = shipped(tmp_path)
    assert found.ladders["mixed"] == [
        {"name": "a", "source": "x/a", "gpus": 1, "tokens": 7},
        {"name": "b", "source": "x/b", "gpus": 1, "tokens": 9},
    ]
    assert found.rungs["a"] == {"name": "a", "source": "x/a", "gpus": 4, "tokens": 7}


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        ("rungs: [{name: a, width: 16}]", r"config/ladders/yours.yaml: rung 'a' is also in another ladder"),
        ("rungs: [aa]", r"mine.yaml: unknown rung 'aa'; did you mean 'a'"),
        ("rungs: [7]", r"mine.yaml: expected rungs \(a list of names and mappings\)"),
    ],
)
def test_a_mistake_in_a_ladders_file_is_one_line(config: dict[str, Any], tmp_path: Path, mine: str, said: str) -> None:
    write(tmp_path, mine=mine, yours="rungs: [{name: a, width: 8}]")
    config["nlp"]["ladder"] = "yours"
    with pytest.raises(UserError, match=said):
        plan_of(config, "config.yaml", tmp_path)
