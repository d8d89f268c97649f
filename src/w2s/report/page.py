"""The report of an experiment: verdicts, figures, cost and provenance in one self-contained HTML page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from w2s.analysis.aggregate import without_aggregates
from w2s.claims.evaluate import Judged
from w2s.figures import text
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.cost import duration, size
from w2s.report import claims, deviations, elicited, pictures, provenance
from w2s.report.made import Made, Work, gather, in_words, stages
from w2s.report.reading import describe
from w2s.report.rendering import Cell, count, render

NAMED = 30  # failed or missing jobs are listed up to this number


@dataclass(frozen=True)
class Shown:
    """A figure of the report. runs: what it reads; files: its pictures, if drawn; numbers: its table, if there."""

    name: str
    runs: Sequence[Artifact]
    files: Sequence[Path]
    numbers: pd.DataFrame | None

    @property
    def is_drawn(self) -> bool:
        """Whether there is a picture to show."""
        return any(path.is_file() for path in self.files)


@dataclass
class Report:
    """The content of the page. about: the experiment's settings, with commit and note; lacking: figure -> reason.

    deviations: title -> Markdown, from the documentation.
    """

    about: Mapping[str, Any]
    judged: Sequence[Judged]
    shown: Sequence[Shown]
    lacking: Mapping[str, str]
    deviations: Mapping[str, str]
    work: Work = field(init=False)

    def __post_init__(self) -> None:
        self.work = gather(with_ancestors(run for figure in self.shown for run in figure.runs))

    def page(self) -> str:
        """The whole page."""
        work, drawn = self.work, [figure for figure in self.shown if figure.is_drawn]
        settings = {name: value for name, value in self.about.items() if name not in ("commit", "note")}
        return render(
            "report.html.j2",
            about={"note": ""} | dict(self.about),
            claims=claims.context(self.judged, {figure.name: f"#{figure.name}" for figure in drawn}, {}),
            jobs_made=f"{len(work.made):,}",
            jobs_missing=len(work.missing),
            missing=list(work.missing.values())[:NAMED],
            computing=", ".join(f"{duration(spent)} on {name}" for name, spent in work.by_device().items()),
            device_hours="; ".join(f"{spent / 3600:,.2f} {name} hours" for name, spent in work.by_device().items()),
            dates=provenance.period(work),
            seeds=", ".join(map(str, self.about["seeds"])),
            elicited=self._elicited(),
            figures=[self._figure(figure) for figure in drawn],
            not_drawn=[figure for figure in self.shown if not figure.is_drawn],
            left_out=list(self._left_out()),
            stages=list(self._stages()),
            machines=list(provenance.machines(work, self.about)),
            models=list(provenance.models(work)),
            data_sets=list(provenance.data_sets(work)),
            settings=yaml.safe_dump(settings, sort_keys=False, width=110),
            deviations=[(title, deviations.render(words)) for title, words in self.deviations.items()],
            undefined=list(self._undefined()),
            out_of_memory=[(made.artifact.message, made.measured["out_of_memory_at"]) for made in work.memory_halved()],
        )

    def summary(self) -> str:
        """What the page shows, in a line."""
        drawn, missing = sum(figure.is_drawn for figure in self.shown), len(self.work.missing)
        words = f"{count(drawn, 'figure')}, {count(len(self.work.made), 'job')}"
        return words + (f", {missing:,} jobs missing" if missing else "")

    def _elicited(self) -> str:
        """Accuracies of the pair with the largest gap during training; "" without the tables of Figures 5 and 13."""
        numbers = {figure.name: figure.numbers for figure in self.shown}
        curves, accuracies = numbers.get("fig13"), numbers.get("fig5")
        pairs = [] if curves is None or accuracies is None else elicited.by_pair(curves, accuracies)
        return elicited.widest(pairs).in_words() if pairs else ""

    def _figure(self, figure: Shown) -> dict[str, Any]:
        needed = with_ancestors(figure.runs)
        others = {key for other in self.shown if other is not figure for key in with_ancestors(other.runs)}
        alone = len(needed.keys() - others)
        return {
            "text": describe(figure.name),
            "picture": pictures.embedded(figure.files),
            "jobs": len(needed),
            "stages": in_words(stages(needed.values())),
            "jobs_alone": f"{alone:,}" if alone else "",
            "seconds": duration(self.work.seconds(needed)),
            "numbers": _as_text(figure.numbers),
        }

    def _left_out(self) -> Iterator[tuple[str, str]]:
        for figure in self.shown:
            if not figure.is_drawn:
                yield describe(figure.name).label, "not drawn yet, or jobs that it needs are not done"
        for name, why in self.lacking.items():
            yield describe(name).label, why

    def _stages(self) -> Iterator[tuple[str, ...]]:
        made = list(self.work.made.values())
        for stage, _ in stages(one.artifact for one in made):
            yield _cost(stage.description, [one for one in made if one.artifact.stage == stage])
        if made:
            yield _cost("all", made)

    def _undefined(self) -> Iterator[tuple[str, ...]]:
        for figure in self.shown:
            table = figure.numbers
            if table is None or not {"undefined", "task"} <= set(table):
                continue
            rows = without_aggregates(table).dropna(subset=["undefined"])
            for setting, some in rows.groupby("setting", sort=False) if "setting" in rows else [("nlp", rows)]:
                bad = some[some["undefined"] > 0]
                if len(bad):
                    tasks = ", ".join(f"{task} {number}" for task, number in bad["task"].value_counts().items())
                    yield describe(figure.name).label, str(setting), f"{len(bad):,} of {len(some):,}", tasks


def _as_text(numbers: pd.DataFrame | None) -> str:
    """A figure's numbers as ``w2s table`` prints them; "" where it knows no layout for them."""
    try:
        return "" if numbers is None else "\n\n".join(text.tables(numbers))
    except (KeyError, ValueError):
        return ""


def _cost(words: str, made: Sequence[Made]) -> tuple[str, ...]:
    """A row of the table of jobs by stage."""
    flop = sum(float(one.measured.get("flop", 0)) for one in made)
    memory = max(one.memory for one in made) * 2**20
    seconds = [one.seconds for one in made]
    processor = sum(float(one.measured.get("processor_seconds", 0)) for one in made)
    return (
        words,
        f"{len(made):,}",
        *(Cell(duration(spent), spent) for spent in (sum(seconds), processor, max(seconds))),
        Cell(size(memory), memory) if memory else "",
        f"{flop:.1e}" if flop else "",
        ", ".join(dict.fromkeys(one.device for one in made)),
    )
