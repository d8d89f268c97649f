"""Figure 1: the superalignment analogy (paper, Section 1). A drawing: it needs no runs and shows no data."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Who supervises whom. (a) Today humans supervise models weaker than themselves. (b) In the future they will have "
    "to supervise models stronger than themselves. (c) An analogy that can be studied today: weak models supervise "
    "strong ones."
)
HUMAN, MODEL = "human", "model"
# Capability relative to human level (1): heights in the drawing, not measurements.
PANELS = {
    "a": ("Supervised learning", (HUMAN, "human", 1.0), (MODEL, "student", 0.3)),
    "b": ("Superalignment", (HUMAN, "human", 1.0), (MODEL, "superhuman\nstudent", 1.55)),
    "c": ("Our analogy", (MODEL, "weak\nsupervisor", 0.15), (MODEL, "strong\nstudent", 0.42)),
}
COLOURS = {HUMAN: "#5f6b76", "supervisor": "#723293", "student": "#f15d5b"}
LEFT, RIGHT = 0.95, 2.35  # x positions within a panel of width 3.4
WIDTH, GAP = 3.4, 0.25
PILLAR = 0.74  # width
TOP = 2.15
ICON = 0.27  # radius


def needs(plan: Plan) -> list[Run]:
    """Nothing."""
    return []


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per actor and panel: ``kind`` human or model, ``capability`` relative to human level (1)."""
    return [
        {"panel": panel, "title": title, "role": role, "kind": kind, "actor": actor, "capability": capability}
        for panel, (title, *actors) in PANELS.items()
        for role, (kind, actor, capability) in zip(("supervisor", "student"), actors, strict=True)
    ]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Three panels side by side, with human level across all of them."""
    from w2s.figures import style

    titles = style.in_order(table, "panel")
    across = len(titles) * WIDTH + (len(titles) - 1) * GAP
    figure = style.new_figure(1.02 * across, 3.5)
    panel = figure.add_subplot()
    panel.set_axis_off()
    panel.set(xlim=(-0.25, across + 0.05), ylim=(-0.62, TOP + 0.32), aspect="equal")
    panel.plot([0, across], [1, 1], color="#888888", linewidth=1, linestyle=(0, (5, 4)), zorder=2)
    level: dict[str, Any] = {"ha": "right", "va": "bottom", "fontsize": 8, "color": style.GREY, "linespacing": 1.0}
    panel.text(WIDTH - 0.06, 1.03, "human\nlevel", **level)
    panel.annotate("", (-0.12, TOP), (-0.12, 0), arrowprops={"arrowstyle": "-|>", "color": "#888888"})
    panel.text(-0.17, TOP / 2, "capability", rotation=90, ha="right", va="center", fontsize=8, color=style.GREY)
    for number, name in enumerate(titles):
        _panel(panel, table[table["panel"] == name], name, number * (WIDTH + GAP))
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, name: str, left: float) -> None:
    from matplotlib.patches import FancyBboxPatch

    box: dict[str, Any] = {
        "boxstyle": "round,pad=0,rounding_size=0.12",
        "linewidth": 0,
        "facecolor": "#f5f5f7",
        "zorder": 0,
    }
    panel.add_patch(FancyBboxPatch((left, 0), WIDTH, TOP, **box))
    title = str(rows["title"].iloc[0])
    panel.text(left, TOP + 0.1, f"({name}) {title}", ha="left", va="bottom", fontsize=11, fontweight="bold")
    tops = {}
    for row in rows.to_dict("records"):
        middle = left + (LEFT if row["role"] == "supervisor" else RIGHT)
        colour = COLOURS[HUMAN] if row["kind"] == HUMAN else COLOURS[str(row["role"])]
        height = float(row["capability"])
        pillar: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.05", "linewidth": 0, "facecolor": colour}
        panel.add_patch(FancyBboxPatch((middle - PILLAR / 2, 0), PILLAR, height, alpha=0.28, zorder=1, **pillar))
        panel.plot([middle - PILLAR / 2, middle + PILLAR / 2], [height] * 2, color=colour, linewidth=2.5, zorder=3)
        icon = _human if row["kind"] == HUMAN else _model
        icon(panel, middle, height + ICON + 0.06, colour)
        panel.text(middle, -0.08, str(row["actor"]), ha="center", va="top", fontsize=9, color=colour)
        tops[row["role"]] = (middle, height + ICON + 0.06)
    _arrow(panel, *tops["supervisor"], *tops["student"])


def _arrow(panel: Axes, x0: float, y0: float, x1: float, y1: float) -> None:
    """From the supervisor's head to the student's."""
    look = {"arrowstyle": "-|>", "mutation_scale": 14, "linewidth": 1.8, "color": "#333333", "shrinkA": 0, "shrinkB": 0}
    start, end = (x0 + ICON + 0.08, y0), (x1 - ICON - 0.1, y1)
    panel.annotate("", end, start, arrowprops=look | {"connectionstyle": "arc3,rad=0"}, zorder=4)
    middle = ((start[0] + end[0]) / 2 + (0.08 if y1 < y0 else -0.12), (y0 + y1) / 2 + 0.1 + 0.18 * abs(y1 - y0))
    panel.text(*middle, "labels", ha="center", va="bottom", fontsize=9, style="italic", color="#333333", zorder=5)


def _human(panel: Axes, x: float, y: float, colour: str) -> None:
    """A head above shoulders."""
    from matplotlib.patches import Circle, Wedge

    panel.add_patch(Circle((x, y + 0.12), 0.125, facecolor=colour, linewidth=0, zorder=5))
    panel.add_patch(Wedge((x, y - ICON), ICON - 0.02, 0, 180, facecolor=colour, linewidth=0, zorder=5))


def _model(panel: Axes, x: float, y: float, colour: str) -> None:
    """A small fully connected network with three layers."""
    layers = {-0.2: (-0.14, 0.14), 0.0: (-0.2, 0.0, 0.2), 0.2: (0.0,)}
    places = list(layers.items())
    for (dx, nodes), (next_dx, following) in pairwise(places):
        for node in nodes:
            for other in following:
                panel.plot([x + dx, x + next_dx], [y + node, y + other], color=colour, linewidth=0.8, zorder=5)
    for dx, nodes in layers.items():
        panel.scatter([x + dx] * len(nodes), [y + node for node in nodes], s=22, color=colour, linewidth=0, zorder=6)
