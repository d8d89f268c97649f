"""The puzzles stage: puzzles from wherever they lie, in parts, as text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from w2s.chess import endgames, notation
from w2s.chess.build import check_texts, describe, split, subset
from w2s.chess.config import PuzzleSizes
from w2s.chess.puzzles import Puzzle, PuzzleCounts, read_puzzles
from w2s.engine import artifacts
from w2s.engine.rows import hub_files
from w2s.engine.sources import unchanged

COLUMNS = ("id", "part", "group", "rating", "fen", "legal_moves", "prompt", "answer")


def make(build: artifacts.Build, files: Mapping[str, Sequence[str]]) -> None:
    """Puzzles in, ``examples.parquet`` out. files: ``puzzles``, where they lie in files.

    legal_moves: how many moves there are to choose from; a random one is right once in so many times.
    """
    spec = build.identity.spec
    counts = PuzzleCounts()
    puzzles = list(puzzles_of(spec["puzzles"], files, counts))
    made = split(puzzles, PuzzleSizes(**spec["sizes"]), spec["seed"])
    parts = dict(made.parts)
    for name, count in spec.get("subsets", {}).items():
        held_out = made.parts["test"]
        parts[name] = subset(puzzles, name, count, spec["seed"], hard=spec["hard"], held_out=held_out)
    checked = check_texts(parts, spec["notation"])
    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for name, part in parts.items():
        for puzzle in part:
            for column, value in zip(COLUMNS, _row(puzzle, name, spec["notation"]), strict=True):
                columns[column].append(value)
    artifacts.write_table(build.folder / "examples.parquet", columns)
    build.measured |= {
        "counts": made.counts | {"parts": {name: describe(part) for name, part in parts.items()}},
        "checked": checked,
        "skipped": dict(sorted(counts.skipped.items())),
    }
    for name, part in parts.items():
        print(f"{name:>10}: {describe(part)}")


def _row(puzzle: Puzzle, part: str, notated: str) -> tuple[Any, ...]:
    board = puzzle.position()
    prompt, answer = notation.prompt(puzzle, notated), notation.answer(puzzle, notated)
    moves = board.legal_moves.count()
    return puzzle.id, part, puzzle.group, puzzle.rating, board.fen(), moves, prompt, answer


def puzzles_of(
    place: Mapping[str, Any], files: Mapping[str, Sequence[str]], counts: PuzzleCounts | None = None
) -> Iterator[Puzzle]:
    """The puzzles that a spec speaks of: generated, on the hub, or in files. counts: is added to."""
    if "endgames" in place:
        yield from endgames.puzzles(place["endgames"]["count"], place["endgames"]["seed"], set())
        return
    if "hub" in place:
        paths, _ = hub_files(place, "chess puzzles")
    else:
        paths = [Path(path) for path in files["puzzles"]]
        unchanged(paths, place["files"], "chess puzzles")
    columns = place.get("columns", {})
    streams = (read_puzzles(path, counts=counts, columns=columns) for path in paths)
    yield from islice((puzzle for stream in streams for puzzle in stream), place["limit"])
