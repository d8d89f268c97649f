"""``w2s status``: how far figures are."""

from __future__ import annotations

import argparse

from w2s.cli import common

HELP = "show progress: what is done, running, failed and left"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Figures, and the form of the answer."""
    common.figures_arguments(parser)
    parser.add_argument("--json", action="store_true", help="print counts as JSON")


def run(options: argparse.Namespace) -> None:
    """How far figures are."""
    from w2s.jobs import status

    workflow = common.workflow()
    requested, estimate = common.requested(options, workflow), workflow.resources.estimate
    if options.json:
        print(status.as_json(requested))
    else:
        print(status.overview(requested, lambda one: estimate(one).seconds))
