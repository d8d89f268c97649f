"""The light board agrees with python-chess, move by move."""

from __future__ import annotations

import chess
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.chess.playouts import STARTS, playouts
from w2s.chess.games import Game
from w2s.chess.replay import IllegalMoveError, Replay


def board_of(start: str | None) -> chess.Board:
    return chess.Board(start) if start else chess.Board()


@settings(deadline=None, max_examples=60)
@given(playouts())
def test_every_move_of_a_game_is_written_and_read_as_python_chess_does(game: Game) -> None:
    board = board_of(game.start)
    writes, reads = Replay(board), Replay(board)
    for uci in game.moves:
        move = chess.Move.from_uci(uci)
        san = board.san(move)
        assert writes.push_uci(uci) == san
        assert reads.push_san(san) == uci
        board.push(move)
        same = reads.board()
        assert same.board_fen() == board.board_fen() == writes.board().board_fen()
        assert (same.turn, same.castling_rights, same.ep_square) == (board.turn, board.castling_rights, board.ep_square)


WORDS = st.from_regex(r"\A([NBRQK]?[a-h]?[1-8]?x?[a-h][1-8](=?[NBRQ])?|O-O(-O)?)\Z")


@settings(deadline=None, max_examples=20)
@given(playouts(30), st.lists(WORDS, min_size=20, max_size=20))
@pytest.mark.slow
def test_what_python_chess_does_not_allow_is_not_allowed(game: Game, words: list[str]) -> None:
    board = board_of(game.start)
    for uci in game.moves:
        board.push_uci(uci)
    for san in [
        *words,
        *(f"{name}{square}" for name in ("", "N", "B", "R", "Q", "K") for square in chess.SQUARE_NAMES),
    ]:
        try:
            expected = board.parse_san(san).uci()
        except ValueError:
            with pytest.raises(IllegalMoveError):
                Replay(board).push_san(san)
        else:
            assert Replay(board).push_san(san) == expected, (board.fen(), san)


@pytest.mark.parametrize("start", STARTS)
def test_all_moves_of_a_start_are_reached_by_name(start: str | None) -> None:
    board = board_of(start)
    for move in board.legal_moves:
        assert Replay(board).push_san(board.san(move).rstrip("+#")) == move.uci()


@pytest.mark.parametrize(
    "san", ["", "--", "Z0", "e5", "Ke2", "Qh5", "O-O", "0-0-0", "exd5", "e8=Q", "Nd2", "hello", "e4 e5"]
)
def test_a_word_that_is_no_legal_move_is_an_error(san: str) -> None:
    with pytest.raises(IllegalMoveError):
        Replay().push_san(san)
