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
COMMANDS += ("bench", "config", "examples", "fetch", "gallery", "init", "push", "table", "track", "stages")


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
        said = _in_one_line(error)
        if said is None:
            raise
        print(f"w2s: {said}", file=sys.stderr)
        return 1
    finally:
        from w2s.engine import gpus

        gpus.release()


def _in_one_line(error: Exception) -> str | None:
    """What a user can do about an error of the machine; None for one of the program."""
    from w2s.engine import space

    if space.is_full(error):
        named = error.filename if isinstance(error, OSError) else None
        return space.said(Path(named or "."))
    if isinstance(error, OSError):
        return f"{error.filename or 'file system'}: {error.strerror or error}"
    if isinstance(error, MemoryError | RuntimeError):
        from w2s.engine.memory import is_out_of_memory

        if is_out_of_memory(error):
            return "out of memory; set W2S_TOKENS_AT_ONCE to a lower value; results do not depend on it"
    return None


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
