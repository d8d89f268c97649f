"""The history that training stages write."""

from __future__ import annotations

import csv
from pathlib import Path

from w2s.engine import artifacts


def write_history(path: Path, history: list[dict[str, float]]) -> None:
    """One row per evaluation."""
    with artifacts.written(path) as file:
        writer = csv.DictWriter(file, list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: format(value, ".8g") for name, value in row.items()} for row in history)
