"""The paper's own curves, faint and behind ours, where the axes are comparable (``overlay_paper``)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D

from w2s import paper
from w2s.analysis.pairs import TRUTH
from w2s.figures import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FAINT: dict[str, Any] = {"linewidth": 0.8, "alpha": 0.35, "zorder": 1.5}
LOWEST, HIGHEST = -7.06, 0.0  # log10 of the NLP ladder's ends, as fractions of GPT-4's compute


def wanted(about: dict[str, Any]) -> bool:
    """Whether the experiment asks for the paper's numbers."""
    return bool(about.get("overlay_paper"))


def comparable(about: dict[str, Any], table: pd.DataFrame) -> bool:
    """Whether the experiment asks for the paper's curves and they share a stretch of compute with this ladder."""
    if not wanted(about):
        return False
    ours = table["student_compute"].dropna()
    low, high = (_flop(about, fraction) for fraction in (LOWEST, HIGHEST))
    return bool(ours.min() <= high and ours.max() >= low)


def curves(
    panel: Axes,
    about: dict[str, Any],
    table: pd.DataFrame,
    value: str,
    *,
    styles: style.Styles = style.METHOD_STYLES,
) -> None:
    """The paper's curves of the methods that we draw too, and of the ground truth. See ``w2s.paper`` for the files."""
    if not comparable(about, table):
        return
    methods = [TRUTH, *style.methods_of(table)]
    supervisors = sorted({float(row["supervisor"]) for row in paper.read("nlp_medians") if row["supervisor"]})
    lines: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for row in paper.read("nlp_medians") + paper.read("nlp_agreement"):
        if (
            row["quantity"] == value and row["method"] in methods and row["figure"] != "3"
        ):  # its PGRs are Figure 5's too
            point = (_flop(about, float(row["student"])), float(row["value"]))
            lines.setdefault((row["method"], row["supervisor"]), []).append(point)
    for (method, supervisor), points in lines.items():
        colour = style.TRUTH_COLOUR
        if supervisor:
            colour = style.hue(supervisors.index(float(supervisor)), len(supervisors))
        line = {**styles[method], "markersize": 2.5, **FAINT}
        panel.plot(*zip(*sorted(points), strict=True), color=colour, **line)


def entries(about: dict[str, Any], table: pd.DataFrame) -> list[Line2D]:
    """What the legend says of the paper's curves."""
    if not comparable(about, table):
        return []
    return [Line2D([], [], color=style.TRUTH_COLOUR, label="the paper's own", **FAINT)]


def note(about: dict[str, Any], table: pd.DataFrame) -> str:
    """What the footer says of them; empty if they are not asked for."""
    if not wanted(about):
        return ""
    if comparable(about, table):
        return f"faint curves: the paper's own, placed by GPT-4's compute taken as {about['gpt4_compute']:.2g} FLOP"
    starts, ends = (_flop(about, fraction) for fraction in (LOWEST, HIGHEST))
    if table["student_compute"].max() < starts:
        return f"the paper's curves start at {starts:.2g} FLOP, beyond this ladder"
    return f"the paper's curves end at {ends:.2g} FLOP, short of this ladder"


def bars(panel: Axes, heights: dict[float, tuple[float, float]], *, width: float) -> None:
    """Outlines at the paper's values. heights: place -> (height, half of its error bar or 0), in percent."""
    for place, (height, error) in heights.items():
        line: dict[str, Any] = {"linewidth": 0.8, "zorder": 4}
        panel.bar(place, height, width, fill=False, edgecolor=style.TRUTH_COLOUR, linestyle="--", **line)
        if error:  # to the side of our own
            panel.errorbar(place + width / 4, height, error, color=style.TRUTH_COLOUR, capsize=2, **line)


BARS_NOTE = "dashed outlines: the paper's own"


def _flop(about: dict[str, Any], fraction: float) -> float:
    return float(about["gpt4_compute"]) * math.pow(10, fraction)
