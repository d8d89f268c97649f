"""Two experiments on one page: what differs in their settings and numbers (with intervals), and their figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import yaml

from w2s import figures
from w2s.analysis import pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.pairs import TRUTH
from w2s.chess import analysis as chess
from w2s.claims.needed import SIZES, sizes
from w2s.errors import LackingError, UserError
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.report import html, pictures, together
from w2s.report.differences import SAME, Cell, Keys, Matched, Row, Side, compare, match, rows_of, settings_of
from w2s.report.page import called, title
from w2s.reward import analysis as reward

SETTINGS = (pairs.NLP, chess.CHESS, reward.REWARD)
WORDS = {pairs.NLP: "NLP", chess.CHESS: "Chess", reward.REWARD: "Reward models"}
MOST = 110  # letters of a setting that is shown
NOTHING = "-"


@dataclass
class Experiment:
    """One of the two. tables: figure -> rows; pictures: the folder that figures are in; commit: of the numbers."""

    plan: Plan
    tables: Mapping[str, Sequence[Row]]
    pictures: Path
    about: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.about = self.plan.experiment.model_dump(mode="json", exclude={"execution"})

    @property
    def name(self) -> str:
        """As its config calls it."""
        return self.plan.experiment.experiment

    def side(self, setting: str) -> Side:
        """Its numbers of one setting."""
        rows = [row for row in rows_of(self.tables) if row.get("setting") == setting]
        known = sizes(self.about, list(self.tables.get(SIZES, []))).get(setting, {})
        return Side(rows, known, keys(self.plan, setting))


def keys(plan: Plan, setting: str) -> Callable[[str, Cell, str], Keys]:
    """Which runs stand behind a cell, by their keys; None for those that this does not find (chains, and the like)."""
    of = getattr(plan, setting)

    @cache
    def key(role: str, task: str, names: tuple[str, ...], seed: int) -> str | None:
        asked: dict[str, Callable[..., Run]] = {"truth": of.truth, "ceiling": of.ceiling, "student": of.student}
        try:
            return asked[role](task, *names, seed).key
        except (LackingError, UserError, KeyError, StopIteration):
            return None

    def found(task: str, cell: Cell, seed: str) -> Keys:
        method, supervisor, student, *more = cell
        if any(more):
            return None, None, None
        ceiling = key("ceiling", task, (student,), int(seed))
        if method == TRUTH:
            return ceiling, None, None
        own = key("student", task, (supervisor, student, method), int(seed))
        return own, key("truth", task, (supervisor,), int(seed)), ceiling

    return found


@dataclass
class Comparison:
    """All that the page is made from. shown: figures whose pictures both have."""

    first: Experiment
    second: Experiment
    shown: Sequence[str]
    commit: str
    sides: dict[str, tuple[Side, Side, Matched]] = field(init=False)
    rows: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        theirs = settings_of(rows_of(self.second.tables))
        shared = [one for one in settings_of(rows_of(self.first.tables)) if one in theirs and one in SETTINGS]
        self.sides = {}
        for setting in shared:
            first, second = self.first.side(setting), self.second.side(setting)
            self.sides[setting] = (first, second, match(first, second))
        self.rows = [{"setting": name} | row for name, three in self.sides.items() for row in compare(*three)]

    # -- the page ------------------------------------------------------------------------------------------

    def page(self) -> str:
        """The whole page."""
        entries = {"settings": "What differs in their settings", "together": "Both in one picture"}
        entries |= {"differences": "Differences", "figures": "The same figures of both"}
        links = html.contents({name: f"{called(name)}: {title(name)}" for name in self.shown}, "Figures and tables")
        drawn = "\n".join([links, *map(self._figure, self.shown)]) if self.shown else "<p>They have none in common.</p>"
        return html.fill(
            "comparison",
            f"{escape(self.first.name)} against {escape(self.second.name)}",
            first=escape(self.first.name),
            second=escape(self.second.name),
            summary=self._summary(),
            facts=self._facts(),
            contents=html.contents(entries, "Contents"),
            settings=self._settings(),
            together=self._together(),
            differences=self._differences(),
            figures=drawn,
        )

    def _summary(self) -> str:
        if not self.rows:
            return "They have no supervisors, students and tasks in common to compare."
        said = []
        for setting in self.sides:
            rows = self._of(setting, medians=True) or self._of(setting, medians=False)
            for value, words in (("accuracy", "accuracy"), ("pgr", "PGR")):
                known = [row for row in rows if row["basis"] != SAME and math.isfinite(row[f"{value}_low"])]
                up, down = sum(row[f"{value}_low"] > 0 for row in known), sum(row[f"{value}_high"] < 0 for row in known)
                what = "medians" if self._of(setting, medians=True) else "cells"
                if known:
                    said.append(
                        f"{WORDS[setting]}, {words}: of {len(known)} {what} whose runs are not the same in both, "
                        f"<strong>{up} higher</strong>, <strong>{down} lower</strong>, "
                        f"{len(known) - up - down} cannot be told."
                    )
        lead = f"Differences are of {escape(self.first.name)} minus {escape(self.second.name)}. "
        return lead + (" ".join(said) or "No runs differ that an interval could be given for.")

    def _facts(self) -> str:
        facts = {"commit": self.commit}
        for one in (self.first, self.second):
            facts[one.name] = f"seeds {', '.join(map(str, one.about['seeds']))}"
        for setting, (first, second, _) in self.sides.items():
            tasks = [task for task in first.tasks if task in second.tasks]
            facts[f"{WORDS[setting]} tasks in both"] = f"{len(tasks)} of {len({*first.tasks, *second.tasks})}"
        return html.facts(facts)

    def _settings(self) -> str:
        changed = list(changes(self.first.about, self.second.about))
        if not changed:
            return "<p>Nothing but the name.</p>"
        rows = [(f"<code>{escape(key)}</code>", escape(one), escape(other)) for key, one, other in changed]
        heads = ("setting", self.first.name, self.second.name)
        matched = [words for name, three in self.sides.items() for words in _matched(WORDS[name], three[2])]
        said = "".join(f"<p>{escape(words)}</p>\n" for words in matched)
        return html.table_of_html("Settings that differ", heads, rows) + f"\n{said}"

    def _together(self) -> str:
        parts = []
        for setting, (first, second, matched) in self.sides.items():
            picture = together.draw((first, second), (self.first.name, self.second.name), matched)
            if picture is None:
                continue
            words = f"{WORDS[setting]}: accuracy (above) and PGR (below) of students, by supervisor"
            read = (
                "Medians over the tasks that both have (means, where these are fewer than three), against the "
                "student's pretraining compute. Hue is the experiment, line and marker the method. PGR is of means "
                "over seeds, and left out where the gap is noise. Curves of runs that both share cover each other."
            )
            image = html.box(pictures.drawn(picture, f"{words}. The numbers stand below."), f"{words}, picture")
            parts.append(f"<figure>\n{image}\n<figcaption>{escape(words)}. {escape(read)}</figcaption>\n</figure>")
        return "\n".join(parts) or "<p>There is nothing that both have to be drawn.</p>"

    def _differences(self) -> str:
        parts = [
            "<p>Intervals are 95%; one in twenty of them misses by chance. Of medians they come from a bootstrap that "
            "draws whole tasks, the same for both. Of a single task they come from the spread between seeds and the "
            "size of the test set, paired over seeds that both have; runs that both share do not differ at all.</p>"
        ]
        for setting in self.sides:
            medians, single = self._of(setting, medians=True), self._of(setting, medians=False)
            apart = [row for row in medians if row["basis"] != SAME]
            same = [row for row in medians if row["basis"] == SAME]
            parts.append(self._table(f"{WORDS[setting]}: medians over tasks", apart))
            parts.append(
                html.folded(f"{WORDS[setting]}: medians of runs that both share ({len(same)})", self._table("", same))
            )
            tables = [self._table(task, [row for row in single if row["task"] == task]) for task in self._tasks(single)]
            if medians:
                parts.append(html.folded(f"{WORDS[setting]}: every task ({len(tables)})", "\n".join(tables)))
            else:
                parts += tables
        return "\n".join(part for part in parts if part)

    def _of(self, setting: str, *, medians: bool) -> list[dict[str, Any]]:
        return [row for row in self.rows if row["setting"] == setting and (row["task"] == MEDIAN) == medians]

    @staticmethod
    def _tasks(rows: Sequence[Row]) -> list[str]:
        return list(dict.fromkeys(str(row["task"]) for row in rows))

    def _table(self, caption: str, rows: Sequence[Row]) -> str:
        one, other = self.first.name, self.second.name
        heads = ("method", "supervisor", "student", f"accuracy {one}", other, "difference", f"PGR {one}", other)
        cells = []
        for row in rows:
            names = [_both(row, name) for name in ("method", "supervisor", "student")]
            if row["chain_first"]:
                names[1] = f"chain {row['chain_first']}"
            if row["start_first"] or row["supervisor_start_first"]:
                names[0] += " (after generative finetuning)"
            numbers = [*_numbers(row, "accuracy"), *_numbers(row, "pgr")]
            cells.append([escape(name) for name in names] + numbers)
        return html.table_of_html(caption, (*heads, "difference"), cells, right=range(3, 9))

    def _figure(self, name: str) -> str:
        parts = []
        for one in (self.first, self.second):
            alt = f"{called(name)} of {one.name}: {title(name)}."
            image = html.box(
                pictures.embedded(pictures.files(name, one.pictures), alt), f"{called(name)} of {one.name}, picture"
            )
            parts.append(f"<figure>\n<h4>{escape(one.name)}</h4>\n{image}\n</figure>")
        side = "\n".join(parts)
        caption = escape(figures.module(name).CAPTION)
        return (
            f'<article class="figure" id="{name}">\n<h3>{escape(called(name))}: {escape(title(name))}</h3>\n'
            f'<div class="side">\n{side}\n</div>\n<p>{caption}</p>\n'
            '<p class="soft top"><a href="#top">to the top</a></p>\n</article>'
        )


def _both(row: Row, name: str) -> str:
    ours, theirs = str(row[f"{name}_first"]), str(row[f"{name}_second"])
    return ours if ours == theirs else f"{ours} | {theirs}"


def _numbers(row: Row, value: str) -> list[str]:
    """Ours, theirs, difference with interval: HTML."""
    ours, theirs, difference = (row[f"{value}_{name}"] for name in ("first", "second", "difference"))
    low, high = row[f"{value}_low"], row[f"{value}_high"]
    shown = [f"{100 * one:.1f}%" if math.isfinite(one) else NOTHING for one in (ours, theirs)]
    if not math.isfinite(difference):
        return [*shown, NOTHING]
    if row["basis"] == SAME and difference == 0:
        return [*shown, f'<span class="soft">{SAME}</span>']
    words = f"{100 * difference:+.1f}"
    if math.isfinite(low):
        clear = low > 0 or high < 0
        words = f"<strong>{words}</strong>" if clear else words
        words += f'<br><span class="soft">{100 * low:+.1f} to {100 * high:+.1f}</span>'
    return [*shown, words]


def _matched(setting: str, matched: Matched) -> Iterator[str]:
    """What stands for what where names differ."""
    rungs = [f"{one} with {other}" for one, other in matched.rungs.items() if one != other]
    if rungs:
        yield f"{setting}: the ladders share no name; rungs are compared by rank: {', '.join(rungs)}."
    for one, other in matched.methods.items():
        if one != other:
            yield f"{setting}: method {one} is compared with {other}; each is the only one that the other has not."


# -- settings ----------------------------------------------------------------------------------------------


def changes(first: Any, second: Any, key: str = "") -> Iterator[tuple[str, str, str]]:
    """(dotted key, first, second) of what differs; lists of named things by name, other lists as a whole."""
    if first == second or key == "experiment":
        return
    if _is_named(first) and _is_named(second):
        first, second = ({one["name"]: one for one in some} for some in (first, second))
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        for name in dict.fromkeys([*first, *second]):
            inner = f"{key}.{name}" if key else str(name)
            if name not in first or name not in second:
                yield inner, _short(first.get(name)), _short(second.get(name))
            else:
                yield from changes(first[name], second[name], inner)
        return
    yield key, _short(first), _short(second)


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and "name" in one for one in value)


def _short(value: Any) -> str:
    """A setting in a line, without what it leaves at nothing."""
    if value is None:
        return NOTHING
    if isinstance(value, Mapping):
        value = {name: one for name, one in value.items() if one is not None}
    words = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000).strip()
    words = words.removesuffix("...").strip()
    return words if len(words) <= MOST else f"{words[:MOST]}…"
