"""Table 1: data sets, their sources, licences and numbers of examples."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from w2s.analysis.results import Results, Row
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact
from w2s.nlp import user_tasks as own
from w2s.nlp.task import Task
from w2s.nlp.tasks import TASKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CAPTION = (
    "Data sets and their licences: number of binary candidates, of those left with equally many right and wrong "
    "answers per question (equalised), of those that the test set costs (to test set: cut off, or of a group that "
    "it has), of those left after subsampling a class of more than 55% to half (balanced), and of the examples in each "
    "part. Class 1: of all equalised examples, and of the training parts."
)

COLUMNS = {
    "title": "data set",
    "source": "source",
    "licence": "licence",
    "candidates": "candidates",
    "equalised": "equalised",
    "positive_share": "class 1 (%)",
    "for_the_test_set": "to test set",
    "balanced": "balanced",
    "training_positive_share": "class 1 (%)",
    "weak": "weak half",
    "strong": "strong half",
    "validation": "validation",
    "test": "test",
}
WIDTHS = (0.122, 0.185, 0.11, 0.06, 0.06, 0.062, 0.065, 0.055, 0.062, 0.055, 0.062, 0.06, 0.042)
SHARES = ("positive_share", "training_positive_share")
LOST_TO_TEST = ("of_a_test_group_dropped", "cut_off_as_test_set")
WORDS = 3  # columns of text; the others are numbers


def needs(plan: Plan) -> list[Artifact]:
    """The data of every task for its first seed; counts of other seeds differ by a few examples."""
    return [plan.nlp.data(task, plan.nlp.seeds_of(task)[0]) for task in plan.nlp.config.all_tasks()]


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per task, from its manifest: counts of examples at each step, and results of the guards."""
    rows = []
    for data in needs(plan):
        task, measured = _described(plan, data.spec["task"]), results.record(data)["measured"]
        counts, guards = measured["counts"], measured["guards"]
        train, parts = counts["train"], counts["parts"]
        rows.append(
            {
                "task": task.name,
                "title": task.title,
                "source": task.source,
                "citation": task.citation,
                "licence": task.licence,
                "rows_from": _origin(data.spec["rows"], data.environment),
                "candidates": train["candidates"],
                "equalised": train["examples"],
                "positive_share": train["positive_share"],
                "for_the_test_set": sum(counts.get(f"training_examples_{how}", 0) for how in LOST_TO_TEST),
                "training_positive_share": _share(parts),
                "rebalanced": counts["rebalanced"],
                "balanced": counts["after_balancing"],
                **{part: described["examples"] for part, described in parts.items()},
                "groups": sum(described["groups"] for part, described in parts.items() if part != "test"),
                "bag_of_words_accuracy": guards["bag_of_words_accuracy"],
                "length_only_accuracy": guards["length_only_accuracy"],
                "seed": data.spec["seed"],
            }
        )
    return rows


def _share(parts: Mapping[str, Mapping[str, Any]]) -> float:
    """Share of class 1 in all training parts."""
    training = [described for part, described in parts.items() if part != "test"]
    positive = sum(described["examples"] * described["positive_share"] for described in training)
    return round(float(positive / sum(described["examples"] for described in training)), 4)


def _described(plan: Plan, name: str) -> Task:
    """A built-in task, or a custom one from the config."""
    return TASKS[name] if name in TASKS else own.of_choice(plan.nlp.task(name))


def _origin(rows: Mapping[str, Any], files: Mapping[str, Any]) -> str:
    if "world" in rows:
        return "the micro-world"
    return f"{rows['hub']} at {rows['revision']}" if "hub" in rows else ", ".join(files["train"])


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The rows as a typeset table, with totals below."""
    from w2s.figures import style

    line = 0.19  # inches
    height = line * (len(table) + 4)
    figure = style.new_figure(13.5, height)
    figure.set_layout_engine("none")
    panel = figure.add_axes((0.01, 0.0, 0.98, 1.0))
    panel.set_axis_off()
    panel.set(xlim=(0, 1), ylim=(len(table) + 3, -0.8))
    starts = [sum(WIDTHS[:number]) for number in range(len(WIDTHS))]
    lines = [list(COLUMNS.values())]
    lines += [[_shown(name, row[name]) for name in COLUMNS] for row in table.to_dict("records")]
    numbers = list(COLUMNS)[WORDS:]
    totals = ["" if name in SHARES else f"{int(table[name].sum()):,}" for name in numbers]
    lines.append([f"{len(table)} data sets", "", "", *totals])
    for number, cells in enumerate(lines):
        weight = "bold" if number in (0, len(lines) - 1) else "normal"
        for column, (start, cell) in enumerate(zip(starts, cells, strict=True)):
            place, align = (start, "left") if column < WORDS else (start + WIDTHS[column], "right")
            panel.text(place, number, cell, ha=align, va="center", fontsize=8, weight=weight, parse_math=False)
    for place, width in ((-0.6, 1.2), (0.5, 0.6), (len(table) + 0.5, 0.6), (len(table) + 1.6, 1.2)):
        panel.axhline(place, color="#222222", linewidth=width)
    said = [f"experiment {about['experiment']}", f"seed {table['seed'].iloc[0]}", f"commit {about['commit']}"]
    said += ["rows of the micro-world in the schemas of these data sets"] if about["data"]["source"] == "world" else []
    _footer(panel, len(table) + 2.4, " · ".join(said))
    return figure


def _shown(name: str, value: Any) -> str:
    if name in list(COLUMNS)[:WORDS] and not isinstance(value, str):  # of a custom task: an empty cell is read as NaN
        return ""
    if name in SHARES:
        return f"{100 * value:.1f}"
    return f"{int(value):,}" if not isinstance(value, str) else _short(value, 40 if name == "source" else 24)


def _short(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 3].rstrip(" ,;") + "..."


def _footer(panel: Axes, place: float, text: str) -> None:
    from w2s.figures import style

    panel.text(0, place, text, ha="left", va="center", fontsize=6.5, color=style.GREY, gid="footer")
