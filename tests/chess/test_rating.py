"""A rating says what its formula says, and grows with each ingredient."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import chess
import pytest

from w2s.chess import rating as ratings
from w2s.chess.rating import MATES, NEITHER, TAKES, Difficulty, difficulty, rating

EASY = Difficulty(
    kind=TAKES,
    legal_moves=20,
    false_checks=1,
    false_captures=0,
    distance=1,
    piece=chess.QUEEN,
    diagonal=False,
    promotes=False,
)


@pytest.mark.parametrize(
    "harder",
    [
        {"kind": MATES},
        {"kind": NEITHER},
        {"legal_moves": 21},
        {"false_checks": 2},
        {"false_captures": 1},
        {"distance": 2},
        {"piece": chess.KNIGHT},
        {"piece": chess.KING},
        {"diagonal": True},
        {"promotes": True},
    ],
)
def test_a_rating_is_monotone_in_each_ingredient(harder: dict[str, Any]) -> None:
    assert rating(replace(EASY, **harder)) > rating(EASY)


def test_a_rating_stays_on_the_scale() -> None:
    assert rating(replace(EASY, legal_moves=1, false_checks=0)) == ratings.LEAST
    assert rating(replace(EASY, kind=NEITHER, legal_moves=60, false_checks=20)) == ratings.MOST


def test_ingredients_are_read_off_the_position() -> None:
    board = chess.Board("6k1/5ppp/8/8/8/8/5PPP/R5K1 w - - 0 1")
    found = difficulty(board, chess.Move.from_uci("a1a8"))
    assert found == Difficulty(
        kind=MATES,
        legal_moves=board.legal_moves.count(),
        false_checks=0,
        false_captures=0,
        distance=7,
        piece=chess.ROOK,
        diagonal=False,
        promotes=False,
    )
    board = chess.Board("k7/8/8/3r4/8/1Q6/8/K7 w - - 0 1")
    found = difficulty(board, chess.Move.from_uci("b3d5"))
    assert (found.kind, found.diagonal, found.distance) == (TAKES, True, 2)
    assert found.false_checks == sum(board.gives_check(m) for m in board.legal_moves if m.uci() != "b3d5") > 0
