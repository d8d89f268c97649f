"""The verdicts on the paper's claims as one HTML page: no other files, no network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from w2s.claims.claim import GAIN_NEAR, PGR_NEAR, Claim, Finding, shown, shown_target
from w2s.claims.evaluate import Judged, counts
from w2s.report.reading import SETTINGS
from w2s.report.rendering import render

WIDTH, EDGE = 220, 8  # of a strip, in pixels; the template has its height


def page(
    judged: Sequence[Judged], about: Mapping[str, Any], *, figures: Mapping[str, str], tables: Mapping[str, str]
) -> str:
    """The whole page. figures, tables: figure -> address of its picture and of its numbers, relative to the page."""
    return render("claims.html.j2", about={"note": ""} | dict(about), claims=context(judged, figures, tables))


def context(judged: Sequence[Judged], figures: Mapping[str, str], tables: Mapping[str, str]) -> dict[str, Any]:
    """What ``verdicts.html.j2`` shows. figures, tables: as in ``page``."""
    entries = [_entry(one, figures, tables) for one in judged]
    by_setting: dict[str, dict[str, Any]] = {}
    for entry in entries:
        setting = entry["claim"].setting
        part = by_setting.setdefault(setting, {"title": SETTINGS.get(setting, setting), "entries": []})
        part["entries"].append(entry)
    near = {"pgr_near": f"{100 * PGR_NEAR:g}", "gain_near": f"{100 * GAIN_NEAR:g}"}
    return {"entries": entries, "settings": by_setting, "counts": counts(judged), **near}


def _entry(judged: Judged, figures: Mapping[str, str], tables: Mapping[str, str]) -> dict[str, Any]:
    claim, ours = judged.claim, judged.ours
    bounds = [shown(bound, claim.unit).partition(" ")[0].rstrip("%") for bound in (ours.low, ours.high)]
    return {
        "claim": claim,
        "ours": ours,
        "paper": judged.paper,
        "floor": judged.floor,
        "rests": str(ours.rests),
        "number": shown(ours.value, claim.unit),
        "interval": " to ".join(bounds) if all(bounds) else "",
        "papers_number": shown(judged.paper.value, claim.unit),
        "target": shown_target(claim.target, claim.unit),
        "strip": strip(claim, ours, judged.paper),
        "picture": figures.get(claim.figure, ""),
        "table": tables.get(claim.figure, ""),
    }


def strip(claim: Claim, ours: Finding, paper: Finding) -> dict[str, Any] | None:
    """Where the parts of a strip lie, in pixels from the left, and its description; None if there is no number."""
    known = [value for value in (ours.value, ours.low, ours.high, paper.value) if not math.isnan(value)]
    if claim.measure is None or not known:
        return None
    bounds = [bound for bound in (claim.target.low, claim.target.high) if not math.isinf(bound)]
    low, high = min(known + bounds), max(known + bounds)
    margin = 0.08 * (high - low) or 1.0
    low, high = low - margin, high + margin

    def x(value: float) -> float | None:
        if math.isnan(value):
            return None
        return round(EDGE + (WIDTH - 2 * EDGE) * (min(max(value, low), high) - low) / (high - low), 1)

    left, right = x(claim.target.low) or 0.0, x(claim.target.high) or 0.0
    label = f"ours {shown(ours.value, claim.unit) or 'undefined'}"
    if not math.isnan(ours.low):
        label += f", 95% interval {shown(ours.low, claim.unit)} to {shown(ours.high, claim.unit)}"
    label += f"; paper {shown(paper.value, claim.unit) or 'without a number'}"
    label += f"; holds if {shown_target(claim.target, claim.unit)}"
    positions = {"ours": x(ours.value), "low": x(ours.low), "high": x(ours.high), "paper": x(paper.value)}
    target = {"left": left, "width": round(max(right - left, 1), 1), "bounds": [x(bound) for bound in bounds]}
    return {"label": label, **positions, **target}
