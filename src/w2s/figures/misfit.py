"""Gain of students over their supervisors against their misfit to weak labels (Charikar et al. 2024)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import misfit, pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "How much smaller a student's test error is than its supervisor's (gain), against its distance from the "
    "supervisor's predictions (misfit): squared distances of probabilities (top), shares of examples classified "
    "differently (bottom). One point per NLP task, pair and seed. Hue: supervisor; dashed: gain = misfit."
)
WORDS = {"squared": "squared error x 100", "rate": "error rate, points"}


def needs(plan: Plan) -> list[Run]:
    """Every pair with every method of the experiment, on all tasks; ground truth at their rungs."""
    nlp = plan.nlp.config
    return pairs.runs(plan.nlp, nlp.methods, nlp.all_tasks(), nlp.pairs())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Gain and misfit of each student; Brier scores, calibration errors, AUROCs and the PGR on AUROC."""
    nlp = plan.nlp.config
    return misfit.compare(plan.nlp, nlp.methods, results, nlp.all_tasks())


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """One column of panels a method; a row of panels shares its axes."""
    import numpy as np
    from matplotlib.lines import Line2D

    from w2s.figures import footer, hover, style

    methods, colours = style.methods_of(table), style.supervisor_colours(table)
    figure, axes = style.panels(2, len(methods), share="none", width=3.2, height=3.0, legend=1.6)
    for line, (kind, words) in zip(axes, WORDS.items(), strict=True):
        gains, misfits = (100 * table[f"{name}_{kind}"] for name in ("gain", "misfit"))
        right = max(float(misfits.max()), 1.0) * 1.06
        low, high = min(float(gains.min()), -0.5) * 1.06, max(float(gains.max()), 0.5) * 1.06
        for panel, method in zip(line, methods, strict=True):
            for name, colour in colours.items():
                chosen = (table["method"] == method) & (table["supervisor"] == name)
                place = {"linestyle": "none", "marker": "o", "markersize": 3.2, "alpha": 0.7, "markeredgewidth": 0}
                drawn = panel.plot(misfits[chosen], gains[chosen], color=colour, **place)
                each = table[chosen].assign(misfit=misfits, gain=gains)
                hover.say(drawn, [_title(row) for _, row in each.groupby(level=0, sort=False)])
            end = np.array([0.0, min(right, high)])
            panel.plot(end, end, color=style.GREY, linewidth=1, linestyle="--", zorder=1)
            panel.axhline(0, color="#888888", linewidth=0.8, zorder=1)
            panel.set_xlim(-0.03 * right, right)
            panel.set_ylim(low, high)
            panel.set_xlabel(f"misfit ({words})")
            panel.set_title(style.METHOD_WORDS.get(method, method) if kind == "squared" else "")
        line[0].set_ylabel(f"gain ({words})")
    style.label_panels(axes.flat)
    entries = [
        Line2D([], [], color=colour, marker="o", markersize=5, linewidth=0, label=f"supervisor {name}")
        for name, colour in colours.items()
    ]
    entries.append(Line2D([], [], color=style.GREY, linewidth=1, linestyle="--", label="gain = misfit"))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    footer.add(figure, about, table)
    return figure


def _title(row: pd.DataFrame) -> str:
    """What the mark of one student says. row: one, with its misfit and gain as drawn."""
    from w2s.figures import hover

    seed, misfit, gain = (row[name].iloc[0] for name in ("seed", "misfit", "gain"))
    return f"{hover.who(row)}, seed {seed}: misfit {misfit:.1f}, gain {gain:z.1f}"
