"""A report of an experiment that was never run: its numbers, pictures and manifests are made up."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from tests.figures.fake import Fake, halfway
from w2s import claims, figures
from w2s.claims import evaluate
from w2s.claims.claim import FAILS, HOLDS, OPEN, Finding
from w2s.claims.evaluate import Judged, on_paper
from w2s.experiments.plan import Plan
from w2s.figures import hover
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.report import page

SHOWN = ("fig5", "table1", "fig12")
DEVIATIONS = {"": "# Title\n\n| point | the paper | here |\n|---|---|---|\n| seeds | one | two `seeds` |\n"}
"""A title, and a table as in docs/deviations.md."""


def numbers(name: str, plan: Plan) -> pd.DataFrame:
    """The table behind a figure, where students get half way to their ceiling."""
    return pd.DataFrame(figures.numbers(name, plan, Fake(halfway(plan))))


def picture(folder: Path, name: str, kinds: Sequence[str] = ("svg", "png"), *, points: int = 3) -> None:
    """Something drawn, in every kind that is asked for."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(7, 3))
    panel = figure.subplots()
    for number in range(points):
        drawn = panel.plot([0, 1, 2], [number, number + 1, number], marker="o")
        hover.say(drawn, [f"line {number}, point {point} <b>" for point in range(3)])
    for kind in kinds:
        figure.savefig(folder / f"{name}.{kind}", dpi=160)
        if kind == "svg":
            path = folder / f"{name}.svg"
            path.write_bytes(hover.titled(path.read_bytes(), figure))


def record(artifact: Artifact, **measured: Any) -> dict[str, Any]:
    """A manifest of an artifact, by what is read of it."""
    return {
        "stage": artifact.stage.id,
        "files": {"examples.parquet": "0123456789abcdef"},
        "measured": {"seconds": 2.0, "processor_seconds": 1.5, "flop": 1e9} | measured,
        "made_with": {
            "commit": "abc1234",
            "finished": "2026-01-02T03:04:05+00:00",
            "python": "3.11.7",
            "versions": {"torch": "2.13.0", "numpy": "2.4.6"},
            "machine": "Linux x86_64",
            "peak_memory_mib": 100,
        },
    }


def finish(artifacts: Mapping[str, Artifact], **measured: Any) -> None:
    """Write manifests below the working directory."""
    for artifact in artifacts.values():
        path = Path(artifact.manifest)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record(artifact, **measured)))


def needed(plan: Plan, names: Sequence[str] = SHOWN) -> dict[str, Artifact]:
    """All that figures need, by key."""
    return with_ancestors(run for name in names for run in figures.module(name).needs(plan))


def judged() -> list[Judged]:
    """Every claim: the paper's own number with an interval about it, some without, some without number."""
    made = []
    for number, claim in enumerate(claims.everything()):
        paper = on_paper(claim)
        ours = Finding(OPEN, reason="this experiment has no <figure>")
        if number % 3 and not math.isnan(paper.value):
            verdict = HOLDS if number % 3 == 1 else FAILS
            ours = Finding(verdict, paper.value, paper.value - 0.05, paper.value + 0.05, "bootstrap over 8 tasks")
        made.append(Judged(claim, ours, paper, "3.4 points from 160 test examples"))
    return made


def report(plan: Plan, folder: Path, **more: Any) -> page.Report:
    """A report of some figures. folder: where their pictures are."""
    tables = {name: numbers(name, plan) for name in SHOWN}
    about = plan.experiment.model_dump(mode="json", exclude={"execution"})
    rows: dict[str, list[Any]] = {name: table.to_dict("records") for name, table in tables.items()}
    given: dict[str, Any] = {
        "about": about | {"commit": "fff0000", "note": "small synthetic world"},
        "judged": evaluate.on_tables(plan, about, rows),
        "shown": [
            page.Shown(
                name,
                list(figures.module(name).needs(plan)),
                [folder / f"{name}.svg", folder / f"{name}.png"],
                tables[name],
            )
            for name in SHOWN
        ],
        "lacking": {"fig4": "experiment 'tiny' has no <chess> section"},
        "deviations": DEVIATIONS,
    }
    return page.Report(**(given | more))
