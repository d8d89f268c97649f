"""What a job computes with a model, as far as the plan knows; ``w2s.jobs.cost`` makes hours and bytes of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Work(NamedTuple):
    """One job's.

    parameters: of its model; looked_up: those of them that no token is multiplied with. passes: part of the data ->
    forward passes over it. tokens: of forward passes over anything else. memory: bytes per parameter where it computes;
    host: in the host's memory, beside a GPU.
    """

    parameters: float = 0.0
    passes: Mapping[str, float] = {}
    tokens: float = 0.0
    memory: float = 0.0
    host: float = 0.0
    looked_up: float = 0.0


class Size(NamedTuple):
    """Of data that are not built yet: examples of a half, and tokens of an example where none was measured."""

    half: float = 10_000
    tokens: float = 300
