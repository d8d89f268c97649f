"""``w2s push``: publish a run on the Hugging Face hub, or write what would be published."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

HELP = "publish a run on the Hugging Face hub: predictions, history, record and a model card"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The run, and where it goes."""
    parser.add_argument("path", type=Path, help="a run's directory under results/, or a file in it")
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--to", metavar="OWNER/NAME", help="the repository, made if missing")
    where.add_argument("--folder", type=Path, help="write the files to this new folder and publish nothing")
    parser.add_argument("--private", action="store_true", help="make the repository private if it is new")


def run(options: argparse.Namespace) -> None:
    """Publish a run, or write its folder."""
    from w2s.engine import hub
    from w2s.report import card

    if options.to:
        hub.check_publishing(options.to)
    finished = card.read(options.path)
    if options.folder:
        card.write(finished, options.folder, options.folder.name)
        print(f"{options.folder}: written; nothing was published")
        return
    with tempfile.TemporaryDirectory(prefix="w2s-") as scratch:
        folder = Path(scratch) / "run"
        card.write(finished, folder, options.to)
        print(hub.publish(folder, options.to, private=options.private))
