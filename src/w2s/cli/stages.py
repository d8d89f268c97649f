"""``w2s stages``: the stage lock."""

from __future__ import annotations

import argparse

HELP = "compare each stage's code with stages.lock, or update the lock"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to lock."""
    parser.add_argument("--lock", action="store_true", help="record the stages whose version was raised")
    parser.add_argument(
        "--unchanged",
        nargs="+",
        default=[],
        metavar="STAGE",
        help="record stages whose code changed but whose results did not",
    )


def run(options: argparse.Namespace) -> None:
    """Check or renew stages.lock."""
    from w2s.experiments.settings import STAGES
    from w2s.graph import lock

    print(lock.command(STAGES, relock=options.lock, unchanged=options.unchanged))
