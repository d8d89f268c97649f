"""Figure 27: students with label hints from their supervisor (paper, Appendix E.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis.pairs import NLP
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.nlp.errors import analysis as errors

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Performance gap recovered when every prompt, in training and at test time, contains a label hint: the weak "
    "supervisor's prediction. Naive finetuning and confidence loss. Crosses: the same students without label hints."
)
WIDTH = 0.38  # of a bar


def needs(plan: Plan) -> list[Run]:
    """Students with label hints, the same students without, and the ground truth for their PGR."""
    return errors.label_hint_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's accuracy, PGR and agreement with its supervisor."""
    return errors.label_hints(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Paired bars, one pair per task."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    from w2s.figures import bounds, footer, overlay, recovered, studies, style

    table = recovered.read(table, about)
    tasks = style.in_order(table, "task")
    figure, axes = style.panels(1, 1, share="none", width=max(4.0, 0.62 * len(tasks) + 1.2), height=3.6, legend=1.7)
    panel: Axes = axes[0, 0]
    colours = studies.method_colours(table)
    _bars(panel, table, colours, bounds.basis(table, about.get("spread", "seeds"), "pgr"))
    entries: list[Any] = [
        Patch(facecolor=colour, label=style.METHOD_WORDS.get(name, name)) for name, colour in colours.items()
    ]
    entries.append(
        Line2D([], [], color=style.TRUTH_COLOUR, marker="x", linestyle="", markersize=5, label="no label hint")
    )
    if overlay.wanted(about, NLP):
        for (_, method), height in studies.paper_bars(27).items():
            if method in colours:
                panel.axhline(height, color=colours[method], linewidth=0.9, linestyle="--", alpha=0.7, zorder=2)
        entries.append(Line2D([], [], color=style.GREY, linestyle="--", linewidth=0.9, label="paper, mean"))
    style.percent_axis(panel, "performance gap recovered (%)", with_zero=True)
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    weak, strong = table["supervisor"].iloc[0], table["student"].iloc[0]
    appended = about["nlp"]["errors"]["appended"]
    longer = f", {appended['epochs']:g} epochs" if appended["epochs"] else ""
    notes = [f"supervisor {weak}, student {strong}", f"label hint at the {appended['place']} of the text{longer}"]
    notes += [_means(table, colours), studies.spread(about, table, "pgr", "whiskers")]
    footer.add(figure, about, table, *notes, overlay.said(about, [NLP], "dashed: the paper's mean over nine data sets"))
    return figure


def _means(table: pd.DataFrame, colours: dict[str, str]) -> str:
    """Mean and sample standard deviation over tasks, as in the paper."""
    said = []
    for method in colours:
        rows = table[(table["method"] == method) & (table["told"] == 1)]
        each = rows.groupby("task")["pgr"].mean().dropna() * 100
        if len(each) > 1:
            said.append(f"{method} {each.mean():.1f} ± {each.std():.1f}")
    return f"mean and standard deviation over tasks: {', '.join(said)}" if said else ""


def _bars(panel: Axes, table: pd.DataFrame, colours: dict[str, str], found: str | None) -> None:
    from w2s.figures import bounds, hover, style

    tasks = style.in_order(table, "task")
    width = 2 * WIDTH / len(colours)
    for number, (method, colour) in enumerate(colours.items()):
        shift = (number - (len(colours) - 1) / 2) * width
        for place, task in enumerate(tasks):
            rows = table[(table["task"] == task) & (table["method"] == method)]
            rows = rows.dropna(subset=["pgr"])
            told, plain = (rows[rows["told"] == which] for which in (1, 0))
            if len(told):
                mean = told["pgr"].mean() * 100
                bar = panel.bar(place + shift, mean, 0.92 * width, color=colour, linewidth=0, zorder=3)
                ends = bounds.of(told, "pgr", found, by="task")
                hover.say(bar, hover.numbers([f"{hover.who(told)}, label hint"], "pgr", [mean], ends))
                if ends:
                    whisker = bounds.lengths(mean, ends)
                    panel.errorbar(place + shift, mean, whisker, color=style.TRUTH_COLOUR, linewidth=0.9,
                                   capsize=2, zorder=4)  # fmt: skip
            if len(plain):
                height = plain["pgr"].mean() * 100
                cross = panel.plot(place + shift, height, color=style.TRUTH_COLOUR, marker="x", markersize=4, zorder=5)
                hover.say(cross, hover.numbers([f"{hover.who(plain)}, no label hint"], "pgr", [height]))
    panel.set_xticks(range(len(tasks)), tasks, rotation=35, ha="right", rotation_mode="anchor")
    panel.set_xlim(-0.6, len(tasks) - 0.4)
    panel.grid(axis="x", visible=False)
