"""Figure 9: prompting, also with weak labels in the prompt, compared with finetuning (paper, Section 5.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Run
from w2s.nlp.prompting import analysis as prompting
from w2s.nlp.prompting.analysis import FEW_SHOT
from w2s.nlp.prompting.plan import ZERO_SHOT

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Mean test accuracy over tasks of prompted base models, zero-shot and with examples labelled with ground truth "
    "(a) or by a supervisor (b), and of finetuned models (c). Hue: supervisor; black: ground truth."
)
DASHES = (0, (4, 1.5, 1, 1.5))
STYLES: dict[str, dict[str, Any]] = {
    ZERO_SHOT: {"linestyle": ":", "marker": "x", "linewidth": 1.4, "markersize": 5},
    FEW_SHOT: {"linestyle": DASHES, "marker": "x", "linewidth": 1.4, "markersize": 5},
    pairs.TRUTH: {"linestyle": "-", "marker": "o", "linewidth": 1.4, "markersize": 4},
    pairs.NAIVE: {"linestyle": ":", "marker": "o", "linewidth": 1.2, "markersize": 4},
    prompting.CONFIDENCE: {"linestyle": "-", "marker": "^", "linewidth": 1.4, "markersize": 5},
}
BAND = 0.13
TITLES = ("prompting", "weak labels in the prompt", "weak labels: prompting and finetuning")


def needs(plan: Plan) -> list[Run]:
    """Prompted base models; ground truth; naive and confidence students of the two weakest supervisors."""
    return prompting.prompted_runs(plan.nlp) + prompting.finetuned_runs(plan.nlp)


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Accuracies, and bounds of their means over tasks; for prompts one row per draw of examples.

    ``asked`` is the number of examples requested per prompt.
    """
    rows = prompting.prompted(plan.nlp, results)
    shots = plan.nlp.prompting.setting.shots
    rows = [row | {"asked": shots} if row["method"] == FEW_SHOT else row for row in rows]
    rows += prompting.finetuned(plan.nlp, results)
    return [*rows, *aggregate.mean_intervals(rows)]


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Three panels."""
    import pandas as pd

    from w2s.figures import footer, overlay, style

    figure, axes = style.panels(1, 3, width=3.6, height=3.5, legend=1.9)
    intervals = table["task"] == aggregate.INTERVAL
    means = prompting.means(table[~intervals].to_dict("records"))  # type: ignore[arg-type]
    drawn = pd.concat([pd.DataFrame(means).assign(task="mean"), table[intervals]])
    table, spread = table[~intervals], about.get("spread", "seeds")
    colours = style.supervisor_colours(table)
    for number, (panel, title) in enumerate(zip(axes.flat, TITLES, strict=True)):
        for method, supervisor in _shown(number, _lines(means)):
            colour = colours[supervisor] if supervisor else style.TRUTH_COLOUR
            taught = drawn["supervisor"] == supervisor if supervisor else drawn["supervisor"].isna()
            _line(panel, drawn[(drawn["method"] == method) & taught], colour, spread)
            _papers(panel, about, table, method, supervisor, colours)
        style.percent_axis(panel, "mean test accuracy (%)" if number == 0 else "")
        panel.set_title(title)
    for panel in axes.flat:
        style.compute_axis(panel, ticks=8)
        style.gpt4_axis(panel, about, pairs.NLP, ticks=8)
    style.label_panels(axes.flat)
    _legend(figure, table, about)
    footer.add(
        figure, about, footer.without_pgr(table), _spread(drawn, spread), _room(table), overlay.note(about, table)
    )
    return figure


def _shown(panel: int, lines: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """The curves of a panel: ground truth; prompts with ground truth or weak labels; everything with weak labels."""
    finetuned = {supervisor for method, supervisor in lines if supervisor and method != FEW_SHOT}
    of_panel = (
        [line for line in lines if line[1] is None],
        [line for line in lines if line[0] in (ZERO_SHOT, FEW_SHOT)],
        [line for line in lines if line[1] in finetuned],
    )
    return of_panel[panel]


def _lines(means: list[Row]) -> list[tuple[str, str | None]]:
    """(method, supervisor) of every curve, in the table's order."""
    return list(dict.fromkeys((row["method"], row["supervisor"]) for row in means))


