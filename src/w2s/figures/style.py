"""How the paper's figures look: hue by supervisor, line style by method, compute on a log axis."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

import seaborn as sns
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, PercentFormatter

from w2s.analysis.pairs import MEDIAN, TRUTH

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Supervisors from the weakest (dark) to the strongest (yellow); the ceiling is near black.
SUPERVISOR_HUES = LinearSegmentedColormap.from_list(
    "supervisors", ["#2d2c81", "#723293", "#bf1f8e", "#f15d5b", "#f99f1b", "#e4e417"]
)
BRIGHTEST = 0.85  # of the hues' range: pure yellow is hard to see on white
TRUTH_COLOUR = "#231f20"
METHOD_STYLES: dict[str, dict[str, Any]] = {
    TRUTH: {"linestyle": "-", "marker": "o", "linewidth": 1.4, "markersize": 4},
    "naive": {"linestyle": ":", "marker": "o", "linewidth": 1.4, "markersize": 4},
    "confidence": {"linestyle": "-", "marker": "^", "linewidth": 1.6, "markersize": 6},
}
OTHER_STYLES = [
    {"linestyle": line, "marker": marker, "linewidth": 1.4, "markersize": 5}
    for line, marker in (("-", "s"), ("--", "D"), ("-.", "v"), ("--", "P"), ("-.", "X"))
]
FOOTER_WIDTH = 170  # characters
BAND = 0.15  # opacity of the spread over seeds


def panels(rows: int, columns: int, *, width: float = 4.6, height: float = 3.7) -> tuple[Figure, Any]:
    """A figure of boxed panels with a light grid."""
    sns.set_theme(
        style="whitegrid",
        rc={
            "axes.edgecolor": "#555555",
            "axes.linewidth": 0.8,
            "grid.color": "#e4e4e4",
            "font.size": 9,
            "axes.labelsize": 9,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "pdf.fonttype": 42,
            "svg.hashsalt": "w2s",
        },
    )
    return plt.subplots(rows, columns, figsize=(columns * width, rows * height), layout="constrained")


def method_style(method: str, methods: list[str]) -> dict[str, Any]:
    """Line and marker of a method; methods that the paper does not draw get one of their own."""
    if method in METHOD_STYLES:
        return METHOD_STYLES[method]
    others = [name for name in methods if name not in METHOD_STYLES]
    return OTHER_STYLES[others.index(method) % len(OTHER_STYLES)]


def supervisor_colours(table: pd.DataFrame) -> dict[str, Any]:
    """Supervisor -> colour, by pretraining compute."""
    known = table.dropna(subset=["supervisor"])
    order = known.groupby("supervisor")["supervisor_compute"].first().sort_values().index
    places = np.linspace(0, BRIGHTEST, max(len(order), 2))
    return {name: SUPERVISOR_HUES(place) for name, place in zip(order, places, strict=False)}


def _methods(table: pd.DataFrame) -> list[str]:
    return [str(name) for name in dict.fromkeys(table["method"]) if name != TRUTH]


def curves_by_supervisor(panel: Axes, table: pd.DataFrame, value: str) -> None:
    """One curve a supervisor and method over the students' compute, and the ceiling in black."""
    colours, methods = supervisor_colours(table), _methods(table)
    truth = table[table["method"] == TRUTH].dropna(subset=[value])
    if not truth.empty:
        _curve(panel, truth, value, color=TRUTH_COLOUR, zorder=4, **METHOD_STYLES[TRUTH])
    for supervisor, colour in colours.items():
        for method in methods:
            rows = table[(table["supervisor"] == supervisor) & (table["method"] == method)].dropna(subset=[value])
            if not rows.empty:
                _curve(panel, rows, value, color=colour, zorder=3, **method_style(method, methods))


def _curve(panel: Axes, rows: pd.DataFrame, value: str, **line: Any) -> None:
    """Mean over seeds, and a band from the lowest to the highest seed where there are several."""
    cells = (rows[value] * 100).groupby(rows["student_compute"])
    mean, low, high = cells.mean(), cells.min(), cells.max()
    panel.plot(mean.index, mean, **line)
    if rows["seed"].nunique() > 1:
        panel.fill_between(mean.index, low, high, color=line["color"], alpha=BAND, linewidth=0, zorder=2)


def compute_axis(panel: Axes) -> None:
    """x: pretraining compute of the student, log scale, in FLOP."""
    panel.set_xscale("log")
    panel.xaxis.set_major_locator(LogLocator(numticks=12))
    panel.xaxis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=12))
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.tick_params(axis="x", which="both", bottom=True, color="#999999")
    panel.margins(x=0.06)
    panel.set_xlabel("student's pretraining compute (FLOP)")


def percent_axis(panel: Axes, label: str) -> None:
    """Y in percent."""
    panel.set_ylabel(label)
    panel.yaxis.set_major_formatter(PercentFormatter(decimals=0, symbol=""))
    if panel.get_ylim()[0] < 0 < panel.get_ylim()[1]:
        panel.axhline(0, color="#888888", linewidth=0.8, zorder=1)


def legend(figure: Figure, table: pd.DataFrame) -> None:
    """Supervisors by hue, then methods by line, beside the panels."""
    methods = _methods(table)
    entries = [Line2D([], [], color=TRUTH_COLOUR, label="ground truth (ceiling)", **METHOD_STYLES[TRUTH])]
    entries += [
        Line2D([], [], color="#777777", label={"confidence": "confidence loss"}.get(method, method))
        for method in methods
    ]
    for entry, method in zip(entries[1:], methods, strict=True):
        entry.set(**method_style(method, methods))
    entries += [
        Line2D([], [], color=colour, linewidth=4, label=f"supervisor {name}")
        for name, colour in supervisor_colours(table).items()
    ]
    figure.legend(handles=entries, loc="outside right center", frameon=False)


def label_panels(*axes: Axes) -> None:
    """(a), (b), ... above the panels' left corners."""
    for letter, panel in zip("abcdefgh", axes, strict=False):
        panel.set_title(f"({letter})", loc="left", fontsize=9, fontweight="bold")


def footer(figure: Figure, about: dict[str, Any], table: pd.DataFrame) -> None:
    """One line: experiment, runs, seeds, commit; and what is undefined."""
    each = table[table["task"] != MEDIAN]
    undefined = int(
        each.loc[each["supervisor"] != each["student"], "pgr"].isna().sum() - (each["method"] == TRUTH).sum()
    )
    parts = [
        f"experiment {about['experiment']}",
        f"{len(each)} runs",
        f"{each['task'].nunique()} tasks",
        f"{each['seed'].nunique()} seeds" + (" (band: lowest to highest)" if each["seed"].nunique() > 1 else ""),
        f"PGR undefined (ceiling no better than supervisor) in {undefined} cells" if undefined else "",
        f"commit {about['commit']}",
        about.get("note", ""),
    ]
    line = " · ".join(part for part in parts if part)
    figure.supxlabel("\n".join(textwrap.wrap(line, FOOTER_WIDTH)), x=0.01, ha="left", fontsize=6.5, color="#666666")
