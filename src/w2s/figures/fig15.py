"""Figure 15: chess students versus prompted base models, and agreement with supervisors (paper, Appendix A.2)."""

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
    "Chess puzzles, against the student's pretraining compute. Test accuracy of naive students (a) and of chains of "
    "students (b), compared with prompted base models without finetuning (thick dotted). (c) Share of test puzzles on "
    "which naive students give the same move as their supervisor. Hue: supervisor; black: ground truth."
)
TITLES = ("naive finetuning", "bootstrapping", "agreement with the supervisor")


def needs(plan: Plan) -> list[Run]:
    """Figure 4's runs, and prompted base models."""
    runs = pairs.naive_runs(plan.chess, "fig15") + chess.chain_runs(plan.chess) + chess.zero_shot_runs(plan.chess)
    return unique(runs)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Each run's accuracy (and PGR, which is not drawn); naive students' agreement; the share of legal moves."""
    naive = chess.with_agreement(plan.chess, results, pairs.naive_rows(plan.chess, "fig15", results))
    return naive + chess.chained(plan.chess, results) + chess.zero_shot(plan.chess, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Three panels."""
    from w2s.figures import curves, footer, overlay, style

    figure, axes = style.panels(1, 3, width=3.6, height=3.5, legend=1.6)
    lines = curves.with_chains(table)
    shown = [{pairs.NAIVE}, {chess.BOOTSTRAP}, {pairs.NAIVE}]
    colours = style.supervisor_colours(table)
    for number, (panel, methods, title) in enumerate(zip(axes.flat, shown, TITLES, strict=True)):
        value = "accuracy" if number < 2 else "agreement"
        methods |= {*style.UNSUPERVISED} if number < 2 else set()
        overlay.curves(panel, about, table[table["method"].isin(methods)], value, styles=style.NAIVE_SOLID)
        drawn = lines[lines["method"].isin(methods)]
        curves.by_supervisor(
            panel, drawn, value, spread=about.get("spread", "seeds"), styles=style.NAIVE_SOLID, colours=colours
        )
        style.percent_axis(panel, "accuracy on chess puzzles (%)" if number == 0 else "")
        panel.set_title(title)
    axes[0, 2].set_ylabel("same move as the supervisor (%)")
    for panel in axes.flat:
        style.compute_axis(panel, ticks=8)
        style.gpt4_axis(panel, about, chess.CHESS, ticks=8)
    style.label_panels(axes.flat)
    curves.legend(figure, table, styles=style.NAIVE_SOLID, more=overlay.entries(about, table))
    legal = table.loc[table["method"] == chess.ZERO_SHOT, "legal"].dropna() * 100
    words = f"zero-shot completions that are legal moves: {legal.min():.0f} to {legal.max():.0f}%" if len(legal) else ""
    described = footer.without_pgr(table)
    footer.add(figure, about, described, footer.spread(about, table), words, overlay.note(about, table))
    return figure
