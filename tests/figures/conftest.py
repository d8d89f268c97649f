"""Plans of several shapes, and what is known of the experiment when a figure is drawn."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.figures.fake import Fake, halfway
from w2s import figures
from w2s.config.files import deep_merge
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.nlp.tasks import TOPICS

Shape = Callable[..., Plan]


CHESS = ("fig4", "fig14", "fig15", "fig19", "fig20")  # figures of chess alone
REWARD = ("fig7", "fig10", "fig16", "fig17", "fig18", "preference")  # and of reward modelling


def sections(name: str) -> dict[str, bool]:
    """The sections that a figure's experiment must have beside NLP's."""
    return {"chess": name in CHESS, "reward": name in REWARD}


def ladder(rungs: int, without_truth: int | None = None, letter: str = "w") -> list[dict[str, Any]]:
    shape = {"layers": 2, "heads": 2, "pretraining_learning_rate": 1e-3, "learning_rate": 1e-3, "tokens": 10**6}
    return [
        {"name": f"{letter}{16 + 8 * place}", "width": 16 + 8 * place, **shape, "truth": place != without_truth}
        for place in range(rungs)
    ]


@lru_cache(maxsize=32)
def planned(config: str, root: Path) -> Plan:
    """The plan of a config as JSON, the same object for all tests of a process that ask for it. Nothing changes it."""
    return plan_of(json.loads(config), "shape", root)


@lru_cache(maxsize=128)
def tabulated(figure: str, plan: Plan) -> pd.DataFrame:
    return pd.DataFrame(figures.numbers(figure, plan, Fake(halfway(plan))))


@pytest.fixture
def shape(smoke_config: dict[str, Any]) -> Shape:
    """Make a plan from the smoke config with this many tasks, rungs and seeds, and anything else laid over it.

    chess, reward: whether there is such a section too, with a ladder of the same shape.
    """

    def make(
        *,
        tasks: int = 4,
        rungs: int = 4,
        seeds: int = 2,
        without_truth: int | None = None,
        chess: bool = False,
        reward: bool = False,
        laid_over: dict[str, Any] | None = None,
        **more: Any,
    ) -> Plan:
        names = list(TOPICS)[:tasks]
        studies = {
            name: {**smoke_config["nlp"][name], "seeds": None}
            for name in ("difficulty", "errors", "sandwiching", "fewer_labels", "shift")
        }
        if "tasks" not in more.get("nlp", {}):
            studies["shift"]["tests"] = [{"task": names[0], "other": "sciq"}]
        own = {
            **studies,
            "tasks": names,
            "ladder": ladder(rungs, without_truth),
            "supervisors": None,
            "representative": None,
        }
        overlay: dict[str, Any] = {
            "seeds": list(range(seeds)),
            "nlp": {**own, "methods": ["naive", "confidence"], "example": {}},
        }
        overlay["nlp"] |= {
            "prompting": {"tasks": None if "tasks" in more.get("nlp", {}) else names, "seeds": None},
            "probing": {"seeds": None, "errors": {"features": [2, 4, 6, 8, 12], "noised": 8}},
        }
        section = {
            "ladder": ladder(rungs, without_truth, "c"),
            "notation": "position",
            "seeds": None,
            "sizes": {"weak": 40, "strong": 40, "steps": 2, "step": 40, "test": 40, "subset": 40},
        }
        overlay |= {"chess": section if chess else None}
        modelling: dict[str, Any] = {
            "ladder": ladder(rungs, without_truth, "r"),
            "seeds": None,
            "supervisors": None,
            "example": {},
        }
        overlay |= {"reward": modelling if reward else None}
        config = deep_merge(deep_merge(smoke_config, overlay), more | (laid_over or {}))
        return planned(json.dumps(config), Path.cwd())

    return make


def about(plan: Plan, *, real: bool | None = None, **more: Any) -> dict[str, Any]:
    """real: whether the data pass for real; by default with the paper's results, which are drawn beside such only."""
    found = plan.experiment.model_dump(mode="json") | {"commit": "0123456789"} | more
    if plan.experiment.overlay_paper if real is None else real:
        found["data"] = found["data"] | {"source": "hub"}
        for name, place in (("chess", "puzzles"), ("vision", "images")):
            if found[name]:
                found[name] = found[name] | {place: found[name][place] | {"source": "hub"}}
        found["reward"] = found["reward"] and found["reward"] | {"source": "hub"}
    return found


def numbers(figure: str, plan: Plan) -> pd.DataFrame:
    """A figure's table of invented results, for a test to change as it likes."""
    return tabulated(figure, plan).copy()
