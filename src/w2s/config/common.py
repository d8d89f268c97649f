"""What an experiment says to all of its settings."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from w2s.config.execution import Execution
from w2s.config.methods import Method
from w2s.config.schema import Entries, Name, Seed, Strict


class Common(Strict):
    """The keys of the config that stand outside of the settings' sections."""

    experiment: Name
    seeds: tuple[Seed, ...] = Field(min_length=1)
    ceiling_half: Literal["weak", "strong"] = "weak"
    # What bands show: all seeds, or a bootstrap interval over tasks or test examples (this with one seed in any case).
    spread: Literal["seeds", "tasks", "examples"] = "seeds"
    overlay_paper: bool = False  # the paper's own curves under ours, where the axes are comparable
    # PGR in figures where ceiling < supervisor: undefined, or (also with overlay_paper) the ratio, as in the paper.
    pgr: Literal["strict", "paper"] = "strict"
    gpt4_compute: float = Field(2.1e25, gt=0)  # FLOP; the paper's axes are fractions of it
    settings: tuple[str, ...] | None = Field(None, min_length=1)  # of Figures 2 and 3
    figure2_best: Literal["paper", "measured"] = "paper"  # whose choice the best method of each setting is
    methods: Entries[Name, Method]
    execution: Execution = Execution()
