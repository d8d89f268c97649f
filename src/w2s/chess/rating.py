"""How hard a generated puzzle is, on a scale that looks like Lichess's: about 500 to 2500.

Lichess rates a puzzle by who solves it. Nobody solved ours, so the number comes from the position alone, as a
weighted sum of what makes the answer hard to tell from other moves:

    rating = KIND + 16 a legal move + 75 a false check + 50 a false capture + 40 a square of distance beyond the
             first + PIECE + 120 if the move is diagonal + 150 if it promotes; at least 400, at most 2800

A false check (capture) is a legal move other than the answer that gives check (takes something). KIND is 100
where the answer takes a piece, 300 where it mates, 1250 where it does neither. PIECE is 0 for queen and rook,
120 for a bishop or pawn, 200 for a knight, 250 for the king. So a rating is monotone in each of these, and the
paper's cutoffs (easy: below 800 to 1300; hard: above 2000; Appendix C.1) all select something.
"""

from __future__ import annotations

from dataclasses import dataclass

import chess

TAKES, MATES, NEITHER = 100, 300, 1250
LEGAL_MOVE, FALSE_CHECK, FALSE_CAPTURE, SQUARE, DIAGONAL, PROMOTION = 16, 75, 50, 40, 120, 150
PIECE = {
    chess.QUEEN: 0,
    chess.ROOK: 0,
    chess.BISHOP: 120,
    chess.PAWN: 120,
    chess.KNIGHT: 200,
    chess.KING: 250,
}
LEAST, MOST = 400, 2800


@dataclass(frozen=True, slots=True, kw_only=True)
class Difficulty:
    """What a rating is made of. kind: ``TAKES``, ``MATES`` or ``NEITHER``; distance: in king's moves."""

    kind: int
    legal_moves: int
    false_checks: int
    false_captures: int
    distance: int
    piece: chess.PieceType
    diagonal: bool
    promotes: bool


def difficulty(board: chess.Board, answer: chess.Move) -> Difficulty:
    """Of a position and the move that is right in it."""
    others = [move for move in board.legal_moves if move != answer]
    takes = board.is_capture(answer)
    piece = board.piece_type_at(answer.from_square)
    assert piece is not None, answer
    board.push(answer)
    mates = board.is_checkmate()
    board.pop()
    rows, files = chess.square_rank, chess.square_file
    across = abs(files(answer.from_square) - files(answer.to_square))
    return Difficulty(
        kind=MATES if mates else TAKES if takes else NEITHER,
        legal_moves=len(others) + 1,
        false_checks=sum(board.gives_check(move) for move in others),
        false_captures=sum(board.is_capture(move) for move in others),
        distance=chess.square_distance(answer.from_square, answer.to_square),
        piece=piece,
        diagonal=across == abs(rows(answer.from_square) - rows(answer.to_square)),
        promotes=answer.promotion is not None,
    )


def rating(of: Difficulty) -> int:
    """Elo-like, within ``LEAST`` and ``MOST``."""
    total = (
        of.kind
        + LEGAL_MOVE * of.legal_moves
        + FALSE_CHECK * of.false_checks
        + FALSE_CAPTURE * of.false_captures
        + SQUARE * (of.distance - 1)
        + PIECE[of.piece]
        + DIAGONAL * of.diagonal
        + PROMOTION * of.promotes
    )
    return min(MOST, max(LEAST, total))
