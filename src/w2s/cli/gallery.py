"""``w2s gallery``: the documentation's pages of figures."""

from __future__ import annotations

import argparse
from pathlib import Path

from w2s.cli import common

HELP = "write the documentation's figure pages from the default experiment's pictures"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Where the pictures are."""
    parser.add_argument("--pictures", default="figures", type=Path, help="folder of the pictures")


def run(options: argparse.Namespace) -> None:
    """Write docs/figures/, docs/pictures/ and the galleries of README and docs/figures.md."""
    from w2s.report import gallery

    print(f"{len(gallery.write(common.workflow(), options.pictures, Path()))} figures -> docs/figures/")
