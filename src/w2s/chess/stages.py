"""The stages of the chess setting."""

from __future__ import annotations

from w2s.graph.stage import Stage

PUZZLES = Stage("puzzles", 1, "w2s.chess.data", "environment", words="build chess puzzles", kind="data")
GAMES = Stage("games", 1, "w2s.chess.corpus", "environment", words="write chess games", kind="corpus")
GENERATE = Stage(
    "generate",
    1,
    "w2s.chess.finetune",
    "data model labels? environment",
    manifest="run.json",
    gpu=True,
    words="finetune on answers",
)
STAGES = (PUZZLES, GAMES, GENERATE)
