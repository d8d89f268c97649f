"""Figure 22: training on the examples judged easiest (paper, Appendix C.3)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact
from w2s.nlp.difficulty import analysis as difficulty
from w2s.nlp.difficulty.plan import ANY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "(a) Elo ratings of questions from a judge's pairwise comparisons (the harder one wins), by difficulty according "
    "to held-out ground-truth models. Boxes: quartiles; whiskers: 5th and 95th percentiles. (b) Mean test accuracy "
    "over tasks of students trained on the ground truth of the questions judged easiest, or of all questions."
)
COLOURS = {30: "#1f77b4", 50: "#f57e20", 100: "#231f20"}  # the paper's
OTHERS = ("#3a923a", "#9372b2", "#845b53", "#d684bd")


def needs(plan: Plan) -> list[Artifact]:
    """Ratings and held-out difficulty; every student on every share."""
    return difficulty.judged_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Box statistics of ratings, then each run's accuracy."""
    return difficulty.by_judge(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, overlay, studies, style

    figure, axes = style.panels(1, 2, share="none", width=4.0, height=3.6, legend=1.4)
    ratings = table[(table["panel"] == difficulty.RATINGS) & (table["task"] == difficulty.POOLED)]
    accuracies = table[table["panel"] == difficulty.ACCURACIES]
    _ratings(axes[0, 0], ratings)
    colours = _colours(accuracies)
    compared = overlay.comparable(about, accuracies)
    if compared:
        _paper(axes[0, 1], about, colours)
    found = bounds.basis(accuracies, about.get("spread", "seeds"), "accuracy")
    _accuracies(axes[0, 1], accuracies, colours, found)
    style.compute_axis(axes[0, 1])
    style.gpt4_axis(axes[0, 1], about, pairs.NLP)
    style.label_panels(axes.flat)
    entries = [
        Line2D([], [], color=colour, marker="o", markersize=4, label=_words(share))
        for share, colour in sorted(colours.items(), reverse=True)
    ]
    if compared:
        entries.append(Line2D([], [], color=style.TRUTH_COLOUR, label="paper", **overlay.FAINT))
    figure.legend(handles=entries, title="trained on", title_fontsize=8, loc="outside right center", frameon=False)
    judge = about["nlp"]["difficulty"]["judge"]
    notes = [f"judge: {_judge(judge, about)}"]
    correlation = ratings["correlation"].iloc[0]
    notes += [f"rank correlation of rating and difficulty {correlation:.2f}" if not math.isnan(correlation) else ""]
    notes += [studies.spread(about, accuracies, "accuracy"), overlay.note(about, accuracies)]
    footer.add(figure, about, accuracies, *notes)
    return figure


def _judge(judge: dict[str, Any], about: dict[str, Any]) -> str:
    """A short description of the judge."""
    if ":" in judge["by"]:
        return str(judge["by"])
    rung = judge["rung"] or about["nlp"]["ladder"][-1]["name"]
    return f"confidence of {rung}, not finetuned" if judge["by"] == "confidence" else f"{rung}, prompted"


def _words(share: int) -> str:
    return "all" if share == 100 else f"easiest {share}%"


def _ratings(panel: Axes, rows: pd.DataFrame) -> None:
    from w2s.figures import style

    known = rows.dropna(subset=["middle"]).sort_values("place")
    boxes = [
        {"med": row["middle"], "q1": row["lower"], "q3": row["upper"], "whislo": row["low"], "whishi": row["high"],
         "fliers": []}
        for row in known.to_dict("records")
    ]  # fmt: skip
    line = {"color": "#3274a2", "linewidth": 1.2}
    if boxes:
        panel.bxp(
            boxes,
            positions=list(known["place"]),
            widths=0.6,
            showfliers=False,
            boxprops=line,
            whiskerprops=line,
            capprops=line,
            medianprops={"color": "#e0812b", "linewidth": 1.6},
        )
    words = [
        f"{'none' if row['cutoff'] == ANY else row['cutoff']}\n{int(row['examples']):,}"
        for row in rows.sort_values("place").to_dict("records")
    ]
    panel.set_xticks(list(rows["place"].sort_values()), words)
    panel.set_xlim(-0.6, len(rows) - 0.4)
    panel.set_xlabel("smallest rung from which all are right; examples")
    panel.set_ylabel("judge's Elo rating (high: hard)")
    panel.grid(axis="x", visible=False)
    panel.tick_params(axis="x", color=style.GREY)


def _colours(accuracies: pd.DataFrame) -> dict[int, str]:
    shares = sorted({int(share) for share in accuracies["share"]})
    others = [share for share in shares if share not in COLOURS]
    return {share: COLOURS.get(share) or OTHERS[others.index(share) % len(OTHERS)] for share in shares}


def _accuracies(panel: Axes, rows: pd.DataFrame, colours: dict[int, str], found: str | None) -> None:
    from w2s.figures import bounds, curves, hover, style

    for share, colour in colours.items():
        of_share = rows[rows["share"] == share]
        mean = of_share.groupby("student_compute")["accuracy"].mean() * 100
        drawn = panel.plot(mean.index, mean, color=colour, marker="o", markersize=4, linewidth=1.4, zorder=3)
        band = bounds.of_means(of_share, "accuracy", found, by="student_compute")
        hover.say(drawn, hover.along(of_share, "accuracy", mean, band, by="student_compute"))
        if band:
            low, high = band
            panel.fill_between(low.index, low, high, color=colour, alpha=curves.BAND, linewidth=0, zorder=2)
    style.percent_axis(panel, "test accuracy, mean over tasks (%)")


def _paper(panel: Axes, about: dict[str, Any], colours: dict[int, str]) -> None:
    """The paper's three curves."""
    from w2s import paper
    from w2s.figures import overlay

    for share, method in ((30, "easiest-30"), (50, "easiest-50"), (100, "all")):
        rows = [row for row in paper.read("nlp_judged") if row["method"] == method]
        if share in colours:
            points = [(float(row["student"]), float(row["value"])) for row in rows]
            overlay.line(panel, about, points, color=colours[share])
