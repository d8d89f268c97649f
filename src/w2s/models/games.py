"""The games stage: what a chess ladder is pretrained on, as one stream of tokens, and its tokenizer (Appendix A.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import chess
import numpy as np
from tokenizers import Tokenizer

from w2s import artifacts
from w2s.errors import UserError
from w2s.models.corpus import DOCUMENTS_FOR_TOKENIZER, token_stream, train_tokenizer
from w2s.settings.chess import CLOSED
from w2s.tasks.chess import endgames, notation
from w2s.tasks.chess.data import puzzles_of
from w2s.tasks.chess.games import Counts, Game, read_games
from w2s.tasks.chess.puzzles import Puzzle
from w2s.tasks.chess.replay import Replay


def make(build: artifacts.Build, files: Mapping[str, Sequence[str]]) -> None:
    """Write ``tokenizer.json`` and ``tokens.npy``. files: ``games`` and ``puzzles``, where they lie in files."""
    spec = build.identity.spec
    read = Counts()
    puzzles = positions(puzzles_of(spec["apart_from"], files))
    games = list(games_of(spec["games"], files, read))
    apart = [game for game in games if not passes(game, puzzles)]
    kept = [game for game in apart if spec["notation"] != "pgn" or game.start is None]
    if not kept:
        raise UserError(f"chess games: none of {len(games):,} is left to pretrain on; they hold the puzzles' positions")
    documents = [notation.game_text(game, spec["notation"]) for game in kept]
    tokenizer = tokenizer_for(spec["notation"], documents, spec["vocabulary"])
    tokens = token_stream(tokenizer, documents)
    tokenizer.save(str(build.folder / "tokenizer.json"))
    np.save(build.folder / "tokens.npy", tokens)
    build.measured |= {
        "games": len(games),
        "read": str(read),
        "with_a_puzzle_dropped": len(games) - len(apart),
        "from_another_start_dropped": len(apart) - len(kept),
        "documents": len(kept),
        "tokens": len(tokens),
        "vocabulary": tokenizer.get_vocab_size(),
    }
    print(
        f"{len(games):,} games, {len(games) - len(apart):,} dropped that hold a puzzle's position, "
        f"{len(tokens):,} tokens, vocabulary {tokenizer.get_vocab_size():,}"
    )


def games_of(place: Mapping[str, Any], files: Mapping[str, Sequence[str]], counts: Counts) -> Iterable[Game]:
    """The games that a spec speaks of: generated, or in files."""
    if "endgames" in place:
        return endgames.games(place["endgames"]["count"], place["endgames"]["seed"])
    paths = [Path(path) for path in files["games"]]
    streams = (read_games(path, least_elo=place["least_elo"], counts=counts) for path in paths)
    return islice((game for stream in streams for game in stream), place["limit"])


def positions(puzzles: Iterable[Puzzle]) -> set[int]:
    """The positions in which puzzles are to be solved (see ``Replay.place``)."""
    return {Replay(puzzle.position()).place() for puzzle in puzzles}


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
