"""Random legal games, from the usual start and from positions close to what is rare in chess."""

from __future__ import annotations

import chess
from hypothesis import strategies as st

from w2s.chess.games import Game, identity

STARTS = (
    None,
    "r3k2r/pppq1ppp/2npbn2/4p3/4P3/2NPBN2/PPPQ1PPP/R3K2R w KQkq - 0 1",  # both sides may castle both ways
    "r3k2r/8/8/8/8/8/8/R3K2R b Kq - 0 1",  # rights that not every king and rook at home has
    "4k3/PPP2p1p/8/3pP3/2Pp4/8/p3P1PP/4K3 w - d6 0 1",  # promotions and en passant
    "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1",  # en passant that would open a line to the king
    "k7/8/1Q1Q4/8/1Q1Q4/8/8/K3n1n1 w - - 0 1",  # file, rank and both are needed to tell queens apart
    "n1n1k3/PPPP4/8/8/8/8/4pppp/4K1N1 b - - 0 1",
)


@st.composite
def playouts(draw: st.DrawFn, most: int = 60) -> Game:
    """A game of random legal moves."""
    start = draw(st.sampled_from(STARTS))
    board = chess.Board(start) if start else chess.Board()
    moves = []
    for number in draw(st.lists(st.integers(0, 2**16), max_size=most)):
        legal = sorted(board.legal_moves, key=lambda move: move.uci())
        if not legal:
            break
        rare = [m for m in legal if m.promotion or board.is_castling(m) or board.is_en_passant(m)]
        move = rare[number % len(rare)] if rare and number % 3 == 0 else legal[number % len(legal)]
        moves.append(move.uci())
        board.push(move)
    return Game(identity(start, moves), start, tuple(moves))
