"""All claims on the tables of an experiment, beside what the paper's own numbers say by the same rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from w2s.claims import everything, needed, paper, settings
from w2s.claims.cells import NEAR, ROLES, Cells, missing
from w2s.claims.claim import (
    FAILS,
    HOLDS,
    MECHANISM,
    NEEDS,
    NUMBERS,
    OPEN,
    UNITS,
    Claim,
    Finding,
    decide,
    shown_compute,
    shown_target,
)
from w2s.errors import LackingError
from w2s.experiments.plan import Plan
from w2s.experiments.settings import invented

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Judged:
    """A claim with what an experiment says of it, and the paper. ``floor``: the noise of one accuracy of the table."""

    claim: Claim
    ours: Finding
    paper: Finding
    floor: str = ""


@dataclass(frozen=True)
class Tables:
    """What there is to judge by.

    rows: of figures. lacking: why a figure or setting has none. sizes: test examples. invented: setting -> what its
    data are, where they are not real. gpt4_compute: in FLOP, the unit of the paper's compute.
    """

    rows: Mapping[str, Sequence[Row]]
    lacking: Mapping[str, str]
    sizes: Mapping[str, Mapping[str, int]]
    invented: Mapping[str, str] = field(default_factory=dict)
    gpt4_compute: float = 1.0


def judge_all(tables: Tables, claims: Sequence[Claim] | None = None) -> list[Judged]:
    """Every claim, judged."""
    read: dict[tuple[str, str, bool], Cells] = {}

    def cells_of(claim: Claim) -> Cells:
        key = (claim.figure, claim.setting, claim.on_one_task)
        if key not in read:
            read[key] = _cells(tables, claim)
        return read[key]

    judged = []
    for claim in everything() if claims is None else claims:
        floor = ""
        try:
            cells = cells_of(claim) if claim.measure else None
            if cells:
                _can_speak(tables, claim, cells)
                floor = cells.floor
            ours = judge(claim, cells)
        except LackingError as error:
            ours = Finding(OPEN, reason=str(error))
        judged.append(Judged(claim, ours, on_paper(claim), floor))
    return judged


def on_tables(plan: Plan, about: Mapping[str, Any], rows: Mapping[str, Sequence[Row]]) -> list[Judged]:
    """Every claim, judged on an experiment's tables. about: its settings; rows: figure -> the rows of its table."""
    found, lacking = needed.available(plan)
    lacking |= {name: f"the numbers of {name} were not handed over" for name in found if name not in rows}
    words = {name: invented(about, [name]) for name in settings()}
    return judge_all(
        Tables(
            rows,
            lacking,
            needed.sizes(about, rows.get(needed.SIZES, [])),
            {name: ", ".join(some) for name, some in words.items() if some},
            float(about["gpt4_compute"]),
        )
    )


def judge(claim: Claim, cells: Cells | None) -> Finding:
    """One claim on the cells of its figure; LackingError where these lack what it asks for."""
    if claim.measure is None or cells is None:
        return Finding(OPEN, reason=claim.untested)
    cells.used.clear()
    value, low, high, why = cells.interval(claim.measure(cells))
    verdict, reason = decide(claim.target, value, low, high, why)
    return Finding(verdict, value, low, high, cells.basis, reason, cells.rests(cells.used))


# -- what an experiment can speak to -----------------------------------------------------------------------


def _cells(tables: Tables, claim: Claim) -> Cells:
    """The experiment's rows for a claim; of real data, those of models of about the paper's compute."""
    figure, setting = claim.figure, claim.setting
    for name in (setting, figure):
        if name in tables.lacking:
            raise LackingError(tables.lacking[name])
    if figure not in tables.rows:
        raise LackingError(f"this experiment has no {figure}")
    rows = [row for row in tables.rows[figure] if row.get("setting", setting) == setting]
    if not rows:
        raise LackingError(f"{figure} of this experiment has no {setting} rows")
    ours, theirs = _span(rows, 1 / tables.gpt4_compute), _span(paper.table(figure, setting))
    if setting not in tables.invented and ours and theirs:
        rows = _within(rows, theirs, 1 / tables.gpt4_compute)
        if not rows:
            raise LackingError(f"the ladder spans {shown_compute(*ours)}, the paper's {shown_compute(*theirs)}")
    return Cells(rows, sizes=tables.sizes.get(setting), one_task=claim.on_one_task, unit=1 / tables.gpt4_compute)


