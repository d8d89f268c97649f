"""The look of the paper's figures: hue by supervisor, line style by method, compute on a log axis."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import seaborn as sns
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import (
    FixedLocator,
    LogFormatterSciNotation,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    StrMethodFormatter,
)

from w2s.analysis.pairs import NLP, TRUTH
from w2s.chess.analysis import BOOTSTRAP, CHESS, ZERO_SHOT
from w2s.experiments.settings import invented
from w2s.reward.analysis import GENERATIVE, GENERATIVE_TRUTH, REWARD

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.axis import XAxis

# Supervisors from the weakest (dark) to the strongest (yellow); the ceiling is near black.
SUPERVISOR_HUES = LinearSegmentedColormap.from_list(
    "supervisors", ["#2d2c81", "#723293", "#bf1f8e", "#f15d5b", "#f99f1b", "#e4e417"]
)
BRIGHTEST = 0.85  # upper end of the hue range: pure yellow is hard to see on white
# Ratios of compute, from 1 (pale) up. The paper's palest, #d9d9ec, is hard to see on white.
RATIO_HUES = LinearSegmentedColormap.from_list("ratios", ["#c6c5e2", "#918cc4", "#7763ab", "#5f3192", "#4a2a7d"])
# The same from 1 (cyan) to the largest (magenta), of reward models.
GAP_HUES = LinearSegmentedColormap.from_list("gaps", ["#00c1ec", "#59a1d8", "#777aba", "#8a5fa8", "#a5519f", "#c34c9c"])
TRUTH_COLOUR = "#231f20"
GREY = "#666666"
LEAST_SPAN = 10  # minimum span of a y axis, in points

Styles = Mapping[str, Mapping[str, Any]]
METHOD_STYLES: Styles = {
    TRUTH: {"linestyle": "-", "marker": "o", "linewidth": 1.4, "markersize": 4},
    "naive": {"linestyle": ":", "marker": "o", "linewidth": 1.4, "markersize": 4},
    "confidence": {"linestyle": "-", "marker": "^", "linewidth": 1.6, "markersize": 6},
    BOOTSTRAP: {"linestyle": "-", "marker": "s", "linewidth": 2.2, "markersize": 5},
    ZERO_SHOT: {"linestyle": (0, (1, 1.5)), "marker": "x", "linewidth": 2.0, "markersize": 4},
    GENERATIVE: {"linestyle": "-", "marker": "p", "linewidth": 2.0, "markersize": 6},
    GENERATIVE_TRUTH: {"linestyle": "-", "marker": "p", "linewidth": 1.4, "markersize": 6},
}
UNSUPERVISED = (TRUTH, GENERATIVE_TRUTH, ZERO_SHOT)  # drawn once, independent of supervisors
# If naive is the only method, it is solid.
NAIVE_SOLID: Styles = {**METHOD_STYLES, "naive": {**METHOD_STYLES["naive"], "linestyle": "-"}}
OTHER_STYLES: list[dict[str, Any]] = [
    {"linestyle": line, "marker": marker, "linewidth": 1.4, "markersize": 5}
    for line, marker in (("-", "s"), ("--", "D"), ("-.", "v"), ("--", "P"), ("-.", "X"))
]
METHOD_WORDS = {
    TRUTH: "ground truth (ceiling)",
    ZERO_SHOT: "zero-shot",
    "confidence": "confidence loss",
    BOOTSTRAP: "bootstrapping",
    GENERATIVE: "generative finetuning",
    GENERATIVE_TRUTH: "ground truth, generative",
}
SETTING_WORDS = {NLP: "NLP", CHESS: "chess", REWARD: "reward modelling"}


class Layout(ConstrainedLayoutEngine):
    """Constrained layout, rounded: the last bits of its solution differ between drawings."""

    def execute(self, fig: Figure) -> None:
        """Lay out the panels of a figure."""
        super().execute(fig)
        for panel in fig.axes:
            placed = panel.get_in_layout()
            panel.set_position(tuple(np.round(panel.get_position().bounds, 9)))
            panel.set_in_layout(placed)  # setting a position takes it out of the layout


class Picture(Figure):
    """A figure that notebooks show without further ado: it is not one of pyplot's."""

    def _repr_png_(self) -> bytes:
        """What IPython displays."""
        file = io.BytesIO()
        self.savefig(file, format="png", dpi=110)
        return file.getvalue()


