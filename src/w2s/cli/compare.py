"""``w2s compare``: two experiments side by side."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

HELP = "compare two experiments on one page, with differences and their intervals"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiments, where their pictures are, the page and the differences."""
    parser.add_argument(
        "--experiments", required=True, nargs=2, type=Path, help="the two validated experiments, JSON files"
    )
    parser.add_argument("--figures", required=True, nargs=2, type=Path, help="folders of their pictures")
    parser.add_argument("--only", metavar="FIGURE", help="one figure (default: all that both have)")
    parser.add_argument("--page", required=True, type=Path, help="the HTML file")
    parser.add_argument("--out", required=True, type=Path, help="the CSV file")


def run(options: argparse.Namespace) -> None:
    """Write two experiments side by side, and the differences between their numbers."""
    import pandas as pd

    from w2s import figures
    from w2s.engine import artifacts
    from w2s.experiments.loading import plan_of
    from w2s.figures import tables as csv
    from w2s.report import comparison, pictures

    sides, shown = [], []
    for described, folder in zip(options.experiments, options.figures, strict=True):
        plan = plan_of(json.loads(described.read_text(encoding="utf-8")), str(described))
        there = [name for name in figures.available(plan)[0] if options.only in (None, name)]
        paths = {name: Path(f"results/figures/{plan.experiment.experiment}/{name}.csv") for name in there}
        tables: dict[str, list[Any]] = {
            name: csv.read(path).to_dict("records") for name, path in paths.items() if path.is_file()
        }
        shown.append([name for name in tables if any(path.is_file() for path in pictures.files(name, folder))])
        sides.append(comparison.Experiment(plan, tables, folder))
    both = [name for name in shown[0] if name in shown[1]]
    made = comparison.Comparison(sides[0], sides[1], both, artifacts.git_commit())
    for path in (options.page, options.out):
        path.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.out) as file:
        pd.DataFrame(made.rows).to_csv(file, index=False, float_format="%.5g")
    with artifacts.written(options.page) as file:
        file.write(made.page())
    print(f"{options.page}: {len(both)} figures, {len(made.rows)} differences")
