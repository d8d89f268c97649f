"""``w2s experiment``: the validated experiment as a file, which figures read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = "write the validated experiment as JSON (called by the rules)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiment, and where it goes."""
    parser.add_argument("--json", required=True, help="the experiment, as JSON")
    parser.add_argument("--out", required=True, type=Path, help="the JSON file")


def run(options: argparse.Namespace) -> None:
    """Write the validated experiment that Snakemake hands over."""
    from w2s.engine import artifacts

    options.out.parent.mkdir(parents=True, exist_ok=True)
    artifacts.write_json(options.out, json.loads(options.json))