def new_figure(width: float, height: float) -> Figure:
    """An empty figure in the common style; inches. It is not registered with pyplot, so it can be garbage-collected."""
    sns.set_theme(
        style="whitegrid",
        rc={
            "axes.edgecolor": "#555555",
            "axes.linewidth": 0.8,
            "grid.color": "#e4e4e4",
            "font.size": 9,
            "axes.labelsize": 9,
            "axes.titlesize": 9,
            "xtick.labelsize": 8,
            "ytick.labelsize": 8,
            "legend.fontsize": 8,
            "pdf.fonttype": 42,
            "svg.hashsalt": "w2s",
        },
    )
    return Picture(figsize=(width, height), layout=Layout())


def panels(
    rows: int,
    columns: int,
    *,
    share: Literal["all", "col", "none"] = "all",
    width: float = 4.0,
    height: float = 3.7,
    legend: float = 0,
) -> tuple[Figure, Any]:
    """A figure and its boxed panels, an array (rows, columns).

    share: which panels share the x axis. width, height: of a panel; legend: width next to the panels.
    """
    figure = new_figure(columns * width + legend, rows * height)
    return figure, figure.subplots(rows, columns, squeeze=False, sharex=share)


def method_style(method: str, methods: Iterable[str], styles: Styles = METHOD_STYLES) -> Mapping[str, Any]:
    """Line and marker of a method; methods that are not in the paper get one of ``OTHER_STYLES``."""
    if method in styles:
        return styles[method]
    others = [name for name in methods if name not in styles]
    return OTHER_STYLES[others.index(method) % len(OTHER_STYLES)]


def supervisor_colours(table: pd.DataFrame) -> dict[str, Any]:
    """Supervisor -> colour, by pretraining compute."""
    known = table.dropna(subset=["supervisor"])
    order = known.groupby("supervisor")["supervisor_compute"].first().sort_values().index
    return {str(name): hue(number, len(order)) for number, name in enumerate(order)}


def hue(number: int, count: int) -> Any:
    """Colour of one of several supervisors; number 0 is the weakest."""
    return SUPERVISOR_HUES(BRIGHTEST * number / max(count - 1, 1))


def methods_of(table: pd.DataFrame) -> list[str]:
    """Methods of students in the order of the table."""
    return [str(name) for name in dict.fromkeys(table["method"].dropna()) if name not in UNSUPERVISED]


def in_order(table: pd.DataFrame, column: str) -> list[str]:
    """The distinct values of a column, in the order of the table."""
    return [str(name) for name in dict.fromkeys(table[column].dropna())]


def compute_axis(panel: Axes, *, label: bool = True, ticks: int = 10) -> None:
    """x: pretraining compute of the student in FLOP, log scale. ticks: maximum number of labelled decades.

    Call it when everything is drawn: tick labels depend on the axis range.
    """
    panel.set_xscale("log")
    panel.margins(x=0.06)
    low, high = panel.get_xlim()
    _log_ticks(panel.xaxis, low, high, ticks)
    panel.tick_params(axis="x", which="both", bottom=True, color="#999999")
    if label:
        panel.set_xlabel(COMPUTE)


def gpt4_axis(panel: Axes, about: Mapping[str, Any], setting: str, *, ticks: int = 10, end: float = math.inf) -> None:
    """A second x axis, above a panel of compute: the same as a fraction of GPT-4's, as in the paper.

    It is left out where the setting's data are synthetic: base models pretrained on them compare with no real ones.
    ticks: as in ``compute_axis``; end: the compute from which on there are none.
    """
    if invented(about, {setting}):
        return
    figure, gpt4 = panel.figure, float(about["gpt4_compute"])
    assert isinstance(figure, Figure)
    if not any(other.child_axes for other in figure.axes):  # the first one
        figure.set_figheight(figure.get_figheight() + HEAD)

    def fraction(flop: Any) -> Any:
        return flop / gpt4

    def flop(fraction: Any) -> Any:
        return fraction * gpt4

    above = panel.secondary_xaxis("top", functions=(fraction, flop))
    low, high = panel.get_xlim()
    if end < high:
        places = decades(low / gpt4, end / gpt4)
        above.set_xticks(places, [power(place) for place in places])
        above.xaxis.set_minor_locator(NullLocator())
    else:
        _log_ticks(above.xaxis, low / gpt4, high / gpt4, ticks)
    above.tick_params(axis="x", which="both", top=True, color="#999999", labelsize=7, pad=1)
    above.spines["top"].set_visible(False)  # the panel's own is there
    above.set_xlabel(FRACTION, fontsize=8, labelpad=3)


