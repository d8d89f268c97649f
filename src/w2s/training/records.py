"""What stages that train have in common: what they refuse to start, and the history that they write."""

from __future__ import annotations

import csv
from pathlib import Path

from w2s import artifacts
from w2s.errors import UserError


def check_gpus(needed: int) -> None:
    """UserError if a run needs to be spread over several GPUs."""
    if needed > 1:
        raise UserError(
            f"this rung needs {needed} GPUs (its ladder says so), and one run is not yet spread over several; "
            "give it adapters and gpus: 1 if it then fits, or leave it out of the ladder"
        )


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """One row an evaluation."""
    with artifacts.written(path) as file:
        writer = csv.DictWriter(file, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: format(value, ".8g") for name, value in row.items()} for row in history)
