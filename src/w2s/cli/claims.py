"""``w2s claims``: which of the paper's claims hold."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

HELP = "judge the paper's claims from the numbers behind the figures"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The tables, their experiment, the page and the verdicts."""
    parser.add_argument("tables", nargs="*", type=Path, help="<figure>.csv files: the numbers behind figures")
    parser.add_argument("--experiment", required=True, type=Path, help="the validated experiment, a JSON file")
    parser.add_argument("--figures", default="figures", type=Path, help="folder of the figures' pictures, for links")
    parser.add_argument("--page", required=True, type=Path, help="the HTML file")
    parser.add_argument("--out", required=True, type=Path, help="the CSV file")


def run(options: argparse.Namespace) -> None:
    """Judge the paper's claims by the tables given; write the page and the verdicts."""
    import pandas as pd

    from w2s.claims import evaluate
    from w2s.engine import artifacts
    from w2s.experiments.loading import plan_of
    from w2s.figures import tables as csv
    from w2s.report import claims as report

    about = json.loads(options.experiment.read_text(encoding="utf-8"))
    tables = {path.stem: csv.read(path) for path in options.tables}
    rows: dict[str, list[Any]] = {name: table.to_dict("records") for name, table in tables.items()}
    judged = evaluate.on_tables(plan_of(about, str(options.experiment)), about, rows)
    about |= {"commit": artifacts.git_commit(), "note": csv.synthetic_of_all(tables, about)}
    where = options.page.parent
    page = report.page(
        judged,
        about,
        figures={name: os.path.relpath(options.figures / f"{name}.pdf", where) for name in rows},
        tables={path.stem: os.path.relpath(path, where) for path in options.tables},
    )
    for path in (options.page, options.out):
        path.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.out) as file:
        pd.DataFrame(evaluate.rows_of(judged)).to_csv(file, index=False, float_format="%.5g")
    with artifacts.written(options.page) as file:
        file.write(page)
    print(", ".join(f"{number} {verdict}" for verdict, number in evaluate.counts(judged).items()))
