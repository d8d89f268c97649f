"""Figure 21: training on examples up to a difficulty cutoff (paper, Appendix C.2)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis.pairs import NLP
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact
from w2s.nlp.difficulty import analysis as difficulty
from w2s.nlp.difficulty.plan import ANY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy after training on the ground truth of examples up to a difficulty cutoff, with the same number of "
    "examples at every cutoff. An example's difficulty is the pretraining compute of the smallest rung from which on "
    "all ground-truth models classify it correctly without having seen it. Hue: student. Star: the cutoff is the "
    "student itself. Right end: no cutoff."
)
CUTOFF = "difficulty cutoff (rung's compute, FLOP)"
COLUMNS = 4
BEYOND, LEAST = 0.25, 0.3  # decades from the last rung to "any": a share of the rungs' span, and the minimum
MARGIN = 0.08  # on either side, as a share of the axis
TASK_WIDTH, LEGEND = 2.6, 1.5  # inches


def needs(plan: Plan) -> list[Artifact]:
    """Every student at every cutoff, and the difficulty of the examples."""
    return difficulty.cutoff_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy."""
    return difficulty.by_cutoff(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """One panel per task, each with its own y axis."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, overlay, studies, style

    tasks = style.in_order(table, "task")
    columns = min(COLUMNS, len(tasks))
    figure, axes = style.panels(
        math.ceil(len(tasks) / columns), columns, share="none", width=TASK_WIDTH, height=2.6, legend=LEGEND
    )
    places = _places(table)
    colours = studies.student_colours(table)
    compared = overlay.comparable(about, table)
    found = bounds.basis(table, about.get("spread", "seeds"), "accuracy")
    for panel, task in zip(axes.flat, tasks, strict=False):
        if compared:
            studies.paper_by_cutoff(panel, about, places[ANY])
        _panel(panel, table[table["task"] == task], places, colours, found)
        panel.set_title(task)
    for number, panel in enumerate(axes.flat):
        if number >= len(tasks):
            panel.set_axis_off()
        elif number + columns >= len(tasks):
            panel.set_xlabel(CUTOFF, fontsize=8)
    for panel in axes[0]:
        style.gpt4_axis(panel, about, NLP, end=max(place for name, place in places.items() if name != ANY))
    for row in axes:
        row[0].set_ylabel("test accuracy (%)")
    entries = [Line2D([], [], color=colour, marker="o", markersize=4, label=name) for name, colour in colours.items()]
    entries.append(Line2D([], [], color=style.GREY, marker="*", markersize=9, linestyle="", label="cutoff = student"))
    if compared:
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, label="paper, mean", **overlay.FAINT))
    figure.legend(handles=entries, title="student", title_fontsize=8, loc="outside right center", frameon=False)
    trained = " to ".join(
        dict.fromkeys(f"{count:,}" for count in (table["trained_on"].min(), table["trained_on"].max()))
    )
    counts = f"trained on {trained} examples, the same number at every cutoff of a task"
    cutoffs = f"cutoffs from left to right: {', '.join(name for name in places if name != ANY)}, any"
    footer.add(
        figure,
        about,
        table,
        cutoffs,
        counts,
        studies.spread(about, table, "accuracy"),
        studies.paper_note(about, table, "seven"),
    )
    return figure


def _places(table: pd.DataFrame) -> dict[str, float]:
    """Cutoff -> x position: the rung's compute in FLOP, or beyond the last."""
    rungs = table.dropna(subset=["cutoff_compute"]).groupby("cutoff")["cutoff_compute"].first().sort_values()
    first, last = float(rungs.min()), float(rungs.max())
    places = {str(name): float(compute) for name, compute in rungs.items()}
    return places | {ANY: last * 10 ** max(BEYOND * math.log10(last / first), LEAST)}


def _panel(
    panel: Axes, rows: pd.DataFrame, places: dict[str, float], colours: dict[str, Any], found: str | None
) -> None:
    from matplotlib.ticker import NullLocator

    from w2s.figures import bounds, curves, hover, style

    for student, colour in colours.items():
        of_student = rows[rows["student"] == student]
        mean = (of_student.groupby("cutoff")["accuracy"].mean() * 100).reindex(list(places)).dropna()
        x = [places[str(name)] for name in mean.index]
        inside = len(x) - (ANY in mean.index)
        band = bounds.of(of_student, "accuracy", found, by="cutoff")
        titles = list(hover.along(of_student, "accuracy", mean, band, by="cutoff"))
        dots: dict[str, Any] = {"color": colour, "marker": "o", "markersize": 4, "zorder": 3}
        hover.say(panel.plot(x[:inside], mean.iloc[:inside], linewidth=1.4, **dots), titles[:inside])
        dotted = panel.plot(x[inside - 1 :], mean.iloc[inside - 1 :], linewidth=1.0, linestyle=":", **dots)
        hover.say(dotted, titles[inside - 1 :])
        if student in mean.index:
            panel.plot(places[student], mean[student], color=colour, marker="*", markersize=11, zorder=4)
        if band:
            low, high = (end.reindex(mean.index) for end in band)
            panel.fill_between(x, low, high, color=colour, alpha=curves.BAND, linewidth=0, zorder=2)
    style.percent_axis(panel)
    *rungs, beyond = places.values()
    first, last = rungs[0], rungs[-1]
    margin = (beyond / first) ** MARGIN
    panel.set_xscale("log")
    panel.set_xlim(first / margin, beyond * margin)  # the paper's curves may extend further
    ticks = style.decades(first / margin, last * margin**0.5)
    panel.set_xticks([*ticks, beyond], [*map(style.power, ticks), "any"])
    panel.xaxis.set_minor_locator(NullLocator())
    _break(panel, last, beyond)


def _break(panel: Axes, last: float, beyond: float) -> None:
    """Two strokes across the axis between the last rung and "any"."""
    line: dict[str, Any] = {"color": "#555555", "linewidth": 0.9, "clip_on": False, "zorder": 5}
    middle, width = math.sqrt(last * beyond), (beyond / last) ** (1 / 12)
    for place in (middle / width, middle * width):
        panel.plot([place / width, place * width], [-0.025, 0.025], transform=panel.get_xaxis_transform(),
                   scalex=False, scaley=False, **line)  # fmt: skip
