"""Games that hold a puzzle's position are not pretrained on, however they get there."""

from __future__ import annotations

import subprocess
import sys

import chess
import pytest

from w2s.chess import endgames, notation
from w2s.chess.corpus import passes, pieces, positions
from w2s.chess.games import Game, key
from w2s.chess.puzzles import Puzzle
from w2s.chess.replay import Replay


@pytest.mark.slow
def test_a_game_is_dropped_exactly_if_it_passes_through_a_puzzle() -> None:
    games = endgames.games(400, 0)
    puzzles = endgames.puzzles(300, 0, set())
    held = {key(puzzle.position()) for puzzle in puzzles}
    expected = [bool(endgames.positions([game]) & held) for game in games]
    assert [passes(game, positions(puzzles)) for game in games] == expected
    assert any(expected)


def test_a_transposition_is_found_in_a_whole_game() -> None:
    puzzle = Puzzle("one", "one", None, ("g1f3", "g8f6", "b1c3"), "b8c6", None)
    there = Game("a", None, ("b1c3", "g8f6", "g1f3", "d7d5"))
    elsewhere = Game("b", None, ("b1c3", "g8f6", "d2d4"))
    assert passes(there, positions([puzzle]))
    assert not passes(elsewhere, positions([puzzle]))


def test_the_light_board_plays_castling_captures_en_passant_and_promotion() -> None:
    lines = {
        chess.STARTING_FEN: "e2e4 e7e5 g1f3 b8c6 f1c4 f8c5 e1g1 c6d4 f3e5",
        "4k3/3P4/8/5pP1/8/8/8/4K3 w - f6 0 1": "g5f6 e8f8 d7d8q",
    }
    for fen, line in lines.items():
        board, replay = chess.Board(fen), Replay(chess.Board(fen))
        for move in line.split():
            board.push_uci(move)
            replay.play(move)
            assert replay.place() == Replay(board).place()


def test_places_are_the_same_in_every_process() -> None:
    code = "from w2s.chess.replay import Replay; print(Replay().place())"
    said = {subprocess.check_output([sys.executable, "-c", code], env=None) for _ in range(2)}
    assert len(said) == 1


@pytest.mark.parametrize("start", [None, "4k3/3P4/8/5pP1/8/8/8/4K3 w - f6 0 1"])
@pytest.mark.parametrize("plies", [1, 2, 4, 100])
def test_pieces_of_a_game_go_on_where_the_one_before_ends(start: str | None, plies: int) -> None:
    moves = "e2e4 e7e5 g1f3 b8c6 f1c4 f8c5 e1g1" if start is None else "g5f6 e8f8 d7d8q"
    game = Game("one", start, tuple(moves.split()))
    cut = list(pieces(game, plies))
    assert [move for piece in cut for move in piece.moves] == list(game.moves)
    assert {len(piece.moves) for piece in cut[:-1]} <= {plies}
    board = chess.Board(start) if start else chess.Board()
    for piece in cut:
        assert key(chess.Board(piece.start) if piece.start else chess.Board()) == key(board)
        puzzle = Puzzle("one", "one", piece.start, piece.moves[:-1], piece.moves[-1], None)
        text = notation.prompt(puzzle, "squares") + notation.answer(puzzle, "squares")
        assert notation.game_text(piece, "squares") == text
        for move in piece.moves:
            board.push_uci(move)


def test_a_whole_game_stays_one_piece() -> None:
    game = Game("one", None, ("e2e4", "e7e5"))
    assert list(pieces(game, None)) == [game]
