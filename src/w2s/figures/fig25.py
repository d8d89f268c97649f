"""Figure 25: different kinds of label errors at the same error rate (paper, Appendix E.2)."""

from __future__ import annotations

import math
import textwrap
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
    "Performance gap recovered with labels from a weak supervisor, and with ground truth in which the same number of "
    "labels is flipped: for random examples, for those with the longest or shortest prompts, and for those that a "
    "strong ground-truth model finds hardest or easiest. Naive finetuning and confidence loss, one panel per task."
)
COLUMNS = 3
WIDTH = 0.38  # of a bar


def needs(plan: Plan) -> list[Run]:
    """Students of all six supervisors, and the ground truth for their PGR."""
    return errors.recovered_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each student's accuracy and PGR."""
    return errors.recovered(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Unfilled bars, as in the paper."""
    from matplotlib.patches import Patch

    from w2s.figures import bounds, footer, overlay, recovered, studies, style

    table = recovered.read(table, about)
    tasks = style.in_order(table, "task")
    columns = min(COLUMNS, len(tasks))
    figure, axes = style.panels(
        math.ceil(len(tasks) / columns), columns, share="none", width=3.6, height=3.6, legend=1.3
    )
    colours = studies.method_colours(table)
    found = bounds.basis(table, about.get("spread", "seeds"), "pgr")
    for panel, task in zip(axes.flat, tasks, strict=False):
        _panel(panel, table[table["task"] == task], colours, about, found)
        panel.set_title(task)
    for panel in axes.flat[len(tasks) :]:
        panel.set_axis_off()
    for row in axes:
        row[0].set_ylabel("performance gap recovered (%)")
    entries = [
        Patch(fill=False, edgecolor=colour, linewidth=1.5, label=style.METHOD_WORDS.get(name, name))
        for name, colour in colours.items()
    ]
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    weak, strong = table["supervisor"].iloc[0], table["student"].iloc[0]
    notes = [f"supervisor {weak}, student {strong}", studies.spread(about, table, "pgr", "whiskers")]
    footer.add(
        figure, about, table, *notes, overlay.said(about, [NLP], "dashed: the paper's mean over three data sets")
    )
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, colours: dict[str, str], about: dict[str, Any], found: str | None) -> None:
    from w2s.figures import bounds, hover, overlay, studies, style

    kinds = style.in_order(rows, "kind")
    theirs = studies.paper_bars(25)
    width = 2 * WIDTH / len(colours)
    for number, (method, colour) in enumerate(colours.items()):
        shift = (number - (len(colours) - 1) / 2) * width
        for place, kind in enumerate(kinds):
            of_bar = rows[(rows["kind"] == kind) & (rows["method"] == method)].dropna(subset=["pgr"])
            if len(of_bar):
                mean = of_bar["pgr"].mean() * 100
                bar = panel.bar(
                    place + shift, mean, 0.92 * width, fill=False, edgecolor=colour, linewidth=1.5, zorder=3
                )
                ends = bounds.of(of_bar, "pgr", found, by="kind")
                name = f"{hover.who(of_bar)}, errors of {studies.KIND_WORDS[kind]}"
                hover.say(bar, hover.numbers([name], "pgr", [mean], ends))
                if ends:
                    whisker = bounds.lengths(mean, ends)
                    panel.errorbar(place + shift, mean, whisker, color=colour, linewidth=0.9, capsize=2, zorder=4)
            if overlay.wanted(about, NLP) and (kind, method) in theirs:
                reach = (place + shift - width / 2, place + shift + width / 2)
                panel.plot(reach, [theirs[kind, method]] * 2, color=style.TRUTH_COLOUR, linewidth=0.9, linestyle="--")
    words = ["\n".join(textwrap.wrap(studies.KIND_WORDS[kind], 20)) for kind in kinds]
    panel.set_xticks(range(len(kinds)), words, rotation=50, ha="right", va="center", rotation_mode="anchor")
    panel.set_xlim(-0.6, len(kinds) - 0.4)
    panel.grid(axis="x", visible=False)
    style.percent_axis(panel, with_zero=True)
