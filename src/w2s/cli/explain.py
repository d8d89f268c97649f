"""``w2s explain``: what a path under results/ is."""

from __future__ import annotations

import argparse
from pathlib import Path

from w2s.cli import common

HELP = "explain an artifact: its spec, its parents, and how it differs from its nearest neighbour"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The path."""
    parser.add_argument("path", type=Path, help="a directory under results/, or a file in it")


def run(options: argparse.Namespace) -> None:
    """Say what a path is."""
    from w2s.jobs.explain import explain_path

    print(explain_path(options.path, common.workflow()))
