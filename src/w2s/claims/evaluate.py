"""All claims on the tables of an experiment, beside what the paper's own numbers say by the same rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from w2s.claims import everything, needed, paper
from w2s.claims.cells import Cells
from w2s.claims.claim import FAILS, HOLDS, OPEN, UNITS, Claim, Finding, decide, shown_target
from w2s.errors import LackingError
from w2s.experiments.plan import Plan

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
    """What there is to judge by. rows: of figures; lacking: why a figure or setting has none; sizes: test examples."""

    rows: Mapping[str, Sequence[Row]]
    lacking: Mapping[str, str]
    sizes: Mapping[str, Mapping[str, int]]


def judge_all(tables: Tables, claims: Sequence[Claim] | None = None) -> list[Judged]:
    """Every claim, judged."""
    read: dict[tuple[str, str], Cells] = {}

    def cells_of(figure: str, setting: str) -> Cells:
        if setting in tables.lacking:
            raise LackingError(tables.lacking[setting])
        if figure not in tables.rows:
            raise LackingError(tables.lacking.get(figure, f"this experiment has no {figure}"))
        if (figure, setting) not in read:
            rows = [row for row in tables.rows[figure] if row.get("setting", setting) == setting]
            if not rows:
                raise LackingError(f"{figure} of this experiment has no {setting} rows")
            read[figure, setting] = Cells(rows, sizes=tables.sizes.get(setting))
        return read[figure, setting]

    judged = []
    for claim in everything() if claims is None else claims:
        floor = ""
        try:
            cells = cells_of(claim.figure, claim.setting) if claim.measure else None
            ours = judge(claim, cells)
            floor = cells.floor if cells else ""
        except LackingError as error:
            ours = Finding(OPEN, reason=str(error))
        judged.append(Judged(claim, ours, on_paper(claim), floor))
    return judged


def on_tables(plan: Plan, about: Mapping[str, Any], rows: Mapping[str, Sequence[Row]]) -> list[Judged]:
    """Every claim, judged on an experiment's tables. about: its settings; rows: figure -> the rows of its table."""
    found, lacking = needed.available(plan)
    lacking |= {name: f"the numbers of {name} were not handed over" for name in found if name not in rows}
    return judge_all(Tables(rows, lacking, needed.sizes(about, rows.get(needed.SIZES, []))))


def judge(claim: Claim, cells: Cells | None) -> Finding:
    """One claim on the cells of its figure; LackingError where these lack what it asks for."""
    if claim.measure is None or cells is None:
        return Finding(OPEN, reason=claim.untested)
    draws = claim.measure(cells)
    return decide(claim.target, *cells.interval(draws), cells.basis)


@cache
def on_paper(claim: Claim) -> Finding:
    """One claim on the paper's own numbers, taken as they are."""
    rows = paper.table(claim.figure, claim.setting) if claim.measure else []
    if not rows:
        return Finding(OPEN, reason=claim.untested or "the paper's figure was not read out")
    try:
        return judge(claim, Cells(rows, exact=True))
    except LackingError as error:
        return Finding(OPEN, reason=str(error))


def rows_of(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """What ``claims.csv`` holds: one row a claim; value, interval and the paper's in the claim's unit."""
    rows = []
    for one in judged:
        claim, factor = one.claim, UNITS[one.claim.unit][0]
        rows.append(
            {
                "claim": claim.name,
                "setting": claim.setting,
                "where": claim.where,
                "says": claim.says,
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
                "noise_floor": one.floor,
                "reason": one.ours.reason,
                "inconsistency": claim.flaw,
            }
        )
    return rows


def counts(judged: Sequence[Judged]) -> dict[str, int]:
    """Verdict -> how many claims."""
    return {verdict: sum(one.ours.verdict == verdict for one in judged) for verdict in (HOLDS, FAILS, OPEN)}
