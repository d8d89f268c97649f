"""Generated games and puzzles: legal, repeatable, with exactly one right answer, apart from each other."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter

import chess
import pytest

from w2s.chess import endgames, few
from w2s.chess.games import Game, key
from w2s.chess.puzzles import Puzzle
from w2s.errors import UserError

SEED = 3


@pytest.fixture(scope="module")
def games() -> list[Game]:
    return endgames.games(400, SEED)


@pytest.fixture(scope="module")
def puzzles(games: list[Game]) -> list[Puzzle]:
    return endgames.puzzles(250, SEED, endgames.positions(games))


def mates(board: chess.Board) -> list[chess.Move]:
    found = []
    for move in board.legal_moves:
        board.push(move)
        if board.is_checkmate():
            found.append(move)
        board.pop()
    return found


def test_games_are_legal_and_short_and_white_begins(games: list[Game]) -> None:
    for game in games:
        assert game.start is not None
        board = chess.Board(game.start)
        assert board.is_valid()
        assert board.turn == chess.WHITE
        assert len(game.moves) in (3, 5)
        for move in game.moves:
            board.push(board.parse_uci(move))


def test_white_mates_most_but_not_all_of_the_time_when_it_can(games: list[Game]) -> None:
    taken: Counter[bool] = Counter()
    for game in games:
        board = chess.Board(game.start or "")
        for uci in game.moves:
            move = chess.Move.from_uci(uci)
            if board.turn == chess.WHITE and (found := mates(board)):
                taken[move in found] += 1
            board.push(move)
    assert 0.7 < taken[True] / taken.total() < 0.9
    assert taken.total() > 0.8 * len(games)


def test_puzzles_have_one_right_answer_by_brute_force(puzzles: list[Puzzle]) -> None:
    kinds: Counter[str] = Counter()
    for puzzle in puzzles:
        board, answer = puzzle.position(), chess.Move.from_uci(puzzle.answer)
        assert board.is_valid()
        assert board.turn == chess.WHITE
        found = mates(board)
        if found:
            kinds["mate in one"] += 1
            assert found == [answer]
        elif board.is_capture(answer):
            kinds["takes"] += 1
            loose = [m for m in board.legal_moves if board.is_capture(m) and not can_take_back(board, m)]
            assert loose == [answer]
        else:
            kinds["mate in two"] += 1
            if kinds["mate in two"] <= 12:  # slow
                assert [move for move in board.legal_moves if forces_mate(board, move)] == [answer]
    assert kinds["mate in one"] > kinds["takes"] > 0
    assert kinds["mate in two"] > 0


def can_take_back(board: chess.Board, move: chess.Move) -> bool:
    board.push(move)
    found = any(reply.to_square == move.to_square for reply in board.legal_moves)
    board.pop()
    return found


def forces_mate(board: chess.Board, move: chess.Move) -> bool:
    board.push(move)
    every = bool(list(board.legal_moves))
    for reply in list(board.legal_moves):
        board.push(reply)
        every = every and bool(mates(board))
        board.pop()
    board.pop()
    return every


def test_puzzles_are_apart_from_games_and_from_each_other(games: list[Game], puzzles: list[Puzzle]) -> None:
    keys = [key(puzzle.position()) for puzzle in puzzles]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & endgames.positions(games)
    assert len({puzzle.id for puzzle in puzzles}) == len(puzzles)


def test_positions_to_avoid_do_not_turn_up(puzzles: list[Puzzle]) -> None:
    avoided = {key(puzzle.position()) for puzzle in puzzles[:50]}
    others = endgames.puzzles(100, SEED, avoided)
    assert not {key(puzzle.position()) for puzzle in others} & avoided


def test_the_same_seed_gives_the_same_in_another_process(puzzles: list[Puzzle]) -> None:
    code = (
        "from w2s.chess import endgames;"
        "print([g.id for g in endgames.games(40, 5)], [p.id for p in endgames.puzzles(20, 5, set())])"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
                       capture_output=True, text=True, check=True).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert runs[0] == runs[1]
    assert (
        runs[0].split()
        == f"{[g.id for g in endgames.games(40, 5)]} {[p.id for p in endgames.puzzles(20, 5, set())]}".split()
    )
    assert endgames.games(40, 6) != endgames.games(40, 5)


def test_ratings_let_every_cutoff_of_the_paper_select_something(puzzles: list[Puzzle]) -> None:
    ratings = [puzzle.rating or 0 for puzzle in puzzles]
    shares = [
        sum(rating < cutoff for rating in ratings) / len(ratings) for cutoff in (800, 900, 1000, 1100, 1200, 1300)
    ]
    assert shares[0] > 0.03
    assert shares == sorted(shares)
    assert shares[-1] < 0.8
    assert 0.05 < sum(rating >= 2000 for rating in ratings) / len(ratings) < 0.3


def test_more_puzzles_than_there_are_positions_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endgames, "TRIES", 30)
    one = endgames.puzzles(1, 0, set())[0].position()
    monkeypatch.setattr(endgames, "key", lambda board: key(one))
    with pytest.raises(UserError, match="only 1 of 5 puzzles"):
        endgames.puzzles(5, 0, set())


def test_mates_found_on_bit_masks_are_python_chess_mates() -> None:
    rng = random.Random(0)
    materials = [(5,), (4, 4), (5, 4), (5, 3), (5, 2), (5, 1), (4, 1), (3, 2, 5)]
    checked = 0
    while checked < 400:
        kinds = rng.choice(materials)
        king, *squares = rng.sample(chess.SQUARES, len(kinds) + 2)
        pieces = tuple(zip((chess.KING, *kinds), squares, strict=True))
        board = few.board(pieces, king)
        if not board.is_valid():
            continue
        checked += 1
        expected = {move.uci() for move in mates(board)}
        assert {endgames._uci(move) for move in few.mates(pieces, king)} == expected
        assert {endgames._uci(move) for move, _ in few.moves(pieces, king)} == {m.uci() for m in board.legal_moves}
        board.turn = chess.BLACK
        assert few.is_mate(pieces, king) == board.is_checkmate()
        assert {to for to, _ in few.replies(pieces, king)} == {m.to_square for m in board.legal_moves}
