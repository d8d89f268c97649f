"""Figure 13: overfitting to weak labels, and what stopping early gains (paper, section 5.1.1 and Appendix A)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from w2s.analysis import early_stopping, pairs
from w2s.analysis.aggregate import MEDIAN
from w2s.analysis.results import Results, Row
from w2s.plan import Plan, Run

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Naive students in training. (a) Test accuracy against progress on representative NLP tasks, darker for a larger "
    "ratio of the student's pretraining compute to the supervisor's; (b) median PGR over all pairs and tasks by when "
    "training is stopped (stopping on ground truth looks at the test set)."
)
COLUMNS = 4
WORDS = {"last": "last\nstep", "weak_labels": "best on\nweak\nlabels", "truth": "best on\nground\ntruth"}
BAR_COLOUR = "#8f4f9f"
WIDTH = 0.7
FEW = 12  # curves: where there are more, they are thinner


def needs(plan: Plan) -> list[Run]:
    """Naive students: on representative tasks all, on those of the medians those with a PGR, and their ground truth."""
    (method,) = pairs.naive(plan, "fig13")
    drawn = [_student(plan, method, *place) for place in _places(plan)]
    judged = early_stopping.runs(plan, method, plan.experiment.nlp.median_tasks())
    return list({run.key: run for run in drawn + judged}.values())


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """Column ``panel``: a, one row an evaluation; b, one row a student and stopping rule, then the medians."""
    (method,) = pairs.naive(plan, "fig13")
    training = plan.experiment.nlp.training
    evaluations = max(1, round(training.epochs * training.evaluations_per_epoch))
    rows: list[Row] = []
    for place in _places(plan):
        task, seed, pair = place
        about_run = pairs.identity(pairs.of_nlp(plan), task, seed, method, pair)
        for row in results.history(_student(plan, method, *place)):
            # The same evaluation of another seed may lie a step to the side: halves differ in length.
            number = round(row["epoch"] / training.epochs * evaluations)
            at = {"evaluation": number, "epoch": row["epoch"], "accuracy": row["test_truth"]}
            rows.append({"panel": "a"} | about_run | at)
    judged = early_stopping.compare(plan, method, results, plan.experiment.nlp.median_tasks())
    rows += [{"panel": "b"} | row for row in judged]
    rows += [{"panel": "b", "setting": pairs.NLP} | row for row in early_stopping.medians(judged)]
    return rows


def _places(plan: Plan) -> list[tuple[str, int, pairs.Pair]]:
    """(task, seed, pair) of the curves in panel a."""
    experiment = plan.experiment
    return [
        (task, seed, pair)
        for task in experiment.nlp.representative_tasks()
        for seed in experiment.seeds
        for pair in experiment.nlp.pairs()
    ]


def _student(plan: Plan, method: str, task: str, seed: int, pair: pairs.Pair) -> Run:
    return plan.student(task, pair[0].name, pair[1].name, method, seed)


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """Progress on the left, one panel a task; the bars on the right."""
    from w2s.figures import footer, overlay, style

    training = table[table["panel"] == "a"]
    tasks = style.in_order(training, "task")
    columns = min(COLUMNS, len(tasks))
    rows = math.ceil(len(tasks) / columns)
    figure = style.new_figure(2.3 * columns + 3.6, max(2.2 * rows, 3.4))
    grid = figure.add_gridspec(
        rows, columns + 2, width_ratios=[2.3] * columns + [0.1, 2.6]
    )  # the 0.1 keeps words apart
    progress = [figure.add_subplot(grid[number // columns, number % columns]) for number in range(len(tasks))]
    bars = figure.add_subplot(grid[:, -1])
    for panel, task in zip(progress, tasks, strict=True):
        _progress(panel, training[training["task"] == task], _widest(training))
        panel.set_title(task)
    for number, panel in enumerate(progress):
        if number + columns >= len(tasks):
            panel.set_xlabel("progress (epochs)")
        if number % columns == 0:
            panel.set_ylabel("test accuracy (%)")
    figure.colorbar(
        _scale(_widest(training)), ax=progress, label="student's / supervisor's compute", aspect=30, pad=0.02
    )
    medians = table[(table["panel"] == "b") & (table["task"] == MEDIAN)]
    _bars(bars, medians, about)
    style.label_panels([progress[0], bars])
    errors = _errors(about)[0] if medians["pgr_sem"].notna().any() else ""
    footer.add(figure, about, table, errors, overlay.BARS_NOTE if overlay.wanted(about) else "")
    return figure


def _widest(training: pd.DataFrame) -> float:
    """Upper end of the colours: the largest ratio of compute, or 10."""
    return max(10.0, float((training["student_compute"] / training["supervisor_compute"]).max()))


def _scale(widest: float) -> Any:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    from w2s.figures import style

    return ScalarMappable(LogNorm(1, widest), style.RATIO_HUES)


def _progress(panel: Axes, rows: pd.DataFrame, widest: float) -> None:
    """One curve a pair, the mean over seeds; the largest ratio on top."""
    from w2s.figures import style

    scale = _scale(widest)
    width = 1.1 if len(rows.groupby(["supervisor", "student"])) <= FEW else 0.7
    ratios = rows.assign(ratio=rows["student_compute"] / rows["supervisor_compute"]).sort_values("ratio", kind="stable")
    for (ratio, _, _), of_pair in ratios.groupby(["ratio", "supervisor", "student"], sort=False):
        curve = of_pair.groupby("evaluation")[["epoch", "accuracy"]].mean()
        panel.plot(curve["epoch"], curve["accuracy"] * 100, color=scale.to_rgba(ratio), linewidth=width)
    panel.set_xlim(left=0)
    style.percent_axis(panel)


def _bars(panel: Axes, medians: pd.DataFrame, about: dict[str, Any]) -> None:
    """Median PGR by stopping rule."""
    from w2s import paper
    from w2s.figures import overlay, style

    _, bounds = _errors(about)
    by_rule = {str(row["stopping"]): row for row in medians.to_dict("records")}
    for place, rule in enumerate(WORDS):
        height = by_rule[rule]["pgr"] * 100
        if math.isnan(height):
            continue
        panel.bar(place, height, WIDTH, color=BAR_COLOUR, edgecolor="#555555", linewidth=0.6, zorder=3)
        low, high = bounds(by_rule[rule])
        if not math.isnan(low):
            whisker = [[max(0, height - low * 100)], [max(0, high * 100 - height)]]
            panel.errorbar(place, height, whisker, color=style.TRUTH_COLOUR, linewidth=1, capsize=3, zorder=5)
    if overlay.wanted(about):
        heights = paper.bars(13)
        overlay.bars(panel, {place: heights[rule] for place, rule in enumerate(WORDS)}, width=WIDTH)
    panel.set_xticks(range(len(WORDS)), list(WORDS.values()), fontsize=8)
    panel.set_xlim(-0.6, len(WORDS) - 0.4)
    panel.grid(axis="x", visible=False)
    style.percent_axis(panel, "performance gap recovered, median (%)")


def _errors(about: dict[str, Any]) -> tuple[str, Any]:
    """(what the error bars are, row -> their two ends as fractions)."""
    if about.get("spread") == "tasks":
        return "error bars: 95% bootstrap interval over tasks", lambda row: (row["pgr_low"], row["pgr_high"])
    words = "error bars: standard error of the mean over pairs and tasks"
    return words, lambda row: (row["pgr"] - row["pgr_sem"], row["pgr"] + row["pgr_sem"])
