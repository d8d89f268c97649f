"""``w2s track``: finished runs of an experiment, sent to an experiment tracker."""

from __future__ import annotations

import argparse
from pathlib import Path

from w2s.cli import common

HELP = "send finished runs of an experiment to TensorBoard, MLflow or Weights & Biases"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiment, the tracker, and where its runs go."""
    parser.add_argument("experiment", nargs="?", help="name of an experiment (default: the one in config.yaml)")
    parser.add_argument("--tracker", help="tensorboard, mlflow or wandb (default: execution.tracker)")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="where runs go (default: tracking)")


def run(options: argparse.Namespace) -> None:
    """Send the runs that the tracker does not have yet."""
    from w2s.errors import UserError
    from w2s.graph.artifact import with_ancestors
    from w2s.jobs import afterwards
    from w2s.report.rendering import count

    workflow = common.workflow()
    plan = workflow.plan(options.experiment)
    configured = workflow.default.experiment.execution.tracker
    name, folder = afterwards.chosen(options.tracker, configured, options.to)
    planned = with_ancestors(plan.everything()).values()
    finished = [artifact for artifact in planned if Path(artifact.manifest).is_file()]
    counts = afterwards.send(finished, name, folder)
    experiment = plan.experiment.experiment
    if not counts.sent + counts.known:
        raise UserError(f"experiment {experiment!r} has no finished run with a history here")
    print(f"experiment {experiment!r}: {count(counts.sent, 'run')} sent to {name}, {counts.known} there before")
