"""Figure 26: agreement with right and wrong labels during training (paper, Appendix E.2)."""

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
    "Share of test examples on which students agree with their supervisor's labels, against training progress. Solid: "
    "the label is right; dotted: the label is wrong. One row per task, one column per kind of supervisor; hue: "
    "method."
)
LABELS: dict[str, Any] = {"right": "-", "wrong": ":"}


def needs(plan: Plan) -> list[Run]:
    """Students of all six supervisors."""
    return errors.flipped_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per evaluation."""
    return errors.dynamics(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Tasks x kinds."""
    import textwrap

    from matplotlib.lines import Line2D

    from w2s.figures import footer, overlay, studies, style

    tasks, kinds = style.in_order(table, "task"), style.in_order(table, "kind")
    figure, axes = style.panels(len(tasks), len(kinds), width=1.85, height=1.9, legend=1.5)
    colours = studies.method_colours(table)
    for line, task in zip(axes, tasks, strict=True):
        for panel, kind in zip(line, kinds, strict=True):
            rows = table[(table["task"] == task) & (table["kind"] == kind)]
            if overlay.wanted(about, NLP):
                _paper(panel, kind, colours)
            _panel(panel, rows, colours)
            panel.set(ylim=(0, 104), yticks=range(0, 101, 25))
            panel.tick_params(labelleft=panel is line[0])
        line[0].set_ylabel(f"{task}\nagreement (%)")
    for panel, kind in zip(axes[0], kinds, strict=True):
        panel.set_title("\n".join(textwrap.wrap(studies.KIND_WORDS[kind], 20)))
    for panel in axes[-1]:
        panel.set_xlabel("epochs")
    entries = [
        Line2D([], [], color=colour, label=style.METHOD_WORDS.get(name, name)) for name, colour in colours.items()
    ]
    entries += [
        Line2D([], [], color=style.GREY, linestyle=line, label=f"label is {which}") for which, line in LABELS.items()
    ]
    if overlay.wanted(about, NLP):
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, label="paper, mean", **overlay.FAINT))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    weak, strong = table["supervisor"].iloc[0], table["student"].iloc[0]
    notes = [f"supervisor {weak}, student {strong}", studies.spread(about, table, "agreement_right")]
    footer.add(figure, about, table, *notes, overlay.said(about, [NLP], "faint: the paper's mean over three data sets"))
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, colours: dict[str, str]) -> None:
    from w2s.figures import curves, hover

    for method, colour in colours.items():
        of_method = rows[rows["method"] == method]
        for which, line in LABELS.items():
            value = f"agreement_{which}"
            known = of_method.dropna(subset=[value])
            cells = (known[value] * 100).groupby(known["evaluation"])
            x = known["epoch"].groupby(known["evaluation"]).mean()
            drawn = panel.plot(x, cells.mean(), color=colour, linestyle=line, linewidth=1.2, zorder=3)
            names = [f"{hover.who(known)}, epoch {epoch:.3g}" for epoch in x]
            hover.say(drawn, hover.numbers(names, f"agreement where the label is {which}", cells.mean()))
            if rows["seed"].nunique() > 1:
                panel.fill_between(x, cells.min(), cells.max(), color=colour, alpha=curves.BAND, linewidth=0, zorder=2)
    panel.set_xlim(left=0)


def _paper(panel: Axes, kind: str, colours: dict[str, str]) -> None:
    from w2s.figures import overlay, studies

    for method, colour in colours.items():
        for which, line in LABELS.items():
            points = studies.paper_dynamics(kind, method, which)
            if points:
                panel.plot(*zip(*points, strict=True), color=colour, linestyle=line, **overlay.FAINT)
