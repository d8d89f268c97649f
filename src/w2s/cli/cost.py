"""``w2s cost``: what figures will cost."""

from __future__ import annotations

import argparse
from pathlib import Path

from w2s.cli import common

HELP = "estimate jobs, hours, memory and disk before running anything"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Figures, and the device."""
    common.figures_arguments(parser)
    parser.add_argument("--device", help="device to estimate for: cpu, a100, h100, ..., or a name from past records")
    parser.add_argument("--check", action="store_true", help="compare estimates with finished jobs instead")


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
