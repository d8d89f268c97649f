"""What tests share: the smoke experiment, a tiny one that trains in seconds, and a folder to run it in."""

from __future__ import annotations

import copy
import os
import subprocess
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests import forked
from w2s.config.files import deep_merge, read_yaml
from w2s.errors import UserError
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan

hypothesis.settings.register_profile("untimed", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("untimed")

# Nothing has imported torch or numpy yet. Two processes of tests, each with a thread for every core, would only wait.
os.environ.setdefault("OMP_NUM_THREADS", "1")
ROOT = Path(__file__).resolve().parent.parent
FAST = "not workflow and not slow"
UNMARKED = "it runs Snakemake: mark this test as workflow"
REAL_DATA = Path(os.environ.get("W2S_REAL_DATA", "")).resolve()  # samples of the real data sets, a folder for each
REAL_MODELS = Path(os.environ.get("W2S_REAL_MODELS", "")).resolve()  # real pretrained models, a folder for each
needs_real_models = pytest.mark.skipif(
    "W2S_REAL_MODELS" not in os.environ, reason="W2S_REAL_MODELS is not set: no real model"
)
needs_real_data = pytest.mark.skipif("W2S_REAL_DATA" not in os.environ, reason="W2S_REAL_DATA is not set: no real data")
TINY: dict[str, Any] = {
    "experiment": "tiny",
    "seeds": [0],
    "data": {
        "world": {"people": 12, "adjectives": 48, "verbs": 24, "deeds": 24, "nouns": 24},
        "sizes": {"train": 600, "test": 60, "validation_share": 0.25},
    },
    "nlp": {
        "tasks": ["sciq", "sst2"],
        "ladder": [
            {
                "name": name,
                "width": width,
                "layers": 1,
                "heads": 2,
                "tokens": 20_000,
                "pretraining_learning_rate": 1e-2,
                "learning_rate": 1e-3,
            }
            for name, width in (("w8", 8), ("w16", 16))
        ],
        "pretraining": {"documents": 2000, "vocabulary": 384, "block": 64},
        "probing": {"errors": {"features": [2, 4, 8], "noised": 4}, "students": {"epochs": 10}},
    },
    "chess": {
        "games": {"count": 400},
        "puzzles": {"count": 130},
        "sizes": {"weak": 32, "strong": 32, "step": 32, "test": 20, "subset": None},
        "ladder": [
            {
                "name": name,
                "width": width,
                "layers": 1,
                "heads": 2,
                "tokens": 10_000,
                "pretraining_learning_rate": 1e-2,
                "learning_rate": 1e-3,
            }
            for name, width in (("c8", 8), ("c12", 12), ("c16", 16))
        ],
        "chains": [["c8", "c12", "c16"]],
        "training": {"epochs": 2},
    },
    "vision": {
        "train": 120,
        "test": 40,
        "supervisor": {"trained": {"epochs": 2}},
        "ladder": [
            {"name": name, "trained": {"width": width, "epochs": 1, "learning_rate": 3e-3}, "epochs": 2}
            for name, width in (("v2", 2), ("v4", 4))
        ],
    },
    "reward": {
        "world": {"pairs": 80, "test": 20, "words": 24, "people": 12},
        "ladder": [
            {
                "name": name,
                "width": width,
                "layers": 1,
                "heads": 2,
                "tokens": 10_000,
                "pretraining_learning_rate": 1e-2,
                "learning_rate": 1e-3,
            }
            for name, width in (("p8", 8), ("p12", 12))
        ],
        "generative": {"batch": 16},
        "pretraining": {"documents": 400, "vocabulary": 300, "block": 64},
        "training": {"batch": 4, "evaluations_per_epoch": 4},
    },
}


# -- tiers -------------------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Plain ``pytest`` runs the fast tests; where files or folders are named, all that they hold."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS and not config.option.markexpr:
        config.option.markexpr = FAST


class WithoutSnakemake(subprocess.Popen[Any]):
    """What starts processes in tests that are not marked ``workflow``."""

    def __init__(self, args: Any, *more: Any, **options: Any) -> None:
        if not isinstance(args, str) and "snakemake" in (Path(os.fspath(word)).name for word in args):
            pytest.fail(UNMARKED)
        super().__init__(args, *more, **options)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """A test that runs Snakemake without saying so fails."""
    with pytest.MonkeyPatch.context() as patch:
        if item.get_closest_marker("workflow") is None:
            patch.setattr(subprocess, "Popen", WithoutSnakemake)
            patch.setattr(forked, "snakemake", lambda *_: pytest.fail(UNMARKED))
        return (yield)


# -- experiments -------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def smoke_config() -> dict[str, Any]:
    return read_yaml(ROOT / "config.yaml")


@pytest.fixture
def config(smoke_config: dict[str, Any]) -> dict[str, Any]:
    """A copy of the smoke config, to be changed by a test."""
    return copy.deepcopy(smoke_config)


@pytest.fixture(scope="session")
def smoke(smoke_config: dict[str, Any]) -> Plan:
    return plan_of(smoke_config, "config.yaml")


@pytest.fixture(scope="session")
def tiny_config(smoke_config: dict[str, Any]) -> dict[str, Any]:
    return deep_merge(smoke_config, TINY)


@pytest.fixture(scope="session")
def tiny(tiny_config: dict[str, Any]) -> Plan:
    return plan_of(tiny_config, "tiny")


def refused(config: dict[str, Any], said: Sequence[str]) -> None:
    """A mistake is one line that names the file and says all of this."""
    with pytest.raises(UserError) as caught:
        plan_of(config, "config.yaml", ROOT)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("config.yaml: ")
    for part in said:
        assert part in message, message
