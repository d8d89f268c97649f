"""Shared by Figures 7 and 13: training curves, and bars of PGR by early stopping rule (Section 5.1.1)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from w2s.analysis import pairs
from w2s.analysis.results import Results, Row
from w2s.graph.artifact import Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Colormap

WORDS = {"last": "last\nstep", "weak_labels": "best on\nweak\nlabels", "truth": "best on\nground\ntruth"}
BAR_COLOUR = "#8f4f9f"
WIDTH = 0.7
FEW = 12  # with more curves, lines are thinner


class Trained(Protocol):
    """The training settings that determine progress."""

    @property
    def epochs(self) -> float:
        """Passes over the training set."""
        ...

    @property
    def evaluations_per_epoch(self) -> int:
        """Maximum number of rows of the history per epoch."""
        ...


def students(of: pairs.Runs, method: str, tasks: Sequence[str]) -> list[Run]:
    """The runs of ``progress``: all pairs, same-size included."""
    return [
        of.student(task, weak.name, strong.name, method, seed)
        for task in tasks
        for seed in of.seeds_of(task)
        for weak, strong in of.config.pairs()
    ]


def progress(of: pairs.Runs, method: str, results: Results, tasks: Sequence[str], training: Trained) -> list[Row]:
    """One row per evaluation and student; evaluation 0, before training, of runs whose record has it."""
    epochs = training.epochs
    evaluations = max(1, round(epochs * training.evaluations_per_epoch))
    rows: list[Row] = []
    for task in tasks:
        for seed in of.seeds_of(task):
            for pair in of.config.pairs():
                about_run = pairs.identity(of, task, seed, method, pair)
                run = of.student(task, pair[0].name, pair[1].name, method, seed)
                before = results.record(run)["measured"].get("test_accuracy_before")
                if before is not None:
                    rows.append(about_run | {"evaluation": 0, "epoch": 0.0, "accuracy": before})
                for row in results.history(run):
                    # The same evaluation may differ by a step between seeds, since halves differ in size.
                    number = round(row["epoch"] / epochs * evaluations)
                    at = {"evaluation": number, "epoch": row["epoch"], "accuracy": row["test_truth"]}
                    rows.append(about_run | at)
    return rows


def widest(training: pd.DataFrame) -> float:
    """Upper end of the colours: the largest ratio of compute, or 10."""
    return max(10.0, float((training["student_compute"] / training["supervisor_compute"]).max()))


def scale(largest: float, hues: Colormap) -> ScalarMappable:
    """Colours of ratios of compute from 1 to the largest."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    return ScalarMappable(LogNorm(1, largest), hues)


def curves(panel: Axes, rows: pd.DataFrame, colours: ScalarMappable, **line: Any) -> None:
    """Test accuracy against progress, one curve per pair, mean over seeds; the largest ratio on top."""
    from w2s.figures import hover, style

    width = 1.1 if len(rows.groupby(["supervisor", "student"])) <= FEW else 0.7
    ratios = rows.assign(ratio=rows["student_compute"] / rows["supervisor_compute"]).sort_values("ratio", kind="stable")
    for _, of_pair in ratios.groupby(["ratio", "supervisor", "student"], sort=False):
        curve = of_pair.groupby("evaluation")[["epoch", "accuracy"]].mean()
        colour = colours.to_rgba(of_pair["ratio"].to_numpy()[:1])[0]
        drawn = panel.plot(curve["epoch"], curve["accuracy"] * 100, color=colour, linewidth=width, **line)
        names = [f"{hover.who(of_pair)}, epoch {epoch:.3g}" for epoch in curve["epoch"]]
        hover.say(drawn, hover.numbers(names, "accuracy", curve["accuracy"] * 100))
    panel.set_xlim(left=0)
    style.percent_axis(panel)


def means(rows: pd.DataFrame) -> str:
    """The footer's note on curves of several seeds; empty with one."""
    return "curves: means over seeds" if rows["seed"].nunique() > 1 else ""


def bars(
    panel: Axes, medians: pd.DataFrame, about: dict[str, Any], papers: Mapping[str, tuple[float, float]], label: str
) -> None:
    """Median PGR by stopping rule. papers: rule -> the paper's (height, half of the error bar), drawn as outlines."""
    from w2s.figures import hover, overlay, style

    _, bounds = errors(about)
    by_rule = {str(row["stopping"]): row for row in medians.to_dict("records")}
    for place, rule in enumerate(WORDS):
        height = by_rule[rule]["pgr"] * 100
        if math.isnan(height):
            continue
        bar = panel.bar(place, height, WIDTH, color=BAR_COLOUR, edgecolor="#555555", linewidth=0.6, zorder=3)
        low, high = bounds(by_rule[rule])
        hover.say(bar, [f"{' '.join(WORDS[rule].split())}: {hover.number('pgr', height, 100 * low, 100 * high)}"])
        if not math.isnan(low):
            whisker = [[max(0, height - low * 100)], [max(0, high * 100 - height)]]
            panel.errorbar(place, height, whisker, color=style.TRUTH_COLOUR, linewidth=1, capsize=3, zorder=5)
    if overlay.wanted(about, str(medians["setting"].iloc[0])):
        there = {float(place): papers[rule] for place, rule in enumerate(WORDS) if rule in papers}
        overlay.bars(panel, there, width=WIDTH)
    panel.set_xticks(range(len(WORDS)), list(WORDS.values()), fontsize=8)
    panel.set_xlim(-0.6, len(WORDS) - 0.4)
    panel.grid(axis="x", visible=False)
    style.percent_axis(panel, label)


def errors(about: dict[str, Any]) -> tuple[str, Any]:
    """(what the error bars are, row -> their two ends as fractions)."""
    if about.get("spread") == "tasks":
        return "error bars: 95% bootstrap interval over tasks", lambda row: (row["pgr_low"], row["pgr_high"])
    words = "error bars: standard error of the mean over pairs and tasks"
    return words, lambda row: (row["pgr"] - row["pgr_sem"], row["pgr"] + row["pgr_sem"])
