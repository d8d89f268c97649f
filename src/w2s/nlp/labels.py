"""Weak labels: another run's predictions, joined to examples by id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from w2s.engine import artifacts
from w2s.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

PREDICTED = ("strong", "validation", "test")  # parts that runs predict by default, and have weak labels on


def weak_labels(run: Path) -> dict[str, float]:
    """Example id -> the supervisor's probability of class 1."""
    table = artifacts.read_table(run / "predictions.parquet").select(["id", "probability"]).to_pydict()
    return dict(zip(table["id"], table["probability"], strict=True))


def join(ids: list[str], weak: Mapping[str, float], *, where: str) -> Tensor:
    """(ids,) weak labels in the order of the ids; UserError for an example without a prediction."""
    from torch import tensor

    missing = [name for name in ids if name not in weak]
    if missing:
        raise UserError(f"{where}: no prediction for {len(missing)} of {len(ids)} examples, first {missing[0]}")
    return tensor([weak[name] for name in ids])
