"""Figure 24: weak labels with simulable, non-simulable and mixed errors (paper, Appendix E.1)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis.pairs import NLP
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact
from w2s.nlp.probing import analysis as probing

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Students (probes on the features of one model) of labels from a probe on fewer features (a, d), of ground truth "
    "with random errors (b, e), and of a probe's labels with random errors (c, f): test accuracy and agreement with "
    "the labels. Black: accuracy of the labels and, at the right end, of a probe on ground truth. Lines start at "
    "their labels."
)
PANELS = {
    "simulable": ("simulable errors", "number of features (a line starts at its labels)"),
    "unsimulable": ("non-simulable errors", "accuracy of labels; right: student with all features"),
    "mixed": ("mixed errors", "share of labels flipped; right: student with all features"),
}
QUANTITIES = {"accuracy": "test accuracy (%)", "agreement": "agreement with labels (%)"}
FULL, LABELLER = "full", probing.LABELLER
BAND = 0.1  # opacity
VARIED = {"draw": "draw of random errors", "seed": "seed"}
HUES = ("#34476f", "#686b71", "#958e75", "#c9b55a", "#ffe500")


def needs(plan: Plan) -> list[Artifact]:
    """All fits of each seed, and the data that they are fit on."""
    return probing.fit_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per labeller or student and draw of the random errors."""
    return probing.fit_rows(plan.nlp, results)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Three columns of panels: accuracy above, agreement below."""
    from w2s.figures import footer, overlay, style

    figure, axes = style.panels(2, 3, share="col", width=3.6, height=2.9)
    spread = about.get("spread", "seeds")
    for column, (name, (title, below)) in enumerate(PANELS.items()):
        rows = table[table["panel"] == name]
        lines = Lines(table, name, spread)
        for place, quantity in enumerate(QUANTITIES):
            panel = axes[place, column]
            lines.draw(panel, quantity)
            if overlay.wanted(about, NLP):
                _papers(panel, name, quantity, len(lines.sources), lines.ends_in_full)
            style.percent_axis(panel, QUANTITIES[quantity] if column == 0 else "")
            panel.set_xticks(range(len(lines.ticks)), lines.ticks)
        axes[0, column].set_title(title)
        axes[1, column].set_xlabel(below, fontsize=8)
        assert len(rows), name
    style.label_panels(axes.flat)
    rung, draws = table["rung"].iloc[0], table["draw"].max() + 1
    notes = ["black: the labels; each colour: probes trained on one set of labels", f"features of {rung}"]
    notes += [f"means over {draws:.0f} draws of random errors" if draws > 1 else "", _spread(table, spread)]
    theirs = "faint: the paper's results, with its own feature counts and accuracies"
    footer.add(figure, about, table, *notes, overlay.said(about, [NLP], theirs))
    return figure


class Lines:
    """The lines of one column. sources: labellers, as named in the table; ticks: tick labels."""

    def __init__(self, table: pd.DataFrame, panel: str, spread: str) -> None:
        from w2s.figures import bounds, style

        self.panel = panel
        self.rows = table[table["panel"] == panel]
        self.found = bounds.basis(_by_draw(self.rows), spread, "accuracy")
        self.full = table[(table["panel"] == "simulable") & (table["labels"] == FULL)]
        self.sources = [name for name in style.in_order(self.rows, "labels") if name != FULL]
        self.means = (self.rows.groupby(["labels", "student"])[list(QUANTITIES)].mean() * 100).to_dict("index")
        self.ends_in_full = panel != "mixed"  # in black; the last mixed labels have no noise
        shown = self.sources
        if panel == "unsimulable":  # named by their accuracy
            shown = [f"{self.of(name, LABELLER, 'accuracy'):.0f}%" for name in self.sources]
        elif panel == "mixed":
            shown = [f"{100 * float(name):g}%" for name in self.sources]
        self.ticks = [*shown, "all" if panel == "simulable" else "student"]

    def of(self, labels: str, student: str, quantity: str) -> float:
        """A mean over seeds and draws, in percent."""
        return float(self.means[labels, student][quantity])

    def begins(self, source: str) -> float:
        """Accuracy of the labels on the test set, in percent."""
        return self.of(source, self.labeller(source), "accuracy")

    def labeller(self, source: str) -> str:
        """The labeller's name in the student column."""
        return source if self.panel == "simulable" else LABELLER

    def draw(self, panel: Axes, quantity: str) -> None:
        """Labels in black, then one line per labeller."""
        from w2s.figures import hover, style

        black = [self.begins(source) for source in self.sources]
        black += [float(self.full["accuracy"].mean() * 100)] if self.ends_in_full else []
        drawn = panel.plot(range(len(black)), black, color=style.TRUTH_COLOUR, marker="o", markersize=3.5, zorder=4)
        names = [f"labels {name}" for name in self.ticks[: len(self.sources)]] + ["probe on ground truth"]
        hover.say(drawn, hover.numbers(names[: len(black)], "accuracy", black))
        for place, source in enumerate(self.sources):
            later = [*self.sources[place + 1 :], FULL] if self.panel == "simulable" else [FULL]
            places = [*range(place + 1, len(self.sources) + 1)] if self.panel == "simulable" else [len(self.sources)]
            points = [(self.labeller(source), "accuracy"), *((student, quantity) for student in later)]
            values = [self.of(source, *point) for point in points]
            low, high = zip(*(self.ends(source, *point) for point in points), strict=True)
            hue = _hue(place, len(self.sources))
            drawn = panel.plot([place, *places], values, color=hue, marker="o", markersize=3, zorder=3)
            titles = hover.numbers((f"{self.ticks[at]}, on labels {self.ticks[place]}" for at in places), quantity,
                                   values[1:], (low[1:], high[1:]))  # fmt: skip
            hover.say(
                drawn, [hover.number(f"labels {self.ticks[place]}: accuracy", values[0], low[0], high[0]), *titles]
            )
            panel.fill_between([place, *places], low, high, color=hue, alpha=BAND, linewidth=0, zorder=2)

    def ends(self, labels: str, student: str, quantity: str) -> tuple[float, float]:
        """Ends of the band around a mean, in percent; NaN if there is none. Deterministic values have no width."""
        from w2s.figures import bounds

        rows = self.rows[(self.rows["labels"] == labels) & (self.rows["student"] == student)]
        ends = bounds.of(_by_draw(rows), quantity, self.found, by="student")
        if ends is None:
            return math.nan, math.nan
        alone = self.of(labels, student, quantity) if self.found == "seeds" else math.nan
        low, high = (float(end.fillna(alone)[student]) for end in ends)
        return low, high


