"""``w2s config``: an experiment as it was resolved, and where each value comes from."""

from __future__ import annotations

import argparse

from w2s.cli import common
from w2s.errors import UserError, allowed

HELP = "print a resolved experiment and the file that each value comes from"


def arguments(parser: argparse.ArgumentParser) -> None:
    """The experiment, and keys."""
    parser.add_argument("experiment", nargs="?", help="name of an experiment (default: the one in config.yaml)")
    parser.add_argument("keys", nargs="*", metavar="KEY", help="keys to show, as nlp.training (default: all)")


def run(options: argparse.Namespace) -> None:
    """Print it as YAML, without what is null because no file sets it."""
    from w2s.experiments import resolved

    of = common.workflow()
    experiment = of.plan(options.experiment).experiment.model_dump(mode="json")
    found = list(resolved.lines(experiment, of.layers(options.experiment), of.shipped_rungs()))
    try:
        print(resolved.as_text(resolved.below(found, options.keys) if options.keys else found))
    except KeyError as unknown:
        (asked,) = unknown.args
        keys = [".".join(map(str, line.path)) for line in found]
        section = asked
        while section and section not in keys:
            section = section.rpartition(".")[0]
        beside = [key for key in keys if key.rpartition(".")[0] == section]
        raise UserError(f"no key {asked!r} in this experiment; {allowed(asked, beside)}") from None
