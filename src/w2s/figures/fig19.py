"""Figure 19: training on easy chess puzzles (paper, Appendix C.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis.results import Predictions, Results, Row
from w2s.chess import analysis as chess
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy on chess puzzles after training on easy ones (one line per rating cutoff, one point per rung) "
    "against accuracy after training on puzzles of any rating, for all test puzzles (a) and for hard ones (b). "
    "Dotted: base models prompted without training. On the diagonal, training on easy puzzles works as well as "
    "training on all."
)
HUES = ("#152952", "#34476f", "#686b71", "#958e75", "#c9b55a", "#ffe500")  # from the lowest cutoff to the highest
VALUES = ("accuracy", "accuracy_hard")


def needs(plan: Plan) -> list[Run]:
    """Every rung after training on all puzzles, on those below each cutoff, and before training."""
    return chess.elicited_runs(plan.chess, _methods(plan))


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy on all test puzzles and on hard ones, and their numbers."""
    hard = plan.chess.config.hard

    def describe(test: Predictions) -> list[Row]:
        of_hard = {"accuracy_hard": chess.share(test, rated_from=hard), "examples_hard": chess.rated(test, hard)}
        return [{"accuracy": chess.share(test)} | of_hard | {"examples": len(test["id"]), "hard": hard}]

    return chess.by_subset(plan.chess, results, _methods(plan), describe)


def _methods(plan: Plan) -> list[str]:
    return [chess.ALL, *map(chess.below, sorted(plan.chess.config.easy)), chess.ZERO_SHOT]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels, means over seeds."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, overlay, studies, style

    figure, axes = style.panels(1, 2, share="none", width=4.0, height=3.8, legend=1.6)
    colours = _colours(table)
    hard = int(table["hard"].iloc[0])
    found = bounds.basis(table, about.get("spread", "seeds"), "accuracy")
    for panel, value in zip(axes.flat, VALUES, strict=True):
        overlay.easy_to_hard(panel, about, "all" if value == "accuracy" else "hard", colours)
        _panel(panel, table, value, colours, found)
    axes[0, 0].set_title("all test puzzles")
    axes[0, 1].set_title(f"test puzzles rated {hard:,} and above")
    axes[0, 0].set_ylabel("accuracy, trained on easy puzzles (%)")
    style.label_panels(axes.flat)
    entries = [Line2D([], [], color=style.GREY, linewidth=0.9, linestyle="--", label="equal to all puzzles")]
    entries += [_key(style.TRUTH_COLOUR, "zero-shot", **style.METHOD_STYLES[chess.ZERO_SHOT])]
    entries += [_key(colour, f"rated below {method[6:]}", marker="o") for method, colour in colours.items()]
    if overlay.wanted(about, chess.CHESS):
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, label="paper", **overlay.FAINT))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    counts = f"{table['examples'].mean():,.0f} test puzzles, {table['examples_hard'].mean():,.0f} of them hard"
    spread = studies.spread(about, table, "accuracy", "whiskers")
    footer.add(figure, about, table, counts, spread, overlay.said(about, [chess.CHESS], overlay.BEHIND))
    return figure


def _key(colour: Any, label: str, **line: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=colour, label=label, **{"linewidth": 1.4, "markersize": 4} | line)


def _colours(table: pd.DataFrame) -> dict[str, Any]:
    """Method of a cutoff -> colour; the paper's six colours, interpolated for other numbers."""
    from matplotlib.colors import LinearSegmentedColormap

    from w2s.figures import style

    hues = LinearSegmentedColormap.from_list("cutoffs", HUES)
    methods = [name for name in style.in_order(table, "method") if name not in (chess.ALL, chess.ZERO_SHOT)]
    return {name: hues(number / max(len(methods) - 1, 1)) for number, name in enumerate(methods)}


def _panel(panel: Axes, table: pd.DataFrame, value: str, colours: dict[str, Any], found: str | None) -> None:
    from matplotlib.ticker import MaxNLocator

    from w2s.figures import bounds, hover, style

    known = table.dropna(subset=[value])
    mean = known.groupby(["method", "student_compute"])[value].mean() * 100
    across = mean.get(chess.ALL)
    for method, colour in {**colours, chess.ZERO_SHOT: style.TRUTH_COLOUR}.items():
        if across is None or method not in mean:
            continue
        up = mean[method].reindex(across.sort_values(kind="stable").index).dropna()  # hard puzzles: not by compute
        x = across[up.index]
        zero_shot = method == chess.ZERO_SHOT
        line = style.METHOD_STYLES[chess.ZERO_SHOT] if zero_shot else {"marker": "o", "linewidth": 1.4, "markersize": 4}
        drawn = panel.plot(x, up, color=colour, zorder=4 if zero_shot else 3, **line)
        of_method = known[known["method"] == method]
        ends = bounds.of(of_method, value, found, by="student_compute")
        hover.say(drawn, hover.along(of_method, value, up, ends, by="student_compute"))
        if ends:
            low, high = (end.reindex(up.index) for end in ends)
            whiskers = bounds.lengths(up, (low, high))
            panel.errorbar(x, up, whiskers, fmt="none", ecolor=colour, elinewidth=0.7, alpha=0.6, zorder=2.5)
    style.percent_axis(panel)
    if panel.lines:  # the same scale on both axes, from 0
        end = max(panel.get_xlim()[1], panel.get_ylim()[1])
        panel.set(xlim=(0, end), ylim=(0, end))
        panel.plot([0, end], [0, end], color=style.GREY, linewidth=0.9, linestyle="--", zorder=1)
        panel.xaxis.set_major_locator(MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]))
    panel.set_xlabel("accuracy, trained on all puzzles (%)")
