"""``w2s examples``: tasks as models see them."""

from __future__ import annotations

import argparse

from w2s.cli import common
from w2s.errors import UserError, allowed

HELP = "print formatted examples of tasks, as models see them"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Tasks, and how many examples of each."""
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="task names (default: all of the experiment)")
    common.experiment_argument(parser)
    parser.add_argument("-n", "--number", type=common.positive, default=3, help="examples per task (default: 3)")


def run(options: argparse.Namespace) -> None:
    """Print the first examples of every task asked for, each with its label."""
    from w2s.experiments.settings import setting

    plan = common.workflow().plan(options.experiment)
    home = {task: name for name in plan.there() if setting(name).prints for task in getattr(plan, name).tasks}
    for task in options.tasks or home:
        if task not in home:
            hint = allowed(task, home)
            raise UserError(f"unknown task {task!r} in experiment {plan.experiment.experiment!r}; {hint}")
        shown = setting(home[task]).examples(getattr(plan, home[task]), task, options.number)
        print(f"== {shown.title}")
        print("\n--\n".join(shown.texts[: options.number]), end="\n\n")
