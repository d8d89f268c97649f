"""``w2s fetch``: everything of an experiment that lies on the hub."""

from __future__ import annotations

import argparse

from w2s.cli import common

HELP = "download and check what an experiment needs from the hub"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiment."""
    parser.add_argument("experiment", nargs="?", help="name of an experiment (default: the one in config.yaml)")


def run(options: argparse.Namespace) -> None:
    """Data sets and models from the hub into the local cache; every row is formatted once, every model loaded."""
    from w2s.config.ladder import OpenRung
    from w2s.experiments.settings import setting
    from w2s.models import base

    plan = common.workflow().plan(options.experiment)
    fetched = False
    for name in plan.there():
        for line in setting(name).fetch(getattr(plan, name)):
            fetched = True
            print(line, flush=True)
    for name in plan.experiment.with_panels():
        for rung in getattr(plan, name).config.ladder:
            if isinstance(rung, OpenRung) and not rung.is_local:
                folder = base.fetch(rung.source, str(rung.revision), f"rung {rung.name!r}")
                described = base.describe(folder, f"rung {rung.name!r}")
                base.check_parameters(described["parameters"], rung.parameters, f"rung {rung.name!r}")
                fetched = True
                number = f"{described['parameters']:,} parameters"
                print(f"{rung.name}: {rung.source} at {rung.revision}: {number}", flush=True)
    said = "everything it needs from the hub is in the local cache" if fetched else "it needs nothing from the hub"
    print(f"experiment {plan.experiment.experiment!r}: {said}")
