"""``w2s init``: a folder for a study of one's own."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path

HELP = "make a folder with Snakefile, config and profiles that runs the installed workflow"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The folder."""
    parser.add_argument("folder", type=Path, help="the folder of the study, made if missing; nothing is overwritten")


def run(options: argparse.Namespace) -> None:
    """Write the study's files and say how to go on."""
    from w2s.jobs import study

    made = study.create(options.folder)
    print(
        f"{len(made)} files -> {options.folder}/; next: cd {shlex.quote(str(options.folder))} && "
        "snakemake -n figures/fig5.pdf"
    )
