"""Figure 4: bootstrapping through intermediate students on chess puzzles (paper, Section 4.3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.chess import analysis as chess
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run, unique

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy (a) and performance gap recovered (b) on chess puzzles, against the student's pretraining compute. "
    "Dotted: students finetuned naively on a supervisor's labels. Squares: chains of students, each labelling fresh "
    "puzzles for the next. Hue: first supervisor; black: ground-truth ceiling."
)


def needs(plan: Plan) -> list[Run]:
    """Figure 3's chess runs, and every step of every chain."""
    runs = pairs.naive_runs(plan.chess, "fig4") + chess.chain_runs(plan.chess)
    return unique(runs)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy and PGR; one row per step of a chain."""
    return pairs.naive_rows(plan.chess, "fig4", results) + chess.chained(plan.chess, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels; a chain's line starts at the naive same-size student, which has no PGR."""
    from w2s.figures import curves, footer, overlay, recovered, style

    table = recovered.read(table, about)
    figure, axes = style.panels(1, 2, legend=1.6)
    lines = curves.with_chains(table)
    values = {"accuracy": "accuracy on chess puzzles (%)", "pgr": "performance gap recovered (%)"}
    for panel, (value, words) in zip(axes.flat, values.items(), strict=True):
        overlay.curves(panel, about, table, value)
        curves.by_supervisor(panel, lines, value, spread=about.get("spread", "seeds"))
        style.percent_axis(panel, words, with_zero=value == "pgr")
    for panel in axes.flat:
        style.compute_axis(panel)
        style.gpt4_axis(panel, about, chess.CHESS)
    style.label_panels(axes.flat)
    curves.legend(figure, table, more=overlay.entries(about, table))
    footer.add(figure, about, table, _note(table), footer.spread(about, table), overlay.note(about, table))
    return figure


def _note(table: pd.DataFrame) -> str:
    """A note if no chain goes beyond a naive student."""
    longer = "chain" in table and table["chain"].str.count(chess.STEP).gt(1).any()
    return "" if longer else "no chain is longer than two rungs, so bootstrapping equals naive finetuning here"
