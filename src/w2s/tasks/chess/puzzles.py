"""Puzzles (Section 1.3): a position from a game, and the one move that is right in it."""

from __future__ import annotations

from dataclasses import dataclass

import chess


@dataclass(frozen=True, slots=True)
class Puzzle:
    """One puzzle: after ``moves``, played from ``start``, the right move is ``answer``.

    group: the game that it comes from; puzzles of one group stay on one side of every split. start: a FEN, or
    None for the usual start of a game. moves: in UCI, the opponent's last move included. answer: in UCI.
    rating: Elo as on Lichess, None if unknown.
    """

    id: str
    group: str
    start: str | None
    moves: tuple[str, ...]
    answer: str
    rating: int | None

    def position(self) -> chess.Board:
        """The board on which the answer is to be found."""
        board = chess.Board(self.start) if self.start else chess.Board()
        for move in self.moves:
            board.push_uci(move)
        return board
