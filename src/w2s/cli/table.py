"""``w2s table``: the numbers behind a figure as text."""

from __future__ import annotations

import argparse
from pathlib import Path

from w2s.errors import UserError

HELP = "print the numbers behind a figure as text tables"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The CSV file."""
    parser.add_argument("path", type=Path, help="results/figures/<experiment>/<figure>.csv")


def run(options: argparse.Namespace) -> None:
    """Medians over tasks, means over seeds, as text tables."""
    from w2s.figures import tables as csv
    from w2s.figures import text

    if not options.path.is_file():
        raise UserError(f"{options.path}: no such file; draw the figure first")
    try:
        tables = list(text.tables(csv.read(options.path)))
    except (KeyError, ValueError):
        raise UserError(f"{options.path}: not a figure's table, results/figures/<experiment>/<figure>.csv") from None
    print("\n\n".join(tables), end="\n\n")