def _log_ticks(axis: XAxis, low: float, high: float, ticks: int) -> None:
    """Whole decades; within about one of them, round numbers between as well."""
    axis.set_major_locator(LogLocator(numticks=ticks))
    if math.log10(high / low) < 1.3:
        axis.set_minor_locator(FixedLocator(between(low, high)))
        axis.set_minor_formatter(LogFormatterSciNotation(minor_thresholds=(10, 10)))
        axis.set_tick_params(which="minor", labelsize=7)
    else:
        axis.set_minor_locator(LogLocator(subs=range(2, 10), numticks=ticks))
        axis.set_minor_formatter(NullFormatter())


def between(low: float, high: float) -> list[float]:
    """Round numbers within a narrow range, without whole powers of ten."""
    decades = [10.0**power for power in range(math.floor(math.log10(low)), math.ceil(math.log10(high)))]
    found: list[float] = []
    for steps in ((2, 5), (2, 3, 5), (1.5, 2, 3, 5, 7), (1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8, 9)):
        found = [step * decade for decade in decades for step in steps if low <= step * decade <= high]
        if len(found) > 1:
            break
    return found


def decades(low: float, high: float, most: int = 4) -> list[float]:
    """Powers of ten for the labels of a narrow panel, or other round numbers where there are fewer than two."""
    whole = [10.0**power for power in range(math.ceil(math.log10(low)), math.floor(math.log10(high)) + 1)]
    if len(whole) > 1:
        return whole[:: math.ceil(len(whole) / most)]
    some = sorted([*whole, *between(low, high)]) or [float(f"{math.sqrt(low * high):.1e}")]
    return some[:: math.ceil(len(some) / most)]


def power(number: float) -> str:
    """A tick label: 10^3, or 2x10^3."""
    exponent = math.floor(math.log10(number) + 1e-9)
    times = "" if (factor := number / 10**exponent) < 1.01 else rf"{factor:g}\times"
    return rf"$\mathdefault{{{times}10^{{{exponent}}}}}$"


COMPUTE = "student's pretraining compute (FLOP)"
FRACTION = "fraction of GPT-4's compute"
HEAD = 0.4  # inches, of an axis above the panels


def percent_axis(panel: Axes, label: str = "", *, with_zero: bool = False) -> None:
    """Y in percent, with a line at 0 if that is within the range; shows a note if nothing is drawn.

    It spans at least ten points, so that noise does not look like a finding. Bands may extend it by its own span on
    either side and are cut off there, so that curves stay readable (``cuts_bands``). with_zero: include 0.
    """
    panel.set_ylabel(label)
    low, high = panel.get_ylim()
    drawn = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in panel.lines] or [np.empty(0)])
    drawn = drawn[np.isfinite(drawn)]
    if len(drawn) and _bands(panel):
        reach = max(LEAST_SPAN, np.ptp(drawn))
        low, high = max(low, drawn.min() - reach), min(high, drawn.max() + reach)
    if with_zero and not low < 0 < high:  # leave room for a marker at the far end
        low, high = (-0.04 * high, 1.04 * high) if high > 0 else (1.04 * low, -0.04 * low)
    missing = max(0, LEAST_SPAN - (high - low))
    below = missing / 2
    if low > -0.06 * (high - low):  # no negative values: do not extend below 0
        below = min(below, max(0, low))
    panel.set_ylim(low - below, high + missing - below)
    panel.yaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    if not panel.lines and not panel.patches:
        panel.text(0.5, 0.5, "nothing to draw:\nundefined everywhere", ha="center", va="center", color=GREY,
                   transform=panel.transAxes)  # fmt: skip
        panel.set_yticks([])
    elif panel.get_ylim()[0] < 0 < panel.get_ylim()[1]:
        panel.axhline(0, color="#888888", linewidth=0.8, zorder=1)


def cuts_bands(panel: Axes) -> bool:
    """Whether a band extends beyond the panel's lower or upper edge."""
    low, high = sorted(panel.get_ylim())
    reach = [band.get_datalim(panel.transData) for band in _bands(panel)]
    return any(one.y0 < low or one.y1 > high for one in reach)


def _bands(panel: Axes) -> list[PolyCollection]:
    return [drawn for drawn in panel.collections if isinstance(drawn, PolyCollection)]


def label_panels(axes: Iterable[Axes], first: str = "a") -> None:
    """(a), (b), ... above the left corners of the panels."""
    for number, panel in enumerate(axes):
        panel.set_title(f"({chr(ord(first) + number)})", loc="left", fontweight="bold")


def hide_inner_ticks(grid: np.ndarray[Any, Any], count: int) -> None:
    """For a grid whose first ``count`` panels are used and share x: label the last of each column, hide empty ones."""
    columns = grid.shape[1]
    for number, panel in enumerate(grid.flat):
        below = number + columns
        if number >= count:
            panel.set_axis_off()
        else:
            panel.tick_params(axis="x", which="both", labelbottom=below >= count)
