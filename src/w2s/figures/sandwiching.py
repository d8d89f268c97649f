"""Sandwiching: a non-expert alone and assisted, the assistant, an expert, and students (Bowman et al. 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.nlp.sandwiching import analysis as sandwiching
from w2s.nlp.sandwiching import config as setting
from w2s.nlp.sandwiching.analysis import ASSISTANT, ASSISTED, EXPERT, NON_EXPERT, STUDENT, STUDENT_OF_ASSISTED

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "A weak model alone and with label hints from a strong assistant, the assistant alone, students of each, and the "
    "strong model finetuned on an expert's labels (ground truth): median over tasks of test accuracy (a) and of the "
    "performance gap recovered (b)."
)
ROW = 0.3  # inches per line with one pair
WORDS = {
    NON_EXPERT: "non-expert alone",
    STUDENT: "    its student",
    ASSISTED: "    non-expert with label hints",
    STUDENT_OF_ASSISTED: "    student of the assisted",
    EXPERT: "strong model, expert's labels",
}
JUDGE = "    non-expert as judge"
ASSISTANTS = {
    setting.PROMPTED: "assistant: strong model, prompted",
    setting.STUDENT: "assistant: non-expert's student",
    setting.DEBATE: "debate: the stronger case",
}


class Line(NamedTuple):
    """A line of the chart. method: only if students have several."""

    who: str
    assistant: str
    method: str

    @property
    def words(self) -> str:
        """The tick label."""
        words = ASSISTANTS[self.assistant] if self.who == ASSISTANT else WORDS[self.who]  # type: ignore[index]
        if self.who == ASSISTED and self.assistant == setting.DEBATE:
            words = JUDGE
        return f"{words}, {self.method}" if self.method else words


def needs(plan: Plan) -> list[Run]:
    """Assistants, assisted non-experts and their students; the same without assistant; ground truth."""
    return sandwiching.runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Accuracy, PGR and agreement with the assistant, one row each; then medians over tasks and their intervals."""
    return sandwiching.rows(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The two panels, one line per role, one mark per pair."""
    from matplotlib.lines import Line2D

    from w2s.figures import bounds, footer, marks, recovered, style

    table = recovered.read(table, about).assign(assistant=table["assistant"].fillna(""))
    lines = lines_of(table)
    couples = list(dict.fromkeys(zip(table["supervisor"], table["student"], strict=True)))
    colours = {couple: style.hue(number, len(couples)) for number, couple in enumerate(couples)}
    height = ROW * max(1, 0.6 * len(couples)) * len(lines) + 1.0
    figure, axes = style.panels(1, 2, share="none", width=4.2, height=height, legend=1.6)
    found = bounds.basis(table, about.get("spread", "seeds"))
    for panel, (value, words) in zip(axes.flat, marks.PANELS.items(), strict=True):
        for number, couple in enumerate(couples):
            rows = table[(table["supervisor"] == couple[0]) & (table["student"] == couple[1])]
            offset = (number - (len(couples) - 1) / 2) * 0.6 / len(couples)
            for place, line in enumerate(lines):
                marks.draw(panel, of_line(rows, line), value, place + offset, colours[couple], found)
        _axis(panel, lines, words, names=value == "accuracy")
    axes.flat[1].axvline(0, color=style.GREY, linewidth=0.8, linestyle="--", zorder=1)
    axes.flat[1].axvline(100, color=style.TRUTH_COLOUR, linewidth=0.8, zorder=1)
    style.label_panels(axes.flat)
    entries = [
        Line2D([], [], color=colour, marker="o", markersize=5, linewidth=1.2, label=f"{weak}, assisted by {strong}")
        for (weak, strong), colour in colours.items()
    ]
    entries.append(Line2D([], [], color=marks.SHADE, marker="|", markersize=6, linewidth=0, label="single tasks"))
    figure.legend(handles=entries, loc="outside right center", frameon=False)
    told = about["nlp"]["sandwiching"]["told"]
    longer = f", {told['epochs']:g} epochs" if told["epochs"] else ""
    footer.add(
        figure,
        about,
        table[table["who"] != NON_EXPERT],  # the baseline of the others
        f"label hint at the {told['place']} of the text{longer}",
        footer.spread(about, table).replace("band", "whiskers"),
    )
    return figure


def lines_of(table: pd.DataFrame) -> list[Line]:
    """The non-expert and its student, then each assistant with the non-expert it assists, then the expert."""
    students = table[table["who"].isin([STUDENT, STUDENT_OF_ASSISTED])]
    methods = [str(name) for name in dict.fromkeys(students["method"])]
    shown = methods if len(methods) > 1 else [""]
    lines = [Line(NON_EXPERT, "", ""), *(Line(STUDENT, "", method) for method in shown)]
    for kind in dict.fromkeys(table.loc[table["who"] == ASSISTANT, "assistant"]):
        lines += [Line(ASSISTANT, str(kind), ""), Line(ASSISTED, str(kind), "")]
        lines += [Line(STUDENT_OF_ASSISTED, str(kind), method) for method in shown]
    return [*lines, Line(EXPERT, "", "")]


def of_line(rows: pd.DataFrame, line: Line) -> pd.DataFrame:
    """The rows of a line."""
    chosen = (rows["who"] == line.who) & (rows["assistant"] == line.assistant)
    return rows[chosen & (rows["method"] == line.method)] if line.method else rows[chosen]


def _axis(panel: Axes, lines: list[Line], words: str, *, names: bool) -> None:
    from matplotlib.ticker import MaxNLocator

    panel.set_ylim(len(lines) - 0.4, -0.6)
    panel.set_yticks(range(len(lines)), [line.words if names else "" for line in lines])
    for label in panel.get_yticklabels():
        label.set_horizontalalignment("left")
    if names:
        panel.tick_params(axis="y", pad=150)
    for place, line in enumerate(lines):
        if line.who in (ASSISTANT, EXPERT):
            panel.axhline(place - 0.5, color="#cccccc", linewidth=0.8, zorder=0)
    panel.set_xlabel(words)
    panel.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 2.5, 5, 10]))
    panel.grid(axis="y", color="#f0f0f0")