def _can_speak(tables: Tables, claim: Claim, cells: Cells) -> None:
    """LackingError where an experiment's data or ladder cannot decide a claim, whatever came out.

    Invented data speak to mechanisms alone, by the order of rungs. With real data a claim is judged at the paper's
    compute: only if the paper's own numbers support it on the range that the ladder covers, within half a decade.
    """
    if claim.setting in tables.invented:
        if claim.about != MECHANISM:
            raise LackingError(f"{NEEDS[claim.about]}; the data here are invented ({tables.invented[claim.setting]})")
        return
    theirs = paper.table(claim.figure, claim.setting)
    if not theirs or not cells.compute:
        return
    ours = _powers(cells)
    ladder = f"the ladder spans {shown_compute(*ours)}"
    whole = _span(paper.table("fig3", claim.setting))
    if _span(theirs) is None:  # bars, over the whole ladder
        reaches = not whole or (ours[0] <= whole[0] + NEAR and ours[1] >= whole[1] - NEAR)
        if claim.about == NUMBERS and whole and not reaches:
            raise LackingError(f"{ladder}, the claim is about {shown_compute(*whole)}")
        return
    try:
        there = judge(claim, _of_paper(claim.figure, claim.setting, ours))
    except LackingError as error:
        raise LackingError(f"{ladder}: {error}") from error
    if there.verdict != on_paper(claim).verdict:
        raise LackingError(f"{ladder}, where the paper's own numbers do not show this")


def _span(rows: Sequence[Row], unit: float = 1.0) -> tuple[float, float] | None:
    """log10 of the smallest and the largest compute; None if rows have none."""
    powers = [power for row in rows for power in _of_row(row, unit)]
    return (min(powers), max(powers)) if powers else None


def _powers(cells: Cells) -> tuple[float, float]:
    return math.log10(min(cells.compute.values())), math.log10(max(cells.compute.values()))


def _of_row(row: Row, unit: float) -> list[float]:
    known = [f"{role}_compute" for role in ROLES if not missing(row.get(f"{role}_compute"))]
    return [math.log10(float(row[name]) * unit) for name in known]


def _within(rows: Sequence[Row], span: tuple[float, float], unit: float = 1.0) -> list[Row]:
    """The rows whose models all lie in a range of compute, give or take half a decade."""
    low, high = span[0] - NEAR, span[1] + NEAR
    return [row for row in rows if all(low <= power <= high for power in _of_row(row, unit))]


# -- the paper's own numbers, and what is written ----------------------------------------------------------


@cache
def on_paper(claim: Claim) -> Finding:
    """One claim on the paper's own numbers, taken as they are."""
    if not claim.measure:
        return Finding(OPEN, reason=claim.untested)
    if not paper.table(claim.figure, claim.setting):
        return Finding(OPEN, reason="the paper's figure was not read out")
    return judge(claim, _of_paper(claim.figure, claim.setting))


@cache
def _of_paper(figure: str, setting: str, span: tuple[float, float] | None = None) -> Cells:
    """The paper's table, of models in a range of compute."""
    rows = paper.table(figure, setting)
    return Cells(_within(rows, span) if span else rows, exact=True)


def rows_of(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """What ``claims.csv`` holds: one row a claim.

    Value, interval and the paper's value are in the claim's unit; compute is log10 of a fraction of GPT-4's.
    """
    rows = []
    for one in judged:
        claim, factor, rests = one.claim, UNITS[one.claim.unit][0], one.ours.rests
        low, high = rests.compute or (math.nan, math.nan)
        rows.append(
            {
                "claim": claim.name,
                "setting": claim.setting,
                "where": claim.where,
                "says": claim.says,
                "about": claim.about,
                "figure": claim.figure,
                "rule": claim.rule,
                "target": shown_target(claim.target, claim.unit) if claim.measure else "",
                "verdict": one.ours.verdict,
                "value": one.ours.value * factor,
                "low": one.ours.low * factor,
                "high": one.ours.high * factor,
                "paper": one.paper.value * factor,
                "unit": claim.unit if claim.measure else "",
                "basis": one.ours.basis,
                "tasks": rests.tasks or "",
                "seeds": rests.seeds,
                "test_examples": rests.examples,
                "compute_low": low,
                "compute_high": high,
                "noise_floor": one.floor,
                "reason": one.ours.reason,
                "inconsistency": claim.flaw,
            }
        )
    return rows


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """Verdict -> how many claims."""
    return {verdict: sum(one.ours.verdict == verdict for one in judged) for verdict in (HOLDS, FAILS, OPEN)}