def _by_draw(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with each draw of random errors as a separate seed."""
    return rows.assign(seed=rows["seed"].astype(str) + "/" + rows["draw"].astype(str))


def _spread(table: pd.DataFrame, spread: str) -> str:
    """What the bands show, by panel."""
    from w2s.figures import bounds

    simulable = table["panel"] == "simulable"
    said: dict[str, str] = {}
    for panels, rows in (("a, d", table[simulable]), ("b, c, e, f", table[~simulable])):
        several = [words for column, words in VARIED.items() if rows[column].nunique() > 1]
        found = bounds.basis(_by_draw(rows), spread, "accuracy")
        words = bounds.EXAMPLES if found == "examples" else f"lowest to highest {' and '.join(several)}"
        said |= {words: panels} if found else {}
    if len(said) < 2:
        return "".join(f"band: {words}" for words in said)
    return f"band: {', '.join(f'{words} ({panels})' for words, panels in said.items())}"


def _hue(place: int, count: int) -> Any:
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("features", HUES)(0.93 * place / max(1, count - 1))


def _papers(panel: Axes, name: str, quantity: str, count: int, ends_in_full: bool) -> None:
    """The paper's lines, if it has the same number of labellers."""
    from w2s import paper
    from w2s.figures import overlay, style

    rows = [row for row in paper.read("simulable") if row["panel"] == name]
    found = {(row["quantity"], row["labels"], row["student"]): float(row["value"]) for row in rows}
    begins = {
        labels: value for (kind, labels, student), value in found.items() if kind == "accuracy" and labels == student
    }
    sources = [labels for labels in begins if labels != FULL]
    if len(sources) != count:
        return
    black = [begins[labels] for labels in sources] + ([begins[FULL]] if ends_in_full else [])
    panel.plot(range(len(black)), black, color=style.TRUTH_COLOUR, **overlay.FAINT)
    for place, source in enumerate(sources):
        points = [(place, begins[source])]
        for later, student in enumerate([*sources, FULL]):
            if later > place and (quantity, source, student) in found:
                points.append((later, found[quantity, source, student]))
        panel.plot(*zip(*points, strict=True), color=_hue(place, count), **overlay.FAINT)
