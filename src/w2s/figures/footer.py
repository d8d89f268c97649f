"""The footer of every figure: what it was made from, and what it omits."""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from matplotlib.layout_engine import ConstrainedLayoutEngine

from w2s.analysis.aggregate import without_aggregates
from w2s.analysis.bootstrap import HIGH, LOW
from w2s.analysis.pairs import NAIVE, TRUTH
from w2s.chess.analysis import BOOTSTRAP
from w2s.figures import bounds, curves, recovered, style
from w2s.reward.analysis import GENERATIVE_TRUTH

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = 6.5  # points
LETTERS_AN_INCH = 20.5
Done = tuple[object, ...]  # identifies a run of a table


def without_pgr(table: pd.DataFrame) -> pd.DataFrame:
    """The rows for the footer of a figure that shows no PGR."""
    return table.drop(columns="undefined", errors="ignore")


def add(figure: Figure, about: dict[str, Any], table: pd.DataFrame, *notes: str) -> None:
    """Add experiment, runs, tasks, seeds, undefined PGRs, notes and commit, in space reserved below the panels."""
    cut = "bands are cut off at panel edges" if any(map(style.cuts_bands, figure.axes)) else ""
    wrapped = textwrap.wrap(line(about, table, *notes, cut), int((figure.get_figwidth() - 0.2) * LETTERS_AN_INCH))
    if len(wrapped) > 1:  # the legend is centred and may be as tall as the panels
        height = max((len(one.texts) + 1) * curves.ENTRY for one in figure.legends) if figure.legends else 0.0
        figure.set_figheight(max(figure.get_figheight(), height + 2 * (len(wrapped) * SIZE * 1.3 + 9) / 72))
    bottom = reserve(figure, len(wrapped) * SIZE * 1.3 + 6) + 3 / 72 / figure.get_figheight()
    said = "\n".join(wrapped)
    figure.text(0.01, bottom, said, ha="left", va="bottom", fontsize=SIZE, color=style.GREY, gid="footer")


def reserve(figure: Figure, points: float) -> float:
    """Reserve more space at the bottom of the figure; returns where it starts, as a share of the height."""
    engine = figure.get_layout_engine()
    assert isinstance(engine, ConstrainedLayoutEngine), engine
    _, bottom, width, _ = engine.get()["rect"]
    engine.set(rect=(0, top := bottom + points / 72 / figure.get_figheight(), width, 1 - top))
    return float(bottom)


def line(about: dict[str, Any], table: pd.DataFrame, *notes: str) -> str:
    """The footer's text before wrapping."""
    each = without_aggregates(table)
    parts = [
        f"experiment {about['experiment']}",
        _count(runs(each, about.get("ceiling_half", "weak")), "run") if "method" in each else "",
        _count(each["task"].nunique(), "task"),
        _count(each["seed"].nunique(), "seed"),
        *(_recovered(about, each) if "undefined" in each else ()),
        _floor(each),
        *notes,
        f"commit {about['commit']}",
        about.get("note", ""),
    ]
    return " · ".join(part for part in parts if part)


def _recovered(about: dict[str, Any], each: pd.DataFrame) -> Iterator[str]:
    """The reading of PGR if it is not the strict one, and how many students have none, or one within noise."""
    without = each["undefined"] > 0  # ceiling <= supervisor
    ceiling = "no better than"
    if recovered.as_in_paper(about):
        kept = without & (each[recovered.KEPT].notna() if recovered.KEPT in each else False)
        yield f"{recovered.NOTE} ({_count(_pairs(each[kept]), 'student')})"
        without, ceiling = without & ~kept, "equal to"
    if undefined := _pairs(each[without]):
        yield f"PGR undefined (ceiling {ceiling} supervisor) for {_count(undefined, 'student')}"
    noisy = each[~(each["undefined"] > 0) & (each["within_noise"] > 0)] if "within_noise" in each else each.iloc[:0]
    if unsure := _pairs(noisy):
        yield f"gap within noise (two standard errors) for {_count(unsure, 'student')}"


def _floor(each: pd.DataFrame) -> str:
    """The uncertainty of one accuracy of a task and seed; empty if unknown."""
    if not {"accuracy" + LOW, "accuracy" + HIGH} <= set(each) or "rating" in each:  # rating bins have no common floor
        return ""
    half = (each["accuracy" + HIGH] - each["accuracy" + LOW]).median() / 2
    return "" if pd.isna(half) else f"noise floor: ±{100 * half:.1f} points per accuracy (95%, test examples)"


def _pairs(rows: pd.DataFrame) -> int:
    """The number of students, counted with their supervisors, as a PGR belongs to a pair."""
    return len({(row.get("supervisor"), *_run(row)) for row in rows.to_dict("records")})


def spread(about: dict[str, Any], table: pd.DataFrame) -> str:
    """A description of the bands; empty if there are none."""
    said: dict[str, list[str]] = {}
    for setting in style.in_order(table, "setting"):
        found = bounds.basis(table[table["setting"] == setting], about.get("spread", "seeds"))
        if found:
            said.setdefault(bounds.WORDS[found], []).append(setting)
    if len(said) < 2:
        return "".join(f"band: {words}" for words in said)
    named = (f"{words} ({', '.join(style.SETTING_WORDS[one] for one in settings)})" for words, settings in said.items())
    return f"band: {', '.join(named)}"


def runs(each: pd.DataFrame, ceiling_half: str) -> int:
    """The number of runs behind the rows: students, and the ground-truth runs that they are compared with."""
    found: set[Done] = set()
    for row in each.to_dict("records"):
        place, alone = _place(row), row["method"] in (TRUTH, GENERATIVE_TRUTH)
        if not alone:
            found.add(_run(row))
        if pd.notna(row.get("weak")):
            found.add((*place, row["supervisor"], _start(row, "supervisor_start"), TRUTH, "weak"))
        if alone or pd.notna(row.get("ceiling")):
            found.add((*place, row["student"], _start(row, "start"), TRUTH, ceiling_half))
    return len(found)


def _run(row: dict[Hashable, Any]) -> Done:
    """Identifies a row's run: a chain of two rungs is a naive student, and some runs have no supervisor."""
    labels = row.get("labels")
    if pd.isna(labels):
        labels = f"from-{row.get('supervisor')}"
    method = NAIVE if row["method"] == BOOTSTRAP else row["method"]
    return (*_place(row), row["student"], labels, method)


def _start(row: dict[Hashable, Any], column: str) -> str:
    """The start of a run (base model or generative finetuning), from the given column."""
    return str(row[column]) if pd.notna(row.get(column)) else ""


def _place(row: dict[Hashable, Any]) -> Done:
    return (row.get("setting"), row["task"], row["seed"])


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" + ("" if number == 1 else "s")
