"""The report: verdicts, figures, what they took and where they come from, in one HTML page that needs nothing else."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from w2s import figures
from w2s.analysis.aggregate import INTERVAL, MEDIAN
from w2s.claims.claim import OPEN
from w2s.claims.evaluate import Judged
from w2s.figures import text
from w2s.graph.artifact import Artifact, with_ancestors
from w2s.jobs.cost import duration, size
from w2s.report import claims, html, markdown, pictures
from w2s.report.made import Made, Work, gather, in_words, stages
from w2s.report.reading import READING

SECTIONS = {
    "verdicts": "Verdicts",
    "figures": "Figures and tables",
    "work": "What it took",
    "provenance": "Where it comes from",
    "deviations": "Deviations from the paper",
    "failures": "What failed, is undefined or is left out",
    "claims": "The claims one by one",
}
ROWS = ("rows", "puzzles", "images")  # where a spec says what its rows come from
SHOWN = 30  # failed or missing jobs that are named


@dataclass(frozen=True)
class Shown:
    """A figure as far as it is there. runs: what it reads; files: its pictures; numbers: its table."""

    name: str
    runs: Sequence[Artifact]
    files: Sequence[Path]
    numbers: pd.DataFrame | None

    @property
    def is_there(self) -> bool:
        """Whether there is a picture to show."""
        return any(path.is_file() for path in self.files)


@dataclass
class Report:
    """All that the page is made from. about: the experiment's settings, with commit and note; lacking: figure -> why.

    deviations: title -> Markdown of docs.
    """

    about: Mapping[str, Any]
    judged: Sequence[Judged]
    shown: Sequence[Shown]
    lacking: Mapping[str, str]
    deviations: Mapping[str, str]
    work: Work = field(init=False)

    def __post_init__(self) -> None:
        self.work = gather(with_ancestors(run for one in self.shown for run in one.runs))

    def page(self) -> str:
        """The whole page."""
        there = {one.name: f"#{one.name}" for one in self.shown if one.is_there}
        return html.fill(
            "report",
            f"Replication report: {escape(self.about['experiment'])}",
            experiment=escape(self.about["experiment"]),
            summary=claims.summary(self.judged),
            warning=self._warning(),
            facts=self._facts(),
            contents=html.contents(SECTIONS, "Contents"),
            filters=claims.filters(self.judged),
            verdicts=claims.verdicts(self.judged, there),
            reading=claims.READING.strip(),
            figures=self._figures(),
            work=self._work(),
            provenance=self._provenance(),
            deviations=self._deviations(),
            failures=self._failures(),
            claims="\n".join(claims.detail(one, there, {}) for one in self.judged),
        )

    def summary(self) -> str:
        """What the page shows, in a line."""
        drawn, missing = sum(one.is_there for one in self.shown), len(self.work.missing)
        said = f"{html.count(drawn, 'figure')}, {html.count(len(self.work.made), 'job')}"
        return said + (f", {missing:,} jobs missing" if missing else "")

    # -- head ----------------------------------------------------------------------------------------------

    def _warning(self) -> str:
        lost, absent = len(self.work.missing), [one.name for one in self.shown if not one.is_there]
        if not lost and not absent:
            return ""
        parts = [f"{html.count(lost, 'job')} failed or not done"] if lost else []
        parts += [f"{html.count(len(absent), 'figure')} not drawn ({', '.join(absent)})"] if absent else []
        said = f"<strong>Not complete:</strong> {' and '.join(parts)}"
        return f'<p class="warning">{said}; <a href="#failures">see below</a>.</p>'

    def _facts(self) -> str:
        drawn = sum(one.is_there for one in self.shown)
        facts = {
            "figures and tables": f"{drawn} of {len(self.shown) + len(self.lacking)}",
            "jobs": f"{len(self.work.made):,}",
            "computing": ", ".join(f"{duration(spent)} on {name}" for name, spent in self.work.by_device().items()),
            "seeds": ", ".join(map(str, self.about["seeds"])),
            "commit": str(self.about["commit"]),
        }
        dates = self.work.dates()
        if dates:
            facts["made"] = _span(dates)
        if self.about.get("note"):
            facts["data"] = str(self.about["note"])
        return html.facts({name: words for name, words in facts.items() if words})

    # -- figures -------------------------------------------------------------------------------------------

    def _figures(self) -> str:
        drawn = [one for one in self.shown if one.is_there]
        links = {one.name: f"{called(one.name)}: {title(one.name)}" for one in drawn}
        return "\n".join([html.contents(links, "Figures and tables"), *map(self._figure, drawn)])

    def _figure(self, one: Shown) -> str:
        module, name, about = figures.module(one.name), called(one.name), title(one.name)
        folded = html.folded(f"{name}: its numbers", self._numbers(one))
        alt = f"{name}: {about}. {'Its numbers stand below as text.' if folded else 'Described below.'}"
        read = READING.get(one.name, "")
        parts = [
            f'<article class="figure" id="{one.name}">',
            f"<h3>{escape(name)}: {escape(about)}</h3>",
            "<figure>",
            html.box(pictures.embedded(one.files, alt), f"{name}, picture"),
            f"<figcaption>{escape(module.CAPTION)}</figcaption>",
            "</figure>",
            f"<p><strong>How to read it.</strong> {escape(read)}</p>" if read else "",
            f'<p class="soft">{self._needed(one)}</p>',
            folded,
            '<p class="soft top"><a href="#top">to the top</a></p>',
            "</article>",
        ]
        return "\n".join(part for part in parts if part)

    def _needed(self, one: Shown) -> str:
        needed = with_ancestors(one.runs)
        if not needed:
            return "It needs no run."
        spent = duration(self.work.seconds(needed))
        others = {key for other in self.shown if other.name != one.name for key in with_ancestors(other.runs)}
        alone = len(needed.keys() - others)
        shared = "all shared with other figures" if not alone else f"{alone:,} of them for this figure alone"
        jobs = f"{html.count(len(needed), 'job')} ({in_words(stages(needed.values()))})"
        return escape(f"It needed {jobs}, {shared}: {spent} of computing.")

    def _numbers(self, one: Shown) -> str:
        """The text tables of ``w2s table``, where it knows the figure's numbers."""
        if one.numbers is None:
            return ""
        try:
            tables = list(text.tables(one.numbers))
        except (KeyError, ValueError):
            return ""
        words = "\n\n".join(tables)
        return html.box(f"<pre>{escape(words)}</pre>", f"{called(one.name)}, numbers") if words else ""

    # -- work ----------------------------------------------------------------------------------------------

    def _work(self) -> str:
        made = list(self.work.made.values())
        if not made:
            return "<p>Nothing was made yet.</p>"
        rows = [_sum_of(stage.words, [one for one in made if one.artifact.stage == stage])
                for stage, _ in stages(one.artifact for one in made)]  # fmt: skip
        rows.append(_sum_of("all", made))
        heads = ("stage", "jobs", "computing", "processor", "longest job", "peak memory", "FLOP", "device")
        costs = "; ".join(f"{spent / 3600:,.2f} {name} hours" for name, spent in self.work.by_device().items())
        text = (
            f"Every job counts once, however many figures share it. Cost: {costs}. Times are of the wall clock while "
            "a job ran, side by side or not, as its manifest tells, without waiting and the workflow's own start."
        )
        return f"<p>{escape(text)}</p>\n" + html.table("Jobs by stage", heads, rows, right=range(1, 7))

    # -- provenance ----------------------------------------------------------------------------------------

    def _provenance(self) -> str:
        work, dates = self.work, self.work.dates()
        rows = [("figures, tables and this page", f"commit {self.about['commit']}")]
        for name, path in {"commit of jobs": ("commit",), "Python": ("python",), "machine": ("machine",)}.items():
            rows.append((name, _counted(work.counted(*path))))
        versions = [one.record["made_with"].get("versions", {}) for one in work.made.values()]
        packages = dict.fromkeys(name for some in versions for name in some)
        rows += [(name, _counted(work.counted("versions", name))) for name in packages]
        rows.append(("device", ", ".join(work.by_device())))
        rows.append(("seeds", ", ".join(map(str, self.about["seeds"]))))
        if dates:
            rows.append(("made", f"{_span(dates)} (UTC)"))
        settings = yaml.safe_dump(_settings(self.about), sort_keys=False, width=110)
        return "\n".join(
            [
                html.table("Code and machines", ("what", "which"), [row for row in rows if row[1]]),
                self._models(),
                html.folded(f"Data sets as built, and their hashes ({len(self._of('data'))})", self._data()),
                html.folded(
                    "All settings of the experiment", html.box(f"<pre>{escape(settings)}</pre>", "Settings, as YAML")
                ),
            ]
        )

    def _of(self, *kinds: str) -> list[Made]:
        found = [one for one in self.work.made.values() if one.artifact.stage.kind in kinds]
        return sorted(found, key=lambda one: one.artifact.path)

    def _models(self) -> str:
        rows = []
        for one in self._of("model", "corpus"):
            spec = one.artifact.spec
            parameters = one.measured.get("parameters") or one.artifact.environment.get("parameters")
            tokens = spec.get("tokens")
            origin = _origin(spec.get("weights")) if "weights" in spec else "made here"
            rows.append(
                (
                    one.artifact.name.removeprefix("models/"),
                    one.artifact.stage.words,
                    f"{int(parameters):,}" if parameters else "",
                    f"{int(tokens):,}" if isinstance(tokens, int | float) else "",
                    origin,
                    _hash(one),
                )
            )
        heads = ("base model or corpus", "stage", "parameters", "tokens", "from", "SHA-256")
        return html.table("Base models", heads, rows, right=(2, 3))

    def _data(self) -> str:
        rows = []
        for one in self._of("data"):
            parts = one.measured.get("counts", {}).get("parts", {})
            counts = ", ".join(f"{name} {_examples(part):,}" for name, part in parts.items())
            place = next((value for name, value in one.artifact.spec.items() if name in ROWS), None)
            rows.append((one.artifact.path.removeprefix("results/"), _origin(place), counts, _hash(one)))
        return html.table("", ("data", "from", "examples", "SHA-256"), rows)

    # -- deviations and failures ---------------------------------------------------------------------------

    def _deviations(self) -> str:
        sections = [
            (f"<h3>{escape(title)}</h3>\n" if title else "") + markdown.render(text)
            for title, text in self.deviations.items()
        ]
        return "\n".join(sections) or "<p>docs/deviations.md was not handed over.</p>"

    def _failures(self) -> str:
        work = self.work
        lost = [(artifact.message, state, said or "") for artifact, state, said in work.missing.values()]
        more = f"<p>and {len(lost) - SHOWN:,} more.</p>" if len(lost) > SHOWN else ""
        heads = ("job", "state", "last line of its log")
        jobs = html.table("Jobs that failed or are not done", heads, lost[:SHOWN]) + more
        undrawn = "not drawn yet, or jobs that it needs are not done"
        absent = [(called(one.name), undrawn) for one in self.shown if not one.is_there]
        absent += [(called(name), why) for name, why in self.lacking.items()]
        halved = [(one.artifact.message, str(one.measured["out_of_memory_at"])) for one in work.memory_halved()]
        unsure = sum(one.ours.verdict == OPEN for one in self.judged)
        parts = [
            jobs or f"<p>No job failed and none is missing: all {len(work.made):,} are there.</p>",
            html.table("Figures that are left out", ("figure", "why"), absent) or "<p>No figure is left out.</p>",
            self._undefined(),
            html.table("Runs that ran out of memory and went on in smaller pieces", ("run", "at"), halved),
            f"<p>{html.count(unsure, 'claim')} cannot be told from this experiment; "
            '<a href="#verdicts">the verdicts</a> say why.</p>',
        ]
        return "\n".join(part for part in parts if part)

    def _undefined(self) -> str:
        rows = []
        for one in self.shown:
            if one.numbers is None or not {"undefined", "task"} <= set(one.numbers):
                continue
            each = one.numbers[~one.numbers["task"].isin([MEDIAN, INTERVAL])].dropna(subset=["undefined"])
            settings = each.groupby("setting", sort=False) if "setting" in each else [("nlp", each)]
            for setting, some in settings:
                bad = some[some["undefined"] > 0]
                if len(bad):
                    where = ", ".join(f"{task} {number}" for task, number in bad["task"].value_counts().items())
                    rows.append((called(one.name), str(setting), f"{len(bad):,} of {len(some):,}", where))
        if not rows:
            return "<p>No PGR is undefined.</p>"
        words = (
            "<p>PGR is undefined where the ceiling is no better than the supervisor. Figures leave such a student out "
            "and say how many there were. Verdicts are stricter: there a gap within noise is undefined too.</p>"
        )
        heads = ("figure", "setting", "undefined", "rows by task")
        return words + "\n" + html.table("Undefined PGRs", heads, rows, right=(2,))


