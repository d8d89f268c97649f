"""What several commands share: experiments by name, figures as people name them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from w2s.graph.artifact import Artifact
    from w2s.jobs.workflow import Workflow


def workflow() -> Workflow:
    """All experiments of the checkout that the command is run in."""
    from w2s.config.files import read_config
    from w2s.jobs.workflow import Workflow

    return Workflow(read_config(Path("config.yaml")))


def experiment_argument(parser: argparse.ArgumentParser) -> None:
    """``--experiment NAME``."""
    parser.add_argument("--experiment", help="name of an experiment (default: the one in config.yaml)")


def figures_arguments(parser: argparse.ArgumentParser) -> None:
    """Figures by name or path, and an experiment."""
    parser.add_argument(
        "figures", nargs="*", metavar="FIGURE", help="fig5 or figures/<experiment>/fig5.pdf (default: all)"
    )
    experiment_argument(parser)


def requested(options: argparse.Namespace, of: Workflow) -> dict[str, list[Artifact]]:
    """Figure, as people name it -> the runs that it reads."""
    found: dict[str, list[Artifact]] = {}
    for asked in options.figures or of.drawable(options.experiment):
        *folders, name = asked.removeprefix("figures/").removesuffix(".pdf").removesuffix(".png").split("/")
        experiment = folders[0] if folders else options.experiment
        found[f"{experiment}/{name}" if experiment else name] = of.figure(name, experiment)
    return found


def positive(text: str) -> int:
    """A whole number from 1 up, for argparse."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number
