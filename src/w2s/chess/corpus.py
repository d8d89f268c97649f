"""The games stage: what a chess ladder is pretrained on, as one stream of tokens, and its tokenizer (Appendix A.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

import chess
from tokenizers import Tokenizer

from w2s.chess import endgames, notation
from w2s.chess.config import CLOSED
from w2s.chess.data import puzzles_of
from w2s.chess.games import Counts, Game, read_games
from w2s.chess.puzzles import Puzzle
from w2s.chess.replay import Replay
from w2s.engine import artifacts
from w2s.engine.sources import unchanged
from w2s.errors import UserError
from w2s.models.tokenizer import DOCUMENTS_FOR_TOKENIZER, save, train_tokenizer, write_tokens


def make(build: artifacts.Build, files: Mapping[str, Sequence[str]]) -> None:
    """Write ``tokenizer.json`` and ``tokens.npy``. files: ``games`` and ``puzzles``, where they lie in files.

    Games are read as a stream: however many there are, memory holds what a tokenizer is trained on at most.
    """
    spec = build.identity.spec
    documents = Documents(spec, files)
    stream = iter(documents)
    first = [] if spec["notation"] in CLOSED else list(islice(stream, DOCUMENTS_FOR_TOKENIZER))
    tokenizer = tokenizer_for(spec["notation"], first, spec["vocabulary"])
    tokens = write_tokens(build.folder / "tokens.npy", tokenizer, chain(first, stream))
    save(tokenizer, build.folder / "tokenizer.json")
    if not documents.kept:
        raise UserError(
            f"chess games: none of {documents.games:,} can be used; {documents.with_a_puzzle:,} contain a "
            f"puzzle's position and {documents.from_another_start:,} do not begin at the standard starting position"
        )
    build.measured |= {
        "games": documents.games,
        "read": str(documents.read),
        "with_a_puzzle_dropped": documents.with_a_puzzle,
        "from_another_start_dropped": documents.from_another_start,
        "documents": documents.kept,
        "tokens": tokens,
        "vocabulary": tokenizer.get_vocab_size(),
    }
    print(
        f"{documents.games:,} games, {documents.with_a_puzzle:,} dropped that hold a puzzle's position, "
        f"{tokens:,} tokens, vocabulary {tokenizer.get_vocab_size():,}"
    )


class Documents:
    """Games to pretrain on as texts, one after another, and how many were left out."""

    def __init__(self, spec: Mapping[str, Any], files: Mapping[str, Sequence[str]]) -> None:
        self._spec, self._files = spec, files
        self.read = Counts()
        self.games = self.with_a_puzzle = self.from_another_start = self.kept = 0

    def __iter__(self) -> Iterator[str]:
        puzzles = positions(puzzles_of(self._spec["apart_from"], self._files))
        notated = self._spec["notation"]
        for game in games_of(self._spec["games"], self._files, self.read):
            self.games += 1
            if passes(game, puzzles):
                self.with_a_puzzle += 1
            elif notated == "pgn" and game.start is not None:
                self.from_another_start += 1
            else:
                self.kept += 1
                for piece in pieces(game, self._spec.get("plies")):
                    yield notation.game_text(piece, notated)


def games_of(place: Mapping[str, Any], files: Mapping[str, Sequence[str]], counts: Counts) -> Iterable[Game]:
    """The games that a spec speaks of: generated, or in files."""
    if "endgames" in place:
        return endgames.games(place["endgames"]["count"], place["endgames"]["seed"])
    paths = [Path(path) for path in files["games"]]
    unchanged(paths, place["files"], "chess games")
    streams = (read_games(path, least_elo=place["least_elo"], counts=counts) for path in paths)
    return islice((game for stream in streams for game in stream), place["limit"])


def positions(puzzles: Iterable[Puzzle]) -> set[int]:
    """The positions in which puzzles are to be solved (see ``Replay.place``)."""
    return {Replay(puzzle.position()).place() for puzzle in puzzles}


def pieces(game: Game, plies: int | None) -> Iterator[Game]:
    """A game cut into pieces of so many plies, the last one shorter; the whole game for None.

    Each begins at its own position, as a puzzle does, so that a model learns to play on from any position.
    """
    if plies is None:
        yield game
        return
    for ply, (board, _) in enumerate(notation.replayed(game.start, game.moves)):
        if ply % plies == 0:
            yield Game(f"{game.id}-{ply}", board.fen() if ply else game.start, game.moves[ply : ply + plies])


def passes(game: Game, positions: set[int]) -> bool:
    """Whether a game reaches one of the positions."""
    return any(place in positions for place in _places(game))


def _places(game: Game) -> Iterator[int]:
    replay = Replay(chess.Board(game.start)) if game.start else Replay()
    yield replay.place()
    for move in game.moves:
        replay.play(move)
        yield replay.place()


def tokenizer_for(notated: str, documents: list[str], vocabulary: int) -> Tokenizer:
    """One token a word where the notation's words are a closed vocabulary; else byte-level BPE, trained."""
    if notated not in CLOSED:
        return train_tokenizer(documents[:DOCUMENTS_FOR_TOKENIZER], vocabulary)
    tokenizer = notation.tokenizer(notated)
    assert tokenizer.get_vocab_size() == vocabulary, (tokenizer.get_vocab_size(), vocabulary)
    return tokenizer
