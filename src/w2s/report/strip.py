"""A number with its interval as a line of SVG: what decides shaded, ours a bar, the paper's a diamond."""

from __future__ import annotations

import math
from html import escape

from w2s.claims.claim import Claim, Finding, shown, shown_target

WIDTH, HEIGHT, EDGE = 220, 30, 8  # pixels
MIDDLE = HEIGHT / 2 - 3


def strip(claim: Claim, ours: Finding, paper: Finding) -> str:
    """An inline SVG; "" where there is nothing to draw."""
    known = [value for value in (ours.value, ours.low, ours.high, paper.value) if not math.isnan(value)]
    if claim.measure is None or not known:
        return ""
    bounds = [bound for bound in (claim.target.low, claim.target.high) if not math.isinf(bound)]
    low, high = min(known + bounds), max(known + bounds)
    room = 0.08 * (high - low) or 1.0
    low, high = low - room, high + room

    def x(value: float) -> float:
        inside = min(max(value, low), high)
        return round(EDGE + (WIDTH - 2 * EDGE) * (inside - low) / (high - low), 1)

    left, right = x(claim.target.low), x(claim.target.high)
    parts = [f'<rect class="target" x="{left}" y="2" width="{max(right - left, 1):.1f}" height="{HEIGHT - 10}"/>']
    for bound in bounds:
        parts.append(f'<line class="bound" x1="{x(bound)}" x2="{x(bound)}" y1="2" y2="{HEIGHT - 8}"/>')
    parts.append(f'<line class="axis" x1="{EDGE}" x2="{WIDTH - EDGE}" y1="{HEIGHT - 8}" y2="{HEIGHT - 8}"/>')
    if not math.isnan(paper.value):
        at = x(paper.value)
        corners = f"{at},{MIDDLE - 6} {at + 5},{MIDDLE} {at},{MIDDLE + 6} {at - 5},{MIDDLE}"
        parts.append(f'<polygon class="paper" points="{corners}"/>')
    if not math.isnan(ours.low):
        parts.append(f'<line class="ours" x1="{x(ours.low)}" x2="{x(ours.high)}" y1="{MIDDLE}" y2="{MIDDLE}"/>')
    if not math.isnan(ours.value):
        parts.append(f'<circle class="ours" cx="{x(ours.value)}" cy="{MIDDLE}" r="3.5"/>')
    said = f"ours {shown(ours.value, claim.unit) or 'undefined'}"
    if not math.isnan(ours.low):
        said += f", 95% interval {shown(ours.low, claim.unit)} to {shown(ours.high, claim.unit)}"
    said += (
        f"; paper {shown(paper.value, claim.unit) or 'not read out'}; holds if {shown_target(claim.target, claim.unit)}"
    )
    return (
        f'<svg class="strip" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(said)}">'
        f"<title>{escape(said)}</title>{''.join(parts)}</svg>"
    )
