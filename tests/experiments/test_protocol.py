"""docs/paper-protocol.md says what the experiments resolve to, key by key."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from w2s.config.files import deep_merge, read_yaml
from w2s.experiments.experiment import Experiment
from w2s.experiments.loading import plan_of
from w2s.figures import fig19, fig20
from w2s.jobs.workflow import Workflow

PAGE = ROOT / "docs" / "paper-protocol.md"
FOLLOWING = ("nlp-paper", "reward-paper", "chess", "chess-ratings", "vision-imagenet")
SECTION = re.compile(r"\d(\.\d)*|[A-E]\.\d")  # of the paper
SIZES = re.compile(r"\| (?P<rung>\S+) \| (?P<here>-?[\d.]+) \| (?P<paper>-?[\d.]+) \|")


@dataclass(frozen=True)
class Line:
    """One row of a table: a key of an experiment."""

    experiment: str
    key: str
    value: Any
    paper: str
    section: str


def lines() -> Iterator[Line]:
    experiment = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            experiment = line.removeprefix("## ")
        elif line.startswith("| `"):
            key, value, paper, section = (cell.strip() for cell in line.strip("|").split(" | "))
            yield Line(experiment, key.strip("`"), yaml.safe_load(value.strip("`")), paper, section.strip())


LINES = list(lines())


@pytest.fixture(scope="module")
def workflow() -> Workflow:
    return Workflow(read_yaml(ROOT / "config.yaml"), ROOT)


def at(value: Any, key: str) -> Any:
    """What is at a path; ``*`` is every item of a list."""
    first, _, rest = key.partition(".")
    if not first:
        return value
    if first == "*":
        return [at(item, rest) for item in value]
    return at(value[first], rest)


@pytest.mark.parametrize("line", LINES, ids=[f"{line.experiment}:{line.key}" for line in LINES])
def test_a_line_says_what_the_experiment_resolves_to(workflow: Workflow, line: Line) -> None:
    resolved = workflow.plan(line.experiment).experiment.model_dump(mode="json", by_alias=True)
    assert at(resolved, line.key) == line.value
    assert line.paper


@pytest.mark.parametrize("experiment", FOLLOWING)
def test_every_experiment_of_the_paper_has_a_table_with_sections(experiment: str) -> None:
    named = [line for line in LINES if line.experiment == experiment]
    assert len(named) >= 5
    for line in named:
        assert SECTION.search(line.section) or "Figure" in line.section or "one run per cell" in line.paper, line.key


@pytest.mark.parametrize("experiment", ["nlp-paper", "reward-paper"])
def test_rungs_are_at_the_stated_compute_and_near_the_papers(workflow: Workflow, experiment: str) -> None:
    table = PAGE.read_text(encoding="utf-8").split(f"| rung of {experiment} |")[1].split("\n\n")[0]
    said = [(row["rung"], float(row["here"]), float(row["paper"])) for row in SIZES.finditer(table)]
    resolved: Experiment = workflow.plan(experiment).experiment
    section = getattr(resolved, experiment.removesuffix("-paper"))
    assert [rung for rung, _, _ in said] == [rung.name for rung in section.ladder]
    for rung, (name, here, paper) in zip(section.ladder, said, strict=True):
        assert math.log10(section.compute(rung) / resolved.gpt4_compute) == pytest.approx(here, abs=0.005), name
        assert abs(here - paper) < (1.0 if paper == 0 else 0.2), name


def test_pairs_are_as_many_as_the_papers(workflow: Workflow) -> None:
    """29 with same-size ones in NLP and reward modelling, 35 in chess; 21, 24 and 28 of them have a PGR."""
    for experiment, pairs, with_pgr in (("nlp-paper", 29, 21), ("reward-paper", 29, 24), ("chess", 35, 28)):
        resolved = workflow.plan(experiment).experiment
        section = getattr(resolved, experiment.removesuffix("-paper"))
        found = section.pairs()
        assert len(found) == pairs
        assert sum(weak is not strong and strong.truth for weak, strong in found) == with_pgr


def test_figures_19_and_20_are_planned_on_rated_puzzles(tmp_path: Path) -> None:
    """Appendix C.1 on the Lichess dump: every rung on all, hard and six easy training sets, and without training."""
    config = deep_merge(read_yaml(ROOT / "config.yaml"), read_yaml(ROOT / "config" / "chess-ratings.yaml"))
    for kind in ("games", "puzzles"):  # the plan reads who they are, not what is in them
        (tmp_path / kind).write_bytes(b"content")
        config["chess"][kind]["paths"] = [str(tmp_path / kind)]
    plan = plan_of(config, "config.yaml", ROOT)
    methods = Counter(run.method for run in {*fig19.needs(plan), *fig20.needs(plan)})
    easy = [f"below-{rating}" for rating in (800, 900, 1000, 1100, 1200, 1300)]
    # `all` is the ground-truth run: it has as many puzzles of any rating.
    assert methods == dict.fromkeys(["naive", "hard", *easy, "zero-shot"], 8)
    subsets = plan.chess.data(0).spec["subsets"]
    assert subsets == {"all": 50_000, "hard": 50_000, "below-800": 25_000} | dict.fromkeys(easy[1:], 50_000)
