"""``w2s draw``: a figure from the numbers behind it."""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

HELP = "draw a figure from its CSV file"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The figure, its numbers and experiment, and the pictures."""
    parser.add_argument("figure")
    parser.add_argument("--table", required=True, type=Path, help="the CSV file")
    parser.add_argument("--experiment", required=True, type=Path, help="the validated experiment, a JSON file")
    parser.add_argument(
        "--out", required=True, nargs="+", type=Path, help="picture files; the extension selects the format"
    )


def run(options: argparse.Namespace) -> None:
    """Draw from the CSV into every file asked for."""
    from w2s import figures
    from w2s.engine import artifacts
    from w2s.figures import hover, tables

    caption = figures.module(options.figure).CAPTION
    figure = tables.drawn(options.figure, options.table, json.loads(options.experiment.read_text(encoding="utf-8")))
    for path in options.out:
        path.parent.mkdir(parents=True, exist_ok=True)
        metadata = {".pdf": {"CreationDate": None, "Subject": caption}, ".png": {"Description": caption}}
        metadata[".svg"] = {"Date": None, "Description": caption}
        picture = io.BytesIO()
        figure.savefig(picture, format=path.suffix[1:], dpi=160, metadata=metadata.get(path.suffix, {}))
        content = picture.getvalue()
        artifacts.write_whole(path, hover.titled(content, figure) if path.suffix == ".svg" else content)
    print(", ".join(map(str, options.out)))
