"""Table 2: prompts of base models, in the paper's wording where available (paper, Appendix B)."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

from w2s.analysis.results import Results, Row
from w2s.errors import LackingError
from w2s.experiments.plan import Plan
from w2s.graph.artifact import Artifact
from w2s.nlp.prompting import prompts
from w2s.nlp.prompting.config import PAPERS
from w2s.nlp.tasks import TASKS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CAPTION = (
    "Prompts of base models, by task: the paper's for its seven tasks, and our own for tasks that the paper does not "
    "prompt."
)
LETTERS = 122  # characters per line of a prompt
LINE = 0.19  # inches
PLACES = (0.0, 0.15, 0.24)  # of the columns
PAPER, OURS, USERS = "paper", "ours", "config"


def needs(plan: Plan) -> list[Artifact]:
    """Nothing: the prompts are part of the package or the config. LackingError if no task has one."""
    if not _prompted(plan):
        raise LackingError("no task has an instruction; nlp.prompting.texts can give your own tasks one")
    return []


def _prompted(plan: Plan) -> list[str]:
    """The tasks with an instruction: those of the package, and a user's own where the config has a text."""
    nlp = plan.nlp.config
    return [name for name in nlp.all_tasks() if name in TASKS or name in nlp.prompting.texts]


def tabulate(plan: Plan, results: Results) -> list[Row]:
    """One row per task with an instruction: the paper's tasks first, in its order."""
    setting, tasks = plan.nlp.config.prompting, _prompted(plan)
    titles = {name: TASKS[name].title if name in TASKS else plan.nlp.task(name).title or name for name in tasks}
    rows = []
    ours = sorted((name for name in tasks if name not in PAPERS), key=titles.__getitem__)
    for name in [*(name for name in PAPERS if name in tasks), *ours]:
        if name in setting.texts:
            text, whose = setting.texts[name], USERS
        else:
            text, whose = prompts.instruction(name), PAPER if prompts.is_papers(name) else OURS
        rows.append({"task": name, "title": titles[name], "whose": whose, "prompt": text})
    return rows


def draw(table: pd.DataFrame, about: dict[str, Any]) -> Figure:
    """The rows as a typeset table."""
    from w2s.figures import style

    cells = [["data set", "source", "prompt (followed by labelled examples)"]]
    cells += [[row["title"], row["whose"], row["prompt"]] for row in table.to_dict("records")]
    wrapped = [textwrap.wrap(prompt, LETTERS) or [""] for _, _, prompt in cells]
    total = sum(map(len, wrapped)) + 0.35 * len(cells)
    figure = style.new_figure(10.5, LINE * (total + 2.6))
    figure.set_layout_engine("none")
    panel = figure.add_axes((0.01, 0.0, 0.98, 1.0))
    panel.set_axis_off()
    panel.set(xlim=(0, 1), ylim=(total + 1.8, -0.8))
    panel.axhline(-0.6, color="#222222", linewidth=1.2)
    top = 0.0
    for number, ((title, whose, _), lines) in enumerate(zip(cells, wrapped, strict=True)):
        weight = "bold" if number == 0 else "normal"
        look: dict[str, Any] = {"va": "center", "fontsize": 8, "weight": weight, "parse_math": False}
        for place, lines_of in zip(PLACES, ([title], [whose], lines), strict=True):
            for below, text in enumerate(lines_of):
                panel.text(place, top + below, text, ha="left", **look)
        top += len(lines) + 0.35
        panel.axhline(top - 0.68, color="#222222" if number == 0 else "#dddddd", linewidth=0.6)
    panel.axhline(top - 0.68, color="#222222", linewidth=1.2)
    answers = about["nlp"]["prompting"]["answers"]
    said = [f"experiment {about['experiment']}", f"commit {about['commit']}"]
    if [answer.strip() for answer in answers] != ["0", "1"]:
        zero, one = (answer.strip() for answer in answers)
        said.insert(1, f"answers are {zero!r} and {one!r} instead of 0 and 1")
    if not about["nlp"]["prompting"]["instructions"]:
        said.insert(1, "this experiment omits these instructions")
    small: dict[str, Any] = {"va": "center", "fontsize": 6.5, "color": style.GREY, "parse_math": False}
    panel.text(0, top + 0.5, " · ".join(said), ha="left", gid="footer", **small)
    return figure