def _line(panel: Axes, rows: pd.DataFrame, colour: Any, spread: str) -> None:
    """The mean over seeds and draws, and a band; draws of examples in the prompt are treated like seeds."""
    from w2s.figures import bounds, hover

    mean = rows.groupby("student_compute")["accuracy"].mean().dropna() * 100
    drawn = panel.plot(mean.index, mean, color=colour, zorder=3, **STYLES[rows["method"].iloc[0]])
    each = _by_draw(rows)
    band = bounds.of(each, "accuracy", bounds.basis(each, spread, "accuracy"), by="student_compute")
    hover.say(drawn, hover.along(rows, "accuracy", mean, band, by="student_compute"))
    if band:
        low, high = band
        panel.fill_between(low.index, low, high, color=colour, alpha=BAND, linewidth=0, zorder=2)


def _by_draw(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with each draw of a seed as a separate seed."""
    known = rows["seed"].notna()
    return rows.assign(seed=(rows["seed"].astype(str) + "/" + rows["draw"].astype(str)).where(known))


def _papers(
    panel: Axes, about: dict[str, Any], table: pd.DataFrame, method: str, supervisor: str | None, colours: Any
) -> None:
    """The paper's curve of the method: with ground truth, or of the supervisor of the same rank."""
    from w2s import paper
    from w2s.figures import overlay, style

    if not overlay.comparable(about, table):
        return
    rows = [row for row in paper.read("prompting") if row["method"] == method]
    theirs = sorted({row["supervisor"] for row in rows if row["supervisor"]}, key=float)
    place = list(colours).index(supervisor) if supervisor else -1
    if supervisor and place >= len(theirs):
        return
    name = theirs[place] if supervisor else ""
    points = [(float(row["student"]), float(row["value"])) for row in rows if row["supervisor"] == name]
    colour = colours[supervisor] if supervisor else style.TRUTH_COLOUR
    overlay.line(panel, about, points, color=colour, **{**STYLES[method], "markersize": 2.5})


def _legend(figure: Figure, table: pd.DataFrame, about: dict[str, Any]) -> None:
    from matplotlib.lines import Line2D

    from w2s.figures import curves, overlay, style

    shots = table["asked"].max() if "asked" in table else 0
    words = {
        ZERO_SHOT: "zero-shot",
        FEW_SHOT: f"{shots:.0f}-shot",
        pairs.TRUTH: "finetuned on ground truth",
        pairs.NAIVE: "finetuned naively",
        prompting.CONFIDENCE: "confidence loss",
    }
    there = [method for method in words if (table["method"] == method).any()]
    entries = [Line2D([], [], color="#555555", label=words[method], **STYLES[method]) for method in there]
    entries.append(Line2D([], [], color=style.TRUTH_COLOUR, linewidth=4, label="labels: ground truth"))
    entries += [
        Line2D([], [], color=colour, linewidth=4, label=f"labels: {name}")
        for name, colour in style.supervisor_colours(table).items()
    ]
    entries += overlay.entries(about, table)
    figure.set_figheight(max(figure.get_figheight(), (len(entries) + 1) * curves.ENTRY))
    figure.legend(handles=entries, loc="outside right center", frameon=False)


def _spread(drawn: pd.DataFrame, spread: str) -> str:
    """What the bands show: several draws of examples in the prompt, and seeds."""
    from w2s.figures import bounds

    draws, seeds = (drawn[name].nunique() for name in ("draw", "seed"))
    others = bounds.basis(drawn, spread, "accuracy")  # with one draw per seed
    if draws == 1 or others == "examples" == spread:
        return f"band: {bounds.WORDS[others]}" if others else ""
    words = f"band: lowest to highest of {draws} draws of examples"
    if others == "examples":
        return f"{words} (prompts with examples), {bounds.WORDS[others]} (others)"
    return words + (f" and {seeds} seeds" if seeds > 1 else "")


def _room(table: pd.DataFrame) -> str:
    """A note if some prompts did not fit all examples."""
    few = table[table["method"] == FEW_SHOT]
    if few.empty or (few["shots"] >= few["asked"]).all():
        return ""
    short = few[few["shots"] < few["asked"]]
    tasks = short.groupby("task", sort=False)["shots"].mean()
    words = ", ".join(f"{task} {shots:.1f}" for task, shots in tasks.items())
    return f"prompts that do not fit {few['asked'].max():.0f} examples use fewer: on average {words}"
