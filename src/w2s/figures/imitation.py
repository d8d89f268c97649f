"""Shared by Figures 8 and 16: agreement with supervisors, overall and where they are right or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, agreement

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from w2s.figures.style import Styles

WORDS = ("all test examples", "supervisor is right", "supervisor is wrong")


def draw(table: pd.DataFrame, about: dict[str, Any], *, styles: Styles) -> Figure:
    """The three panels; pairs without examples of a panel's kind are omitted there."""
    from w2s.figures import curves, footer, overlay, style

    figure, axes = style.panels(1, 3, width=3.6, height=3.5, legend=1.6)
    shown = aggregate.shown(table)
    for panel, value, words in zip(axes.flat, agreement.VALUES, WORDS, strict=True):
        overlay.curves(panel, about, shown, value, styles=styles)
        curves.by_supervisor(panel, shown, value, spread=about.get("spread", "seeds"), styles=styles)
        style.percent_axis(panel)
        panel.set_title(words)
    (setting,) = style.in_order(table, "setting")
    for panel in axes.flat:
        style.compute_axis(panel, ticks=8)
        style.gpt4_axis(panel, about, setting, ticks=8)
    medians = ", median over tasks" if aggregate.has_medians(shown) else ""
    axes[0, 0].set_ylabel(f"agreement{medians} (%)")
    style.label_panels(axes.flat)
    curves.legend(figure, shown, styles=styles, more=overlay.entries(about, shown))
    last = "students at their last step"
    footer.add(figure, about, table, last, footer.spread(about, table), overlay.note(about, shown))
    return figure
