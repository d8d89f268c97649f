"""``w2s stages``: the stage lock."""

from __future__ import annotations

import argparse

HELP = "compare each stage's code with stages.lock, or renew the lock"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What to lock."""
    parser.add_argument(
        "--lock", action="store_true", help="record versions and code as they are, after a version bump"
    )
    parser.add_argument(
        "--unchanged", nargs="+", default=[], metavar="STAGE", help="re-lock stages whose results did not change"
    )


def run(options: argparse.Namespace) -> None:
    """Check or renew stages.lock."""
    from w2s.experiments.settings import STAGES
    from w2s.graph import lock

    print(lock.command(STAGES, relock=options.lock, unchanged=options.unchanged))
