"""Figure 2: weak supervisor, naive student, best method and strong ceiling compared (paper, Section 4)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.chess import analysis as chess
from w2s.experiments.plan import Plan
from w2s.figures import best
from w2s.graph.artifact import Run
from w2s.reward import analysis as reward

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Test accuracy of a weak supervisor, a strong student finetuned naively on its labels, a student trained with the "
    "best method, and the strong ceiling, on one task per setting. PGR is the share of the gap that is recovered."
)
COLOURS = {"weak": "#e6e7e8", "naive": "#62ac9c", "best": "#7c277d", "ceiling": "#808285"}
WIDTH = 0.72
CHANCE = {pairs.NLP: 50, reward.REWARD: 50}  # percent; bars start there


def needs(plan: Plan) -> list[Run]:
    """One pair on one task per setting: ground truth, naive, and the best method or all candidates for it."""
    return [run for setting in best.shown(plan) for run in best.runs(plan, setting)]


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """The runs' accuracies; ``bar`` names the bar of a run (the weak bar is the students' ``weak``)."""
    return [row for setting in best.shown(plan) for row in best.rows(plan, setting, results)]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """One panel per setting."""
    from w2s.figures import footer, overlay, recovered, style

    table = recovered.read(table, about)
    settings = style.in_order(table, "setting")
    figure, axes = style.panels(1, len(settings), share="none", width=5.0 if len(settings) < 3 else 4.3, height=4.2)
    for panel, setting in zip(axes.flat, settings, strict=True):
        _panel(panel, table[table["setting"] == setting], about, setting)
    if len(settings) > 1:
        style.label_panels(axes.flat)
    notes = [_elsewhere(table), _own_ceiling(table)]
    notes += [footer.spread(about, table).replace("band", "whiskers")]
    notes += [overlay.said(about, settings, overlay.BARS_NOTE)]
    footer.add(figure, about, table, *notes)
    return figure


def _panel(panel: Axes, rows: pd.DataFrame, about: dict[str, Any], setting: str) -> None:
    from w2s import paper
    from w2s.figures import bounds, hover, overlay, style

    students = rows.dropna(subset=["supervisor"])
    shown: dict[str, tuple[str, pd.DataFrame, str]] = {}  # bar -> words, rows, column
    shown["weak"] = ("weak\nsupervisor", students.drop_duplicates("seed").assign(bar="weak"), "weak")
    for bar in ("naive", "best"):
        of_bar = students[students["bar"] == bar]
        if not of_bar.empty:
            shown[bar] = (_words(bar, students, of_bar), of_bar, "accuracy")
    ceiling = rows[rows["bar"] == "ceiling"]
    if not ceiling.empty:
        started = (ceiling["method"] == reward.GENERATIVE_TRUTH).all()
        words = "strong ceiling,\ngenerative\nfinetuning" if started else "strong\nceiling"
        shown["ceiling"] = (words, ceiling, "accuracy")
    found = bounds.basis(rows, about.get("spread", "seeds"), "accuracy")
    lowest = min(of_bar[column].min() * 100 for _, of_bar, column in shown.values())
    chance = CHANCE.get(setting, 0)
    bottom = chance if lowest >= chance else max(0, 10 * math.floor(lowest / 10 - 0.5))
    for place, (bar, (words, of_bar, column)) in enumerate(shown.items()):
        mean = top = of_bar[column].mean() * 100
        drawn = panel.bar(
            place, mean - bottom, WIDTH, bottom=bottom, color=COLOURS[bar], edgecolor="#555555", linewidth=0.6, zorder=3
        )
        ends = bounds.of(of_bar, column, found, by="bar")
        hover.say(drawn, hover.numbers([" ".join(words.split())], "accuracy", [mean], ends))
        if ends:
            whisker = bounds.lengths(mean, ends)
            top = max(top, float(ends[1].iloc[0]))
            panel.errorbar(place, mean, whisker, color=style.TRUTH_COLOUR, linewidth=1, capsize=3, zorder=5)
        said = f"{mean:.1f}"
        if bar in ("naive", "best"):
            recovered = of_bar["pgr"].mean() * 100
            said += f"\nPGR {recovered:z.0f}%" if not math.isnan(recovered) else "\nPGR undefined"
        behind = {"facecolor": "white", "edgecolor": "none", "alpha": 0.85, "pad": 0.8}  # of outlines, for one
        above: dict[str, Any] = {
            "xytext": (0, 4),
            "textcoords": "offset points",
            "ha": "center",
            "fontsize": 8,
            "zorder": 6,
        }
        panel.annotate(said, (place, top), bbox=behind, **above)
    if overlay.wanted(about, setting):
        heights = paper.bars(2, setting)
        there = {float(place): heights[bar] for place, bar in enumerate(shown) if bar in heights}
        overlay.bars(panel, there, width=WIDTH)
    panel.set_ylim(bottom, 112 if bottom < CHANCE[pairs.NLP] else 108)
    panel.set_xticks(range(len(shown)), [words for words, _, _ in shown.values()])
    panel.grid(axis="x", visible=False)
    style.percent_axis(panel, "test accuracy (%)")
    first = students.iloc[0]
    panel.set_title(
        f"{style.SETTING_WORDS.get(setting, setting)}: {first['task']}, {first['supervisor']} to {first['student']}"
    )


def _elsewhere(table: pd.DataFrame) -> str:
    """A note if the chain of the best bar does not end at the naive student's rung."""
    chains = table[(table["method"] == chess.BOOTSTRAP) & (table["bar"] == "best")]
    naive = table[(table["setting"] == chess.CHESS) & (table["bar"] == "naive")]
    if chains.empty or chains["student"].iloc[0] == naive["student"].iloc[0]:
        return ""
    return f"the chain ends at {chains['student'].iloc[0]}; its PGR uses the ceiling of that rung"


def _own_ceiling(table: pd.DataFrame) -> str:
    """A note if the ceiling drawn is not the one used for the naive student's PGR."""
    if not ((table["method"] == reward.GENERATIVE_TRUTH) & (table["bar"] == "ceiling")).any():
        return ""
    naive = table[(table["setting"] == reward.REWARD) & (table["bar"] == "naive")]
    return f"the naive reward model's PGR uses its own ceiling, {naive['ceiling'].mean() * 100:.1f}%"


def _words(bar: str, students: pd.DataFrame, of_bar: pd.DataFrame) -> str:
    """The tick label of a student's bar."""
    from w2s.figures import style

    if bar == "naive":
        return "student,\nnaive"
    method = str(of_bar["method"].iloc[0])
    words = f"student,\n{style.METHOD_WORDS.get(method, method)}"
    if method == reward.GENERATIVE:
        words = "student,\ngenerative\nfinetuning"
    others = students[students["method"] != pairs.NAIVE]
    if others["chain" if method == chess.BOOTSTRAP else "method"].nunique() > 1:
        words += "\n(best measured)"
    return words
