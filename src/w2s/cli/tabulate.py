"""``w2s tabulate``: the numbers behind a figure."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = "write the numbers behind a figure as CSV (called by the rules)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The figure, its experiment, and where the numbers go."""
    parser.add_argument("figure")
    parser.add_argument("--experiment", required=True, type=Path, help="the validated experiment, a JSON file")
    parser.add_argument("--out", required=True, type=Path, help="the CSV file")


def run(options: argparse.Namespace) -> None:
    """Read exactly the runs that the figure needs, verify them, write its numbers."""
    import pandas as pd

    from w2s import figures
    from w2s.analysis.results import Stored
    from w2s.engine import artifacts
    from w2s.experiments.loading import plan_of

    plan = plan_of(json.loads(options.experiment.read_text(encoding="utf-8")), str(options.experiment))
    rows = figures.numbers(options.figure, plan, Stored())
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.out) as file:
        pd.DataFrame(rows).to_csv(file, index=False, float_format="%.8g")
    print(f"{options.out}: {len(rows)} rows")
