"""``w2s bench``: score a method without showing it the truth."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

from w2s.cli import common
from w2s.errors import UserError

HELP = "score a method of one Python file, sealed off from the truth"


def arguments(parser: argparse.ArgumentParser) -> None:
    """A method's file, or what else to do."""
    parser.add_argument("method", nargs="?", type=Path, metavar="METHOD", help="a Python file with hooks")
    common.experiment_argument(parser)
    parser.add_argument("--page", type=Path, help="the HTML file (default: bench/<method>.html)")
    parser.add_argument("--cores", type=common.positive, default=os.cpu_count(), help="processes at the same time")
    parser.add_argument("--try", action="store_true", dest="only_try", help="run it on one task; no score, no record")
    parser.add_argument("--template", action="store_true", help="print a method's file to start from")
    parser.add_argument(
        "--merge", nargs="+", type=Path, default=[], metavar="CSV", help="print the leaderboard of ledgers"
    )


def run(options: argparse.Namespace) -> None:
    """Print a template or a leaderboard, or try or score a method."""
    from w2s.bench import hooks

    if options.template:
        print(hooks.TEMPLATE, end="")
        return
    if options.merge:
        from w2s.bench import ledger

        board = ledger.leaderboard(ledger.merged(map(ledger.read, options.merge)))
        print(ledger.as_csv(board, (*ledger.COLUMNS, ledger.CORRECTED)), end="")
        return
    if options.method is None:
        raise UserError("bench: no method; `w2s bench --template > my_method.py` writes a file to start from")
    hooks.check(options.method)
    from w2s.bench import submit

    plan = common.workflow().plan(options.experiment)
    folders = [options.experiment] if options.experiment else []
    page = options.page or Path("bench", *folders, f"{options.method.stem}.html")
    submit.check_there(plan, str(page), Path())
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # ends the method and removes its files
    if options.only_try:
        print(submit.attempt(options.method, plan, Path(), options.cores))
        return
    print(submit.score(options.method, plan, Path(), page, options.cores))
