"""Shared by Figures 10, 17 and 18: reward models with and without generative finetuning (Section 5.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, pairs
from w2s.reward.analysis import REWARD

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from w2s.figures.style import Styles


def styles() -> Styles:
    """Solid lines for generative finetuning, other lines without."""
    from w2s.figures import style

    plain = style.METHOD_STYLES[pairs.TRUTH]
    return {**style.METHOD_STYLES, pairs.TRUTH: {**plain, "linestyle": "--", "linewidth": 1.0, "markersize": 3}}


def draw(table: pd.DataFrame, about: dict[str, Any], number: int, *notes: str) -> Figure:
    """Accuracy (a) and PGR (b). number: the figure; selects the paper's results for the overlay."""
    from w2s import paper
    from w2s.figures import curves, footer, overlay, recovered, style

    table = recovered.read(table, about)
    figure, axes = style.panels(1, 2, legend=2.6)
    shown = aggregate.shown(table)
    middle = ", median" if aggregate.has_medians(shown) else ""
    papers = [row for row in paper.read("reward_generative") if row["figure"] == str(number)]
    values = {"accuracy": f"test accuracy{middle} (%)", "pgr": f"performance gap recovered{middle} (%)"}
    for panel, (value, words) in zip(axes.flat, values.items(), strict=True):
        overlay.curves(panel, about, shown, value, styles=styles(), rows=papers)
        curves.by_supervisor(panel, shown, value, spread=about.get("spread", "seeds"), styles=styles())
        style.percent_axis(panel, words, with_zero=value == "pgr")
        style.compute_axis(panel)
        style.gpt4_axis(panel, about, REWARD)
    style.label_panels(axes.flat)
    curves.legend(figure, shown, styles=styles(), more=overlay.entries(about, shown))
    footer.add(figure, about, table, *notes, footer.spread(about, table), overlay.note(about, shown))
    return figure
