"""Learning curves in the number of weak labels: accuracy and PGR of students trained on a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.nlp.fewer import analysis as fewer

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Students trained on a random part of their supervisor's labels, for as many steps as on all of them: median over "
    "tasks of test accuracy (a) and of the performance gap recovered (b), against the median number of labels. Faint "
    "lines: single tasks. Dashed: the supervisor; black: the ceiling, trained on as much ground truth as all labels."
)
PANELS = {"accuracy": "test accuracy, median over tasks (%)", "pgr": "performance gap recovered, median (%)"}


def needs(plan: Plan) -> list[Run]:
    """One pair: supervisor, ceiling, and students on every share of the labels with every method of the study."""
    return fewer.runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's accuracy and PGR, then the medians over tasks, which are drawn, and their intervals."""
    return fewer.rows(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels, one line per method."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, recovered, studies, style

    table = recovered.read(table, about)
    figure, axes = style.panels(1, 2, share="none", width=4.0, height=3.5, legend=1.7)
    colours = studies.method_colours(table)
    middle = table[table["task"] == aggregate.MEDIAN]
    places = middle.groupby("share")["learned"].mean()
    found = bounds.basis(table, about.get("spread", "seeds"))
    for panel, (value, words) in zip(axes.flat, PANELS.items(), strict=True):
        for method, colour in colours.items():
            _curve(panel, table[table["method"] == method], value, places, colour, found)
        if value == "accuracy":
            for end, line in (("weak", _supervisor()), ("ceiling", _ceiling())):
                panel.axhline(100 * float(middle[end].mean()), zorder=1, **line)
        style.percent_axis(panel, words, with_zero=value == "pgr")
        panel.set_xscale("log")
        panel.set_xticks(list(places), [f"{count:,.0f}" for count in places])
        panel.minorticks_off()
        panel.set_xlabel("weak labels to train on")
    style.label_panels(axes.flat)
    weak, strong = (str(table[name].dropna().iloc[0]) for name in ("supervisor", "student"))
    entries = [
        Line2D([], [], color=colour, marker="o", markersize=4, label=style.METHOD_WORDS.get(method, method))
        for method, colour in colours.items()
    ]
    entries.append(Line2D([], [], label=f"supervisor {weak}", **_supervisor()))
    entries.append(Line2D([], [], label=f"ceiling {strong}", **_ceiling()))
    figure.legend(
        handles=entries, title=f"student {strong}", title_fontsize=8, loc="outside right center", frameon=False
    )
    shares = ", ".join(f"{100 * share:g}" for share in places.index)
    footer.add(figure, about, table, f"{shares}% of the labels", footer.spread(about, table))
    return figure


def _supervisor() -> dict[str, Any]:
    from w2s.figures import style

    return {"color": style.GREY, "linewidth": 1, "linestyle": "--"}


def _ceiling() -> dict[str, Any]:
    from w2s.figures import style

    return {"color": style.TRUTH_COLOUR, "linewidth": 1}


def _curve(
    panel: Axes, rows: pd.DataFrame, value: str, places: pd.Series[float], colour: str, found: str | None
) -> None:
    """The mean over seeds of medians, its band, and the means over seeds of single tasks."""
    from w2s.figures import bounds, curves, hover

    of_medians = rows[rows["task"].isin([aggregate.MEDIAN, aggregate.INTERVAL])]
    for _, of_task in aggregate.without_aggregates(rows).groupby("task"):
        each = (of_task.groupby("share")[value].mean() * 100).dropna()
        panel.plot(places[each.index], each, color=colour, linewidth=0.7, alpha=0.35, zorder=2)
    mean = (of_medians[of_medians["task"] == aggregate.MEDIAN].groupby("share")[value].mean() * 100).dropna()
    if mean.empty:
        return
    band = bounds.of(of_medians, value, found, by="share")
    drawn = panel.plot(places[mean.index], mean, color=colour, marker="o", markersize=4, linewidth=1.6, zorder=4)
    hover.say(drawn, hover.along(of_medians, value, mean, band, by="share"))
    if band:
        low, high = (end.reindex(mean.index) for end in band)
        panel.fill_between(places[mean.index], low, high, color=colour, alpha=curves.BAND, linewidth=0, zorder=3)
