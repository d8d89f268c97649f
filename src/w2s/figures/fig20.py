"""Figure 20: easy-to-hard generalization on chess by puzzle rating (paper, Appendix C.1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis.bootstrap import HIGH as UPPER
from w2s.analysis.results import Predictions, Results, Row
from w2s.chess import analysis as chess
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy by rating of chess puzzles, one panel per rung, after training on easy puzzles (green; their "
    "ratings shaded), hard ones (purple; also shaded) and all (blue), and of the prompted base model (open circles). "
    "The blocks use different rating cutoffs for easy puzzles. Whiskers: 95% interval over the test puzzles of a bin."
)
CUTOFFS = (1200, 900)  # the paper's two, if the experiment has them
EASY, EVERY, DIFFICULT = "#0c8140", "#3953a4", "#92278f"
PANEL = (1.9, 1.55)  # inches
GAP = 0.12  # between blocks, of a panel's width
APART = 20  # rating points between the curves of a bin, so that their whiskers lie side by side
HEADER = 0.18  # inches, for the name of a block
LOW, HIGH = chess.EASIEST, chess.EASIEST + chess.BINS * chess.WIDTH


def needs(plan: Plan) -> list[Run]:
    """Every rung after training on easy, hard and all puzzles, and before training."""
    return chess.elicited_runs(plan.chess, _methods(plan))


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per run and bin: ``rating`` is its midpoint, ``examples`` its number of puzzles."""
    hard = plan.chess.config.hard

    def describe(test: Predictions) -> list[Row]:
        return [one._asdict() | {"hard": hard} for one in chess.by_rating(test)]

    return chess.by_subset(plan.chess, results, _methods(plan), describe)


def _methods(plan: Plan) -> list[str]:
    easy = sorted(plan.chess.config.easy, reverse=True)
    chosen = [cutoff for cutoff in CUTOFFS if cutoff in easy] or [easy[0], *easy[-1:]]
    return [*map(chess.below, dict.fromkeys(chosen)), chess.ALL, chess.HARD, chess.ZERO_SHOT]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """One block of panels per cutoff, side by side."""
    from w2s.figures import bounds, footer, overlay, style

    cutoffs = [name for name in style.in_order(table, "method") if name.startswith("below-")]
    rungs = style.in_order(table.sort_values("student_compute", kind="stable"), "student")
    columns = math.ceil(math.sqrt(len(rungs)))
    rows = math.ceil(len(rungs) / columns)
    wide = len(cutoffs) * columns + len(cutoffs) - 1
    size = (max(PANEL[0] * len(cutoffs) * columns, 5.2), max(PANEL[1] * rows, 2.2) + 1.0)
    figure = style.new_figure(*size)
    ratios = [GAP if (column + 1) % (columns + 1) == 0 else 1.0 for column in range(wide)]
    grid = figure.add_gridspec(rows + 1, wide, width_ratios=ratios, height_ratios=[HEADER, *[PANEL[1]] * rows])
    top = max(10.0, 100 * float(table["accuracy"].max()) + 4) if table["accuracy"].notna().any() else 100.0
    for block, cutoff in enumerate(cutoffs):
        first = block * (columns + 1)
        header = figure.add_subplot(grid[0, first : first + columns])
        header.set_axis_off()
        words = f"({chr(ord('a') + block)}) easy: rated below {cutoff[6:]}"
        header.text(0, 0, words, ha="left", va="bottom", fontweight="bold", transform=header.transAxes)
        for number, rung in enumerate(rungs):
            row, column = divmod(number, columns)
            panel = figure.add_subplot(grid[row + 1, first + column])
            overlay.by_rating(panel, about, cutoff, table[table["student"] == rung])
            _panel(panel, table[table["student"] == rung], cutoff, top)
            panel.set_title(rung, fontsize=8, pad=3)
            panel.tick_params(labelbottom=number + columns >= len(rungs), labelleft=block == column == 0)
    figure.supylabel("test accuracy (%)", fontsize=9)
    figure.legend(handles=_entries(about), loc="outside upper center", ncols=5, frameon=False)
    seen = table.groupby("rating")["examples"].mean()
    counts = f"bins of {chess.WIDTH} with {seen.min():.0f} to {seen.max():.0f} puzzles"
    means = "means over seeds" if table["seed"].nunique() > 1 else ""
    known = bounds.basis(table, "examples", "accuracy") == "examples"
    whiskers = "whiskers: 95% bootstrap interval over the test puzzles of a bin" if known else ""
    if known and (100 * table["accuracy" + UPPER] > top).any():
        whiskers += ", cut off at the panel's top"
    footer.add(figure, about, table, counts, means, whiskers, overlay.near(about, table))
    figure.text(0.5, footer.reserve(figure, 14), "rating of test puzzles", ha="center", va="bottom", fontsize=9)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, cutoff: str, top: float) -> None:
    from matplotlib.ticker import MultipleLocator

    from w2s.figures import bounds, hover

    panel.axvspan(LOW, min(max(LOW, float(cutoff[6:])), HIGH), color=EASY, alpha=0.1, linewidth=0)
    panel.axvspan(max(LOW, min(float(rows["hard"].iloc[0]), HIGH)), HIGH, color=DIFFICULT, alpha=0.1, linewidth=0)
    looks = _looks(cutoff)
    for number, (method, look) in enumerate(looks.items()):
        of_method = rows[rows["method"] == method]
        mean = of_method.groupby("rating")["accuracy"].mean() * 100  # NaN, a gap in the line, in bins without puzzles
        x = mean.index + APART * (number - (len(looks) - 1) / 2)
        drawn = panel.plot(x, mean, clip_on=False, zorder=3, **look)
        ends = bounds.of(of_method, "accuracy", "examples", by="rating")
        hover.say(drawn, hover.along(of_method, "accuracy", mean, ends, by="rating"))
        if ends:
            low, high = (end.reindex(mean.index) for end in ends)
            whiskers = bounds.lengths(mean, (low, high))
            panel.errorbar(x, mean, whiskers, fmt="none", ecolor=look["color"], elinewidth=0.6, alpha=0.55, zorder=2.5)
    panel.set(xlim=(LOW, HIGH), ylim=(0, top))
    panel.xaxis.set_major_locator(MultipleLocator(600))
    panel.tick_params(labelsize=7)


def _looks(cutoff: str) -> dict[str, dict[str, Any]]:
    """Method -> line and marker."""
    dot: dict[str, Any] = {"marker": "o", "markersize": 2.4, "linewidth": 0.9}
    circle: dict[str, Any] = {"marker": "o", "markersize": 3.4, "linewidth": 0, "markerfacecolor": "none"}
    return {
        chess.HARD: dot | {"color": DIFFICULT},
        chess.ALL: dot | {"color": EVERY},
        cutoff: dot | {"color": EASY},
        chess.ZERO_SHOT: circle | {"color": "#231f20", "markeredgewidth": 0.7},
    }


def _entries(about: dict[str, Any]) -> list[Any]:
    from matplotlib.lines import Line2D

    from w2s.figures import overlay, style

    words = {"": "trained on easy", chess.ALL: "on all", chess.HARD: "on hard", chess.ZERO_SHOT: "zero-shot"}
    looks = _looks("")
    entries = [Line2D([], [], label=said, **looks[method] | {"markersize": 4}) for method, said in words.items()]
    if overlay.wanted(about, chess.CHESS):
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, label="paper", **overlay.FAINT))
    return entries
