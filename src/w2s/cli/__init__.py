"""The ``w2s`` command: a file a subcommand. Each has ``HELP``, ``arguments(parser)`` and ``run(options)``.

Imports are late, so that help is quick and a job pays only for what it needs.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from w2s.errors import UserError

COMMANDS: tuple[str, ...] = (
    "make",
    "experiment",
    "tabulate",
    "draw",
    "claims",
    "report",
    "compare",
    "explain",
    "cost",
    "status",
)
COMMANDS += ("config", "examples", "fetch", "gallery", "table", "stages")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one subcommand; a user's mistake is one line on stderr and exit status 1."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        return 0
    except UserError as error:
        print(f"w2s: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("w2s: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        from w2s.engine import space

        if space.is_full(error):
            named = error.filename if isinstance(error, OSError) else None
            print(f"w2s: {space.said(Path(named or '.'))}", file=sys.stderr)
            return 1
        if not isinstance(error, OSError | MemoryError | RuntimeError):
            raise
        if isinstance(error, OSError):
            print(f"w2s: {error.filename or 'file system'}: {error.strerror or error}", file=sys.stderr)
            return 1
        from w2s.engine.memory import is_out_of_memory

        if not is_out_of_memory(error):
            raise
        print(
            "w2s: out of memory; set W2S_TOKENS_AT_ONCE to a lower value; results do not depend on it", file=sys.stderr
        )
        return 1
    finally:
        from w2s.engine import gpus

        gpus.release()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="w2s", description="Replication of weak-to-strong generalization (Burns et al. 2023)."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name in COMMANDS:
        module = import_module(f"w2s.cli.{name}")
        sub = commands.add_parser(name, help=module.HELP, description=module.HELP)
        module.arguments(sub)
        sub.set_defaults(run=module.run)
    return parser
