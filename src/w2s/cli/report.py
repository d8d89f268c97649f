"""``w2s report``: one page of everything."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from w2s.cli import common

HELP = "write the report: one page with verdicts, figures, cost and provenance"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiment, where its pictures are, and the page."""
    parser.add_argument("name", nargs="?", help="name of an experiment (default: the one in config.yaml)")
    parser.add_argument("--experiment", type=Path, help="the validated experiment as a JSON file, instead of a name")
    parser.add_argument("--figures", default="figures", type=Path, help="folder of its pictures")
    parser.add_argument("--docs", type=Path, help="folder with deviations.md (default: the package's)")
    parser.add_argument("--page", default="report/report.html", type=Path, help="the HTML file")


def run(options: argparse.Namespace) -> None:
    """Write the report of an experiment from what is there; it says what is not."""
    from w2s import figures
    from w2s.claims import evaluate
    from w2s.engine import artifacts
    from w2s.experiments.loading import plan_of
    from w2s.figures import tables as csv
    from w2s.jobs import installation
    from w2s.report import deviations, page, pictures

    if options.experiment is None:
        plan = common.workflow().plan(options.name)
    else:
        plan = plan_of(json.loads(options.experiment.read_text(encoding="utf-8")), str(options.experiment))
    about = plan.experiment.model_dump(mode="json", exclude={"execution"})
    found, lacking = figures.available(plan)
    paths = {name: Path(f"results/figures/{about['experiment']}/{name}.csv") for name in found}
    tables = {name: csv.read(path) for name, path in paths.items() if path.is_file()}
    rows: dict[str, list[Any]] = {name: table.to_dict("records") for name, table in tables.items()}
    made = page.Report(
        about | {"commit": artifacts.git_commit(), "note": csv.synthetic_of_all(tables, about)},
        evaluate.on_tables(plan, about, rows),
        [
            page.Shown(name, runs, pictures.files(name, options.figures), tables.get(name))
            for name, runs in found.items()
        ],
        lacking,
        deviations.read(options.docs or installation.DOCS),
    )
    options.page.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.written(options.page) as file:
        file.write(made.page())
    print(f"{options.page}: {made.summary()}")
