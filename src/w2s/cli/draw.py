"""``w2s draw``: a figure from the numbers behind it."""

from __future__ import annotations

import argparse
import io
import json
import secrets
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
    from w2s.engine import space
    from w2s.figures import tables

    caption = figures.module(options.figure).CAPTION
    figure = tables.drawn(options.figure, options.table, json.loads(options.experiment.read_text(encoding="utf-8")))
    for path in options.out:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}{path.suffix}")
        metadata = {".pdf": {"CreationDate": None, "Subject": caption}, ".png": {"Description": caption}}
        metadata[".svg"] = {"Date": None, "Description": caption}
        try:
            picture = io.BytesIO()
            figure.savefig(picture, format=path.suffix[1:], dpi=160, metadata=metadata.get(path.suffix, {}))
            with space.room_for(path, len(picture.getvalue())):
                aside.write_bytes(picture.getvalue())
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)
    print(", ".join(map(str, options.out)))
