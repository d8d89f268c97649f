"""``w2s`` and ``python -m w2s``."""

from __future__ import annotations

import sys

from w2s.engine import caches

ALONE = ("corpus", "dialogues")  # stages that train a tokenizer, on threads that no forked process may start
SERVER = (sys.executable, "-m", "w2s.cli.warm_server")


def main() -> int:
    """Hand a job of a local workflow to its warm processes, everything else to the commands."""
    caches.settle()
    if sys.argv[1:2] == ["make"] and sys.argv[2:3] and sys.argv[2] not in ALONE:
        from w2s.engine import warm

        status = warm.delegate(sys.argv[1:], SERVER)
        if status is not None:
            return status
    from w2s.cli import main as commands

    return commands()


if __name__ == "__main__":
    sys.exit(main())
