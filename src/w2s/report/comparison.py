"""Two experiments on one page: differences in settings and results (with intervals), and their figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from w2s.analysis import pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.pairs import TRUTH
from w2s.chess import analysis as chess
from w2s.claims.needed import SIZES, sizes
from w2s.errors import UserError
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.report import pictures, together
from w2s.report.differences import SAME, Cell, Keys, Matched, Row, Side, compare, match, rows_of, settings_of
from w2s.report.reading import describe
from w2s.report.rendering import render
from w2s.reward import analysis as reward

SETTINGS = {pairs.NLP: "NLP", chess.CHESS: "Chess", reward.REWARD: "Reward models"}
LONGEST = 110  # characters of a setting's value
NOTHING = "-"


@dataclass
class Experiment:
    """One of the two. tables: figure -> rows; pictures: the folder of its figures."""

    plan: Plan
    tables: Mapping[str, Sequence[Row]]
    pictures: Path
    about: Mapping[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        self.about = self.plan.experiment.model_dump(mode="json", exclude={"execution"})

    @property
    def name(self) -> str:
        """Its name in the config."""
        return self.plan.experiment.experiment

    def side(self, setting: str) -> Side:
        """Its numbers of one setting."""
        rows = [row for row in rows_of(self.tables) if row.get("setting") == setting]
        known = sizes(self.about, list(self.tables.get(SIZES, []))).get(setting, {})
        return Side(rows, known, keys(self.plan, setting))


def keys(plan: Plan, setting: str) -> Callable[[str, Cell, str], Keys]:
    """Finds the keys of the runs behind a cell; None for runs that this does not cover, such as chains."""
    of = getattr(plan, setting)

    @cache
    def key(role: str, task: str, names: tuple[str, ...], seed: int) -> str | None:
        roles: dict[str, Callable[..., Run]] = {"truth": of.truth, "ceiling": of.ceiling, "student": of.student}
        try:
            return roles[role](task, *names, seed).key
        except (UserError, KeyError):
            return None

    def find(task: str, cell: Cell, seed: str) -> Keys:
        method, supervisor, student, *others = cell
        if any(others):
            return None, None, None
        ceiling = key("ceiling", task, (student,), int(seed))
        if method == TRUTH:
            return ceiling, None, None
        run = key("student", task, (supervisor, student, method), int(seed))
        return run, key("truth", task, (supervisor,), int(seed)), ceiling

    return find


@dataclass
class Comparison:
    """The content of the page. shown: figures that both have pictures of; commit: of this page."""

    first: Experiment
    second: Experiment
    shown: Sequence[str]
    commit: str
    sides: dict[str, tuple[Side, Side, Matched]] = field(init=False)
    rows: list[dict[str, Any]] = field(init=False)

    def __post_init__(self) -> None:
        theirs = settings_of(rows_of(self.second.tables))
        self.sides = {}
        for setting in settings_of(rows_of(self.first.tables)):
            if setting in theirs and setting in SETTINGS:
                first, second = self.first.side(setting), self.second.side(setting)
                self.sides[setting] = (first, second, match(first, second))
        self.rows = [{"setting": name} | row for name, three in self.sides.items() for row in compare(*three)]

    def page(self) -> str:
        """The whole page."""
        return render(
            "comparison.html.j2",
            first=self.first.name,
            second=self.second.name,
            facts_of_both=list(self._facts()),
            changes=list(changes(self.first.about, self.second.about)),
            matches=[words for setting, three in self.sides.items() for words in _matches(SETTINGS[setting], three[2])],
            summary=[line for setting in self.sides if self.rows for line in self._summary(setting)],
            settings=[self._setting(setting) for setting in self.sides if self.rows],
            figures=[self._figure(name) for name in self.shown],
        )

    def _facts(self) -> Iterator[tuple[str, str]]:
        yield "commit", self.commit
        for experiment in (self.first, self.second):
            yield experiment.name, f"seeds {', '.join(map(str, experiment.about['seeds']))}"
        for setting, (first, second, _) in self.sides.items():
            both = set(first.tasks) & set(second.tasks)
            yield f"{SETTINGS[setting]} tasks in both", f"{len(both)} of {len({*first.tasks, *second.tasks})}"

    def _summary(self, setting: str) -> Iterator[dict[str, Any]]:
        """Number of differences above and below zero, of medians if there are any."""
        rows = [row for row in self.rows if row["setting"] == setting]
        medians = [row for row in rows if row["task"] == MEDIAN]
        for value, words in {"accuracy": "accuracy", "pgr": "PGR"}.items():
            known = [row for row in medians or rows if row["basis"] != SAME and math.isfinite(row[f"{value}_low"])]
            higher = sum(row[f"{value}_low"] > 0 for row in known)
            lower = sum(row[f"{value}_high"] < 0 for row in known)
            if known:
                cells = "medians" if medians else "cells"
                line = {"setting": SETTINGS[setting], "number": words, "known": len(known), "cells": cells}
                yield line | {"higher": higher, "lower": lower, "unclear": len(known) - higher - lower}

    def _setting(self, setting: str) -> dict[str, Any]:
        first, second, matched = self.sides[setting]
        plot = together.draw((first, second), (self.first.name, self.second.name), matched)
        rows = [row for row in self.rows if row["setting"] == setting]
        tasks = dict.fromkeys(str(row["task"]) for row in rows if row["task"] != MEDIAN)
        return {
            "title": SETTINGS[setting],
            "picture": pictures.drawn(plot) if plot else None,
            "medians": [_cells(row) for row in rows if row["task"] == MEDIAN and row["basis"] != SAME],
            "shared_medians": [_cells(row) for row in rows if row["task"] == MEDIAN and row["basis"] == SAME],
            "tasks": {task: [_cells(row) for row in rows if row["task"] == task] for task in tasks},
        }

    def _figure(self, name: str) -> dict[str, Any]:
        embedded = [
            (one.name, pictures.embedded(pictures.files(name, one.pictures))) for one in (self.first, self.second)
        ]
        return {"text": describe(name), "pictures": embedded}


def _cells(row: Row) -> dict[str, Any]:
    """A row of differences as the page shows it."""
    roles = ("method", "supervisor", "student")
    names = {role: together.both(row[f"{role}_first"], row[f"{role}_second"]) for role in roles}
    if row["chain_first"]:
        names["supervisor"] = f"chain {row['chain_first']}"
    if row["start_first"] or row["supervisor_start_first"]:
        names["method"] += " (after generative finetuning)"
    return names | {value: _difference(row, value) for value in ("accuracy", "pgr")}


def _difference(row: Row, value: str) -> dict[str, Any]:
    difference, low, high = (row[f"{value}_{name}"] for name in ("difference", "low", "high"))
    is_same = row["basis"] == SAME and difference == 0
    has_interval = math.isfinite(difference) and math.isfinite(low) and not is_same
    return {
        "first": _percent(row[f"{value}_first"]),
        "second": _percent(row[f"{value}_second"]),
        "difference": f"{100 * difference:+.1f}" if math.isfinite(difference) else NOTHING,
        "interval": f"{100 * low:+.1f} to {100 * high:+.1f}" if has_interval else "",
        "is_clear": has_interval and (low > 0 or high < 0),
        "is_same": is_same,
    }


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%" if math.isfinite(value) else NOTHING


def _matches(setting: str, matched: Matched) -> Iterator[str]:
    """Which names are compared where they differ."""
    rungs = [f"{first} with {second}" for first, second in matched.rungs.items() if first != second]
    if rungs:
        yield f"{setting}: the ladders share no name; rungs are compared by rank: {', '.join(rungs)}."
    for first, second in matched.methods.items():
        if first != second:
            yield f"{setting}: method {first} is compared with {second}; each is the only one that the other lacks."


def changes(first: Any, second: Any, key: str = "") -> Iterator[tuple[str, str, str]]:
    """(dotted key, first, second) of settings that differ; lists of named items by name, other lists as a whole."""
    if first == second or key == "experiment":
        return
    if _is_named(first) and _is_named(second):
        first, second = ({item["name"]: item for item in items} for items in (first, second))
    if not (isinstance(first, Mapping) and isinstance(second, Mapping)):
        yield key, _short(first), _short(second)
        return
    for name in dict.fromkeys([*first, *second]):
        inner = f"{key}.{name}" if key else str(name)
        if name in first and name in second:
            yield from changes(first[name], second[name], inner)
        else:
            yield inner, _short(first.get(name)), _short(second.get(name))


def _is_named(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) and "name" in one for one in value)


def _short(value: Any) -> str:
    """A value in a line, without keys that are null."""
    if value is None:
        return NOTHING
    if isinstance(value, Mapping):
        value = {name: inner for name, inner in value.items() if inner is not None}
    words = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000).strip()
    words = words.removesuffix("...").strip()
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"
