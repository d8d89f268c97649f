"""A features artifact as read by probes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from w2s.engine import artifacts
from w2s.errors import UserError

FILE, EXAMPLES = "features.npy", "examples.parquet"


@dataclass(frozen=True)
class FeaturePart:
    """The features of one part of the data. values: (n, width) float32; truth: (n,) 0 or 1."""

    ids: list[str]
    values: np.ndarray[Any, np.dtype[np.float32]]
    truth: np.ndarray[Any, np.dtype[np.int64]]

    def __len__(self) -> int:
        return len(self.ids)


@lru_cache(maxsize=2)  # of recent models: a warm process trains probe after probe
def read_parts(folder: Path) -> Mapping[str, FeaturePart]:
    """Part -> its features and truth. Read-only. UserError if the file cannot be read."""
    table = artifacts.read_table(folder / EXAMPLES).to_pydict()
    try:
        values = np.load(folder / FILE, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError(f"{folder / FILE}: not a readable array ({error})") from None
    rows: dict[str, list[int]] = {}
    for number, part in enumerate(table["part"]):
        rows.setdefault(part, []).append(number)
    truth = np.array(table["truth"])
    return {
        name: FeaturePart([table["id"][number] for number in numbers], values[numbers], truth[numbers])
        for name, numbers in rows.items()
    }
