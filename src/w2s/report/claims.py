"""The verdicts on the paper's claims as one HTML page: no scripts, no files beside it, nothing from the network."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from w2s.claims.claim import FAILS, GAIN_NEAR, HOLDS, OPEN, PGR_NEAR, Finding, shown, shown_target
from w2s.claims.evaluate import Judged, counts
from w2s.report import html
from w2s.report.strip import strip

SETTINGS = {
    "nlp": "NLP tasks",
    "chess": "Chess puzzles",
    "reward": "Reward models",
    "vision": "Vision",
}
MARKS = {HOLDS: "✓", FAILS: "✗", OPEN: "?"}
FILTERS = {"all": "", "only-holds": HOLDS, "only-fails": FAILS, "only-open": OPEN}
READING = f"""
<p>Each claim has a number, measured on the table of one figure, and a range that decides. Both were written before they
were applied to any of our runs; how noise is estimated was settled later. A claim holds if the whole 95% interval
lies in the range (shaded), does not hold if none of it does, and cannot be told otherwise: a small experiment says so
rather than pretend.</p>
<p>Where the paper prints a number (&ldquo;about half&rdquo;), ours meets it within {100 * PGR_NEAR:g} points of a PGR
and within {100 * GAIN_NEAR:g} points of a difference of PGRs, unless the claim says otherwise.</p>
<p>Intervals: with three tasks or more, a bootstrap that draws whole tasks, the same for all that is compared. With
fewer, the noise of each run's accuracy: the spread between seeds, or that of a share of the test examples (binomial)
where it is larger; runs on the same test examples move together as far as these are what is hard.</p>
<p>PGR is taken of means over seeds. It is undefined, and left out, where the gap between supervisor and ceiling is
less than two standard errors of itself. The paper's number is what the same rule gives on numbers read out of its
figures.</p>
"""


def page(
    judged: Sequence[Judged], about: Mapping[str, Any], *, figures: Mapping[str, str], tables: Mapping[str, str]
) -> str:
    """The whole page. figures, tables: figure -> where its picture and its numbers are, from the page."""
    return html.fill(
        "claims",
        f"Claims of the paper: {escape(about['experiment'])}",
        experiment=escape(about["experiment"]),
        summary=summary(judged),
        about=escape(_about(about)),
        filters=filters(judged),
        tables=verdicts(judged, figures),
        reading=READING.strip(),
        details="\n".join(detail(one, figures, tables) for one in judged),
    )


def summary(judged: Sequence[Judged]) -> str:
    """How many claims hold, do not, or cannot be told."""
    found = counts(judged)
    return (
        f"Of {len(judged)} claims, <strong>{found[HOLDS]} hold</strong>, <strong>{found[FAILS]} do not</strong>, and "
        f"<strong>{found[OPEN]} cannot be told</strong> from this experiment."
    )


def _about(about: Mapping[str, Any]) -> str:
    parts = [f"seeds {', '.join(map(str, about['seeds']))}", f"commit {about['commit']}"]
    return " · ".join([*parts, *([about["note"]] if about.get("note") else [])])


def filters(judged: Sequence[Judged]) -> str:
    """Buttons that show the claims of one verdict alone."""
    found = counts(judged) | {"": len(judged)}
    labels = []
    for name, verdict in FILTERS.items():
        chosen = " checked" if name == "all" else ""
        words = f"{verdict or 'all'} ({found[verdict]})"
        labels.append(f'<label><input type="radio" name="show" id="{name}"{chosen}> {words}</label>')
    return "\n".join(labels)


def verdicts(judged: Sequence[Judged], figures: Mapping[str, str]) -> str:
    """A table of verdicts for every setting. figures: figure -> where its picture is, from the page."""
    settings = dict.fromkeys(one.claim.setting for one in judged)
    return "\n".join(_table(setting, judged, figures) for setting in settings)


def _table(setting: str, judged: Sequence[Judged], figures: Mapping[str, str]) -> str:
    rows = "\n".join(_row(one, figures) for one in judged if one.claim.setting == setting)
    columns = "".join(f'<col class="{name}">' for name in ("verdict", "says", "ours", "paper", "picture", "figure"))
    heads = ("verdict", "the paper says", "here, 95% interval", "paper", "ours ●, paper ◇, holds shaded", "figure")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    words = escape(SETTINGS.get(setting, setting))
    top = f"<caption>{words}</caption>\n<colgroup>{columns}</colgroup>\n<thead><tr>{head}</tr></thead>"
    return f'<table class="verdicts">\n{top}\n<tbody>\n{rows}\n</tbody>\n</table>'


def _row(one: Judged, figures: Mapping[str, str]) -> str:
    claim = one.claim
    says = f'<a href="#{claim.name}">{escape(claim.says)}</a>'
    if one.ours.verdict == OPEN and one.ours.reason and math.isnan(one.ours.value):
        says += f'<br><span class="soft">{escape(one.ours.reason)}</span>'
    cells = [
        f"<td>{_verdict(one.ours)}</td>",
        f'<th scope="row">{says}</th>',
        f'<td class="number" data-label="here">{_number(one.ours, claim.unit)}</td>',
        f'<td class="number" data-label="paper">{escape(shown(one.paper.value, claim.unit))}</td>',
        f"<td>{strip(claim, one.ours, one.paper)}</td>",
        f'<td data-label="figure">{_figure(claim.figure, figures)}</td>',
    ]
    return f'<tr data-verdict="{one.ours.verdict}">{"".join(cells)}</tr>'


def _verdict(finding: Finding) -> str:
    kind = finding.verdict.replace(" ", "-")
    mark = f'<span aria-hidden="true">{MARKS[finding.verdict]}</span>'
    return f'<span class="verdict {kind}">{mark} {finding.verdict}</span>'


def _number(finding: Finding, unit: str) -> str:
    """41.3% (30.1 to 52.0)."""
    if math.isnan(finding.value):
        return ""
    value = escape(shown(finding.value, unit))
    if math.isnan(finding.low):
        return value
    low, high = (shown(bound, unit).split("%")[0].split(" ")[0] for bound in (finding.low, finding.high))
    return f'{value}<br><span class="soft">{low} to {high}</span>'


def _figure(name: str, figures: Mapping[str, str]) -> str:
    return f'<a href="{escape(figures[name])}">{escape(name)}</a>' if name in figures else escape(name)


def detail(one: Judged, figures: Mapping[str, str], tables: Mapping[str, str]) -> str:
    """All about one claim. figures, tables: as of ``page``."""
    claim, ours = one.claim, one.ours
    facts = {"the paper": escape(claim.where)}
    if claim.rule:
        facts["rule"] = escape(claim.rule)
        facts["holds if"] = escape(shown_target(claim.target, claim.unit))
    if not math.isnan(ours.value):
        facts["here"] = _number(ours, claim.unit).replace("<br>", " ")
    if not math.isnan(one.paper.value):
        said = escape(shown(one.paper.value, claim.unit))
        facts["paper's number"] = said if one.paper.verdict == HOLDS else f"{said}, by which it {one.paper.verdict}"
    optional = {
        "interval": ours.basis,
        "noise floor": f"of one accuracy: {one.floor}" if one.floor else "",
        "cannot tell": ours.reason,
        "inconsistency": claim.flaw,
    }
    facts |= {name: escape(words) for name, words in optional.items() if words}
    if claim.figure in figures:
        facts["figure"] = _figure(claim.figure, figures)
    if claim.figure in tables:
        facts["figure"] += f', <a href="{escape(tables[claim.figure])}">its numbers</a>'
    listed = "\n".join(f"<dt>{name}</dt><dd>{words}</dd>" for name, words in facts.items())
    return (
        f'<section class="claim" id="{claim.name}" data-verdict="{ours.verdict}">\n'
        f"<h3>{_verdict(ours)} {escape(claim.says)}</h3>\n"
        f"<dl>\n{listed}\n</dl>\n"
        f'<p class="back soft"><a href="#top">back to the verdicts</a></p>\n</section>'
    )
