"""``w2s`` and ``python -m w2s``."""

from __future__ import annotations

import sys


def main() -> int:
    """Hand a job of a local workflow to its warm processes, everything else to the commands."""
    if sys.argv[1:2] == ["make"] and sys.argv[2:3] not in (["corpus"], ["dialogues"]):
        from w2s import warm_client

        status = warm_client.delegate(sys.argv[1:])
        if status is not None:
            return status
    from w2s.commands import main as commands

    return commands()


if __name__ == "__main__":
    sys.exit(main())
