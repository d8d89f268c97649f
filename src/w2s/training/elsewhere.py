"""Test sets of other data than a run is trained on, which it is scored on too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from w2s.config.shift import ELSEWHERE
from w2s.engine import artifacts
from w2s.errors import UserError


def among(parents: Mapping[str, Path] | None) -> dict[str, Path]:
    """The parents, by role, whose test sets are predicted beside the run's own."""
    return {role: path for role, path in (parents or {}).items() if role.startswith(ELSEWHERE)}


def unseen(other: Path, data: Path) -> list[int]:
    """Places in the test part of ``other`` of the examples whose group is not in the data, or in its test part alone.

    UserError if there are none.
    """
    groups = _groups(other).get("test", [])
    trained = {group for part, some in _groups(data).items() if part != "test" for group in some}
    kept = [place for place, group in enumerate(groups) if group not in trained]
    if not kept:
        raise UserError(f"{other}: every test example is of a group that {data} has outside of its test part")
    return kept


def _groups(data: Path) -> dict[str, list[str]]:
    """Part -> the groups of its examples, in the order of the file."""
    table = artifacts.read_table(data / "examples.parquet").select(["part", "group"]).to_pydict()
    found: dict[str, list[str]] = {}
    for part, group in zip(table["part"], table["group"], strict=True):
        found.setdefault(part, []).append(group)
    return found
