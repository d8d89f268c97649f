"""Where chess games and puzzles lie outside of results/, and what identifies them."""

from __future__ import annotations

from pathlib import Path

from w2s.chess.config import Games, Puzzles
from w2s.engine.sources import Source, contents

READING = 2  # version of what is understood in files; raised when the same file gives other games or puzzles


def games(choice: Games, root: Path) -> Source:
    """Chess games: generated, or in files by content. root: the project's folder."""
    if choice.source == "endgames":
        return Source({"endgames": {"count": choice.count, "seed": choice.seed}}, {})
    content, files = contents("chess.games.paths", choice.paths, root)
    identity = {"files": content, "least_elo": choice.least_elo, "limit": choice.limit, "reading": READING}
    return Source(identity, {"games": files})


def puzzles(choice: Puzzles, root: Path) -> Source:
    """Chess puzzles: generated, on the hub by commit, or in files by content. root: the project's folder."""
    if choice.source == "endgames":
        return Source({"endgames": {"count": choice.count, "seed": choice.seed}}, {})
    columns = {"columns": choice.columns} if choice.columns else {}
    if choice.source == "hub":
        place = {"hub": choice.hub, "revision": choice.revision, "files": choice.files}
        return Source(place | columns | {"limit": choice.limit}, {})
    content, files = contents("chess.puzzles.paths", choice.paths, root)
    return Source({"files": content, "limit": choice.limit, "reading": READING} | columns, {"puzzles": files})
