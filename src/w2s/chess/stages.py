"""The stages of the chess setting."""

from __future__ import annotations

from w2s.graph.stage import Stage

PUZZLES = Stage("puzzles", 1, "w2s.chess.data", "environment", description="build chess puzzles", kind="data")
GAMES = Stage("games", 1, "w2s.chess.corpus", "environment", description="write chess games", kind="corpus")
GENERATE = Stage(
    "generate",
    1,
    "w2s.chess.finetune",
    "data model labels? environment",
    manifest="run.json",
    gpu=True,
    description="finetune on answers",
)
STAGES = (PUZZLES, GAMES, GENERATE)
