"""``w2s make``: one artifact; what the rules of the workflow call."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

HELP = "make one artifact: data, a corpus, a base model or a run (called by the rules)"


def arguments(parser: argparse.ArgumentParser) -> None:
    """What identifies the artifact, and where it goes."""
    parser.add_argument("stage", help="a stage's name, as in stages.lock")
    parser.add_argument("--spec", required=True, help="the resolved spec, as JSON")
    parser.add_argument("--out", required=True, type=Path, help="its directory, ending in its key")
    parser.add_argument("--parents", nargs="*", default=[], metavar="ROLE=DIR", help="its parent artifacts")
    parser.add_argument(
        "--environment", default="{}", help="locations of raw files and settings of the machine, as JSON"
    )
    parser.add_argument("--estimate", help="its estimated cost as JSON, for its record")


def run(options: argparse.Namespace) -> None:
    """Make it, unless it is there already."""
    from w2s.engine import artifacts, launcher, tracking
    from w2s.errors import located
    from w2s.experiments import settings
    from w2s.graph.artifact import Identity

    stage = settings.stage(options.stage)
    parents = {role: Path(directory) for role, _, directory in (one.partition("=") for one in options.parents)}
    keys = {}
    for role, directory in parents.items():
        with located(f"{options.stage}: its {role}"):
            keys[role] = artifacts.read(directory)["key"]
    identity = Identity(stage.id, stage.version, json.loads(options.spec), keys)
    with launcher.building(options, identity, stage.manifest) as build:
        if build is not None:
            with tracking.tracked(build, options.out):
                stage.make(build, parents, json.loads(options.environment))
