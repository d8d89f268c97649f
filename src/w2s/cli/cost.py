"""``w2s cost``: what figures will cost."""

from __future__ import annotations

import argparse
from pathlib import Path

from w2s.cli import common

HELP = "say what figures will cost before anything is made: jobs, hours, memory, disk"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Figures, and the device."""
    common.figures_arguments(parser)
    parser.add_argument("--device", help="where it would run: cpu, a100, h100, ... or as records name it")
    parser.add_argument("--check", action="store_true", help="say instead how good estimates of finished jobs were")


def run(options: argparse.Namespace) -> None:
    """What figures will cost."""
    from w2s.graph.artifact import with_ancestors
    from w2s.jobs import cost, records

    requested = common.requested(options, common.workflow())
    needed = with_ancestors(run for runs in requested.values() for run in runs)
    finished = records.read(Path("results"), records.CACHE)
    if options.check:
        print(cost.check(needed.values(), finished, options.device))
        return
    print(cost.table(needed.values(), cost.Model(finished, options.device), ", ".join(requested)))
