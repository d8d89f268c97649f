"""Positions of few pieces: white king and some pieces against a lone black king, on bit masks alone.

What the generator of endgames tries by the ten thousand is tried here: which squares white covers, which
moves mate. A white piece is (kind, square); the white king comes first. Squares and masks are python-chess's.
"""

from __future__ import annotations

from collections.abc import Iterator

import chess

Piece = tuple[int, int]
Pieces = tuple[Piece, ...]
Move = tuple[int, int, int]  # from, to, promotion (0: none)
PROMOTIONS = (chess.QUEEN, chess.ROOK, chess.BISHOP, chess.KNIGHT)


def attacks(kind: int, square: int, occupied: int) -> int:
    """Squares that a white piece attacks."""
    if kind == chess.KING:
        return chess.BB_KING_ATTACKS[square]
    if kind == chess.KNIGHT:
        return chess.BB_KNIGHT_ATTACKS[square]
    if kind == chess.PAWN:
        return chess.BB_PAWN_ATTACKS[chess.WHITE][square]
    found = 0
    if kind != chess.ROOK:
        found = chess.BB_DIAG_ATTACKS[square][chess.BB_DIAG_MASKS[square] & occupied]
    if kind != chess.BISHOP:
        found |= chess.BB_RANK_ATTACKS[square][chess.BB_RANK_MASKS[square] & occupied]
        found |= chess.BB_FILE_ATTACKS[square][chess.BB_FILE_MASKS[square] & occupied]
    return found


def mask(pieces: Pieces) -> int:
    """Squares that the pieces stand on."""
    found = 0
    for _, square in pieces:
        found |= 1 << square
    return found


def covered(pieces: Pieces, occupied: int) -> int:
    """Squares that white attacks. Leave the black king out of ``occupied``: it does not hide behind itself."""
    found = 0
    for kind, square in pieces:
        found |= attacks(kind, square, occupied)
    return found


def is_mate(pieces: Pieces, king: int) -> bool:
    """Whether the lone black king on ``king``, to move, is checkmated."""
    zone = chess.BB_KING_ATTACKS[king] | 1 << king
    return not zone & ~covered(pieces, mask(pieces))


def replies(pieces: Pieces, king: int) -> list[tuple[int, Pieces]]:
    """Where the lone black king can go, and white's pieces afterwards: one may be taken."""
    flights = chess.BB_KING_ATTACKS[king] & ~covered(pieces, mask(pieces))
    return [(to, tuple(one for one in pieces if one[1] != to)) for to in chess.scan_forward(flights)]


def moves(pieces: Pieces, king: int) -> Iterator[tuple[Move, Pieces]]:
    """White's legal moves against a lone king on ``king``, each with the pieces as they stand afterwards."""
    for index, (kind, square) in enumerate(pieces):
        before, after = pieces[:index], pieces[index + 1 :]
        for to, promotion in _targets(kind, square, mask(before + after), king, checks=False):
            yield (square, to, promotion), (*before, (promotion or kind, to), *after)


def _steps(square: int, occupied: int) -> Iterator[tuple[int, int]]:
    if square >> 3 == 6:
        for promotion in PROMOTIONS:
            yield square + 8, promotion
        return
    yield square + 8, 0
    if square >> 3 == 1 and not occupied >> (square + 16) & 1:
        yield square + 16, 0


def mates(pieces: Pieces, king: int) -> Iterator[Move]:
    """White's moves that mate a lone king at once.

    Only moves to squares that give check are looked at, unless the others give it once the piece is gone, and
    whether the others are blocked only where the king would have no flight otherwise.
    """
    zone = chess.BB_KING_ATTACKS[king] | 1 << king
    for index, (kind, square) in enumerate(pieces):
        others = pieces[:index] + pieces[index + 1 :]
        standing = mask(others)
        needed = zone & ~covered(others, standing)
        for to, promotion in _targets(kind, square, standing, king, checks=bool(needed >> king & 1)):
            reached = attacks(promotion or kind, to, standing)
            if not needed & ~reached and not zone & ~(reached | covered(others, standing | 1 << to)):
                yield square, to, promotion


def _targets(kind: int, square: int, standing: int, king: int, *, checks: bool) -> Iterator[tuple[int, int]]:
    """(to, promotion) of a white piece's moves; ``checks``: those from which it checks are enough."""
    if kind == chess.PAWN:
        if not (standing | 1 << king) >> (square + 8) & 1:
            yield from _steps(square, standing | 1 << king)
        return
    targets = attacks(kind, square, standing | 1 << king) & ~standing
    if kind == chess.KING:
        targets &= ~chess.BB_KING_ATTACKS[king]
    if checks:
        targets &= attacks(kind, king, standing)
    for to in chess.scan_forward(targets):
        yield to, 0


def mates_in_two(pieces: Pieces, king: int, at_most: int) -> list[Move]:
    """White's moves after which every reply allows mate; stops beyond ``at_most``, or if there is a mate in one."""
    found: list[Move] = []
    for move, then in moves(pieces, king):
        answers = replies(then, king)
        if not answers:  # mate or stalemate
            if is_mate(then, king):
                return []
        elif all(any(mates(left, to)) for to, left in answers):
            found.append(move)
            if len(found) > at_most:
                break
    return found


def board(pieces: Pieces, king: int, man: Piece | None = None, turn: chess.Color = chess.WHITE) -> chess.Board:
    """The position as python-chess's board. man: a black piece beside the king."""
    position = chess.Board(None)
    for kind, square in pieces:
        position.set_piece_at(square, chess.Piece(kind, chess.WHITE))
    position.set_piece_at(king, chess.Piece(chess.KING, chess.BLACK))
    if man:
        position.set_piece_at(man[1], chess.Piece(man[0], chess.BLACK))
    position.turn = turn
    return position
