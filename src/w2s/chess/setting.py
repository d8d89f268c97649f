"""Chess as a setting: what the rest of the package knows of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from w2s.chess.config import Chess
from w2s.chess.plan import TASK, ChessPlan
from w2s.chess.stages import STAGES
from w2s.chess.work import WORK
from w2s.engine.sources import Sources
from w2s.graph.artifact import Artifact
from w2s.graph.setting import Examples, Setting
from w2s.graph.work import Size


class ChessSetting(Setting):
    """Puzzles, completed by models that are pretrained on games (Section 4.1, Appendix A.2)."""

    name = "chess"
    section = Chess
    stages = STAGES
    work = WORK

    def check(self, experiment: Any, sources: Sources) -> None:
        """Nothing is named that the section itself does not know."""

    def plan(self, experiment: Any, sources: Sources) -> ChessPlan:
        """The setting's part of the run graph."""
        return ChessPlan(experiment, experiment.chess, sources)

    def is_synthetic(self, experiment: Mapping[str, Any]) -> str | None:
        """Puzzles may be generated."""
        return "generated endgames" if experiment["chess"]["puzzles"]["source"] == "endgames" else None

    def size(self, data: Artifact) -> Size:
        """Generated endgames have few pieces, so few tokens."""
        return Size(tokens=9 if "endgames" in data.spec["puzzles"] else 60)

    def examples(self, plan: ChessPlan, task: str, number: int) -> Examples:
        """Prompts with their answers."""
        from w2s.chess import notation
        from w2s.chess.data import puzzles_of

        config, data = plan.config, plan.data(plan.seeds[0])
        shown = [
            f"{notation.prompt(one, config.notation)} [{notation.answer(one, config.notation).strip()}]"
            for one in islice(puzzles_of(data.spec["puzzles"], data.environment), number)
        ]
        return Examples(f"Chess puzzles ({TASK}), from {config.puzzles.source}, in {config.notation}", shown)

    def fetch(self, plan: ChessPlan) -> Iterator[str]:
        """Puzzles from the hub; each is checked."""
        if plan.config.puzzles.source != "hub":
            return
        from w2s.chess.data import puzzles_of

        place = plan.data(plan.seeds[0]).spec["puzzles"]
        count = sum(1 for _ in puzzles_of(place, {}))
        yield f"puzzles: {place['hub']} at {place['revision']}: {count:,} sound puzzles"


SETTING = ChessSetting()
