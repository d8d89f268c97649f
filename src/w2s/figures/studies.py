"""Shared by the figures of the special studies (21, 22, 25, 26, 27): hues of students, names of error kinds."""

from __future__ import annotations

from collections import defaultdict
from statistics import fmean
from typing import TYPE_CHECKING, Any

from w2s import paper
from w2s.figures import bounds, overlay, style
from w2s.nlp.difficulty.plan import ANY
from w2s.nlp.errors.config import CONFIDENT, LONGEST, RANDOM, SHORTEST, UNCONFIDENT, WEAK

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

KIND_WORDS = {
    WEAK: "weak supervisor",
    RANDOM: "random",
    LONGEST: "longest prompt",
    SHORTEST: "shortest prompt",
    UNCONFIDENT: "strong g.t. model unconfident",
    CONFIDENT: "strong g.t. model confidently correct",
}
METHOD_COLOURS = {"naive": "#3274a2", "confidence": "#e0812b"}  # the paper's colours of baseline and auxiliary loss
OTHER_COLOURS = ("#3a923a", "#9372b2", "#845b53", "#7f7f7f")


def student_colours(table: pd.DataFrame) -> dict[str, Any]:
    """Student -> colour, by pretraining compute."""
    order = table.dropna(subset=["student"]).groupby("student")["student_compute"].first().sort_values().index
    return {str(name): style.hue(number, len(order)) for number, name in enumerate(order)}


def method_colours(table: pd.DataFrame) -> dict[str, str]:
    """Method -> colour; the paper's two, then others."""
    methods = style.methods_of(table)
    others = [name for name in methods if name not in METHOD_COLOURS]
    return {
        name: METHOD_COLOURS.get(name) or OTHER_COLOURS[others.index(name) % len(OTHER_COLOURS)] for name in methods
    }


def spread(about: dict[str, Any], table: pd.DataFrame, value: str, what: str = "band") -> str:
    """The footer's note on a value's bands or whiskers; empty if there are none."""
    found = bounds.basis(table, about.get("spread", "seeds"), value)
    said = f"{what}: {bounds.WORDS[found]}" if found else ""
    return f"means over seeds; {said}" if table["seed"].nunique() > 1 else said


# -- the paper's results ----------------------------------------------------------------------------------------


def paper_by_cutoff(panel: Axes, about: dict[str, Any], beyond: float) -> None:
    """Figure 21's curves, means over its unnamed data sets. beyond: x position of ``any``, in FLOP as all others."""
    cells: dict[str, dict[float, list[float]]] = defaultdict(lambda: defaultdict(list))
    for row in paper.read("nlp_difficulty"):
        place = beyond
        if row["cutoff"] != ANY:
            place = overlay.flop(about, float(row["cutoff"]))
        cells[row["student"]][place].append(float(row["value"]))
    for number, student in enumerate(sorted(cells, key=float)):
        points = sorted((place, fmean(values)) for place, values in cells[student].items())
        panel.plot(*zip(*points, strict=True), color=style.hue(number, len(cells)), **overlay.FAINT)


def paper_bars(figure: int) -> dict[tuple[str, str], float]:
    """(kind, method) -> PGR in percent of Figure 25 or 27, the mean over its data sets; kind is "" in Figure 27."""
    cells: dict[tuple[str, str], list[float]] = defaultdict(list)
    for row in paper.read("error_structure"):
        if row["figure"] == str(figure):
            cells[row["kind"], row["method"]].append(float(row["pgr"]))
    return {cell: fmean(values) for cell, values in cells.items()}


def paper_dynamics(kind: str, method: str, labels: str) -> list[tuple[float, float]]:
    """(epoch, agreement in percent) of Figure 26, the mean over its data sets, evaluation by evaluation."""
    by_dataset: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in paper.read("error_dynamics"):
        if (row["kind"], row["method"], row["labels"]) == (kind, method, labels):
            by_dataset[row["dataset"]].append((float(row["epoch"]), float(row["value"])))
    columns = zip(*(sorted(points) for points in by_dataset.values()), strict=True)
    return [(fmean(x for x, _ in points), fmean(y for _, y in points)) for points in columns]


def paper_note(about: dict[str, Any], table: pd.DataFrame, count: str) -> str:
    """The footer's note on the paper's curves over compute; empty if they are not requested."""
    said = overlay.note(about, table)
    return f"{said}, means over {count} data sets" if said.startswith("faint") else said