def _sum_of(words: str, made: Sequence[Made]) -> tuple[str, ...]:
    flop = sum(float(one.measured.get("flop", 0)) for one in made)
    memory = max(one.memory for one in made)
    return (
        words,
        f"{len(made):,}",
        duration(sum(one.seconds for one in made)),
        duration(sum(float(one.measured.get("processor_seconds", 0)) for one in made)),
        duration(max(one.seconds for one in made)),
        size(memory * 2**20) if memory else "",
        f"{flop:.1e}" if flop else "",
        ", ".join(dict.fromkeys(one.device for one in made)),
    )


def called(name: str) -> str:
    """fig5 -> Figure 5."""
    if name.startswith("fig") and name[3:].isdigit():
        return f"Figure {name[3:]}"
    return f"Table {name[5:]}" if name.startswith("table") and name[5:].isdigit() else name.capitalize()


def title(name: str) -> str:
    """What the figure is about, as its module begins, without where the paper has it."""
    first = (inspect.getdoc(figures.module(name)) or name).split("\n")[0]
    words = first.removeprefix(f"{called(name)}: ").split(". ")[0].rstrip(".").split(" (")[0]
    return words[:1].upper() + words[1:]


def _span(dates: tuple[Any, Any]) -> str:
    first, last = (f"{date:%Y-%m-%d %H:%M}" for date in dates)
    return first if first == last else f"{first} to {last[11:] if first[:10] == last[:10] else last}"


def _counted(found: Mapping[str, int]) -> str:
    """What most have first; how many where they differ."""
    if len(found) == 1:
        return next(iter(found))
    most = sorted(found.items(), key=lambda one: -one[1])
    return ", ".join(f"{value} ({number:,} jobs)" for value, number in most)


def _examples(part: Any) -> int:
    return int(part.get("examples", 0)) if isinstance(part, Mapping) else int(part)


def _origin(place: Any) -> str:
    """Where rows or weights come from, in short."""
    if not isinstance(place, Mapping) or not place:
        return ""
    if "hub" in place:
        return f"hub: {place['hub']} at {place.get('revision') or 'its newest commit'}"
    kind = next(iter(place))
    return kind if kind in ("world", "endgames", "digits") else f"{kind}: {json.dumps(place[kind])[:60]}"


def _hash(one: Made) -> str:
    """Of the artifact's largest part: examples, weights or tokens; twelve digits of it."""
    files = one.record["files"]
    wanted = [name for name in files if name.startswith(("examples", "index", "model", "tokens", "source"))]
    name = (wanted or sorted(files) or [""])[0]
    return f"{name} {files[name][:12]}" if name else ""


def _settings(about: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in about.items() if name not in ("commit", "note")}
