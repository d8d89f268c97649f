"""Which reading of PGR figures follow: undefined where the ceiling is below the supervisor, or as in the paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

VALUES = ("pgr", "pgr_auroc")
INVERTED = "_inverted_kept"
KEPT = "pgr" + INVERTED  # column: the paper's reading
PARTS = ("", "_low", "_high", "_examples_low", "_examples_high", "_sem")  # a PGR, and what bounds it
NOTE = "PGR as in the paper, kept where the ceiling is below the supervisor"


def as_in_paper(about: Mapping[str, Any]) -> bool:
    """Whether figures follow the paper's reading: asked for, or needed beside the paper's own results."""
    return about.get("pgr") == "paper" or bool(about.get("overlay_paper"))


def read(table: pd.DataFrame, about: Mapping[str, Any]) -> pd.DataFrame:
    """The rows with PGRs by the reading that figures follow. Bounds that a table does not have are undefined."""
    import math

    if not as_in_paper(about) or KEPT not in table:
        return table
    columns = [(value, part) for value in VALUES for part in PARTS if f"{value}{part}" in table]
    kept = {value + part: table.get(f"{value}{INVERTED}{part}", math.nan) for value, part in columns}
    return table.assign(**kept)
