"""Puzzles (Section 4.1): a position from a game, and the one move that is right in it.

Read from what Lichess and the hub offer:

* the Lichess dump and ``Lichess/chess-puzzles``: a FEN and moves. The FEN is the position *before* the opponent's
  move: ``Moves[0]`` is that move, ``Moves[1]`` the answer. The hub's newer versions have GameId instead of
  GameUrl. A column ``game_moves`` (the game in SAN, up to the FEN or beyond) gives the game that the paper's
  prompts show.
* ``EleutherAI/lichess-puzzles``: ctx, a prompt in the paper's format, and target, its answer; no rating.

Lichess accepts any mate where several moves mate at once; here as in the paper only the move that it names counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import chess

from w2s.chess.games import identity, sans
from w2s.chess.replay import IllegalMoveError, Replay
from w2s.engine.rows import Row, read
from w2s.errors import UserError

SKIPPED_AT_MOST = 0.05  # share of rows that are no sound puzzle beyond which something is wrong with the file
ENOUGH = 100  # rows read, for that share to be believed before the end of the file
GROUP_PLIES = 20  # moves by which a game without an id is known: nearly every game is new by then
GAME_ID = re.compile(r"lichess\.org/(\w{8})")
LICHESS = ("PuzzleId", "FEN", "Moves", "Rating")
ORIGIN = ("GameUrl", "GameId", "game_moves")  # one of them must be there
PROMPTS = ("ctx", "target")


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
        for move in map(chess.Move.from_uci, self.moves):
            board.push(move)
        return board


def legal_move(board: chess.Board, uci: str) -> chess.Move:
    """The move, if it is legal on the board; ValueError otherwise, for a null move too."""
    move = board.parse_uci(uci)
    if not move:
        raise ValueError(f"null move {uci!r}")
    return move


@dataclass(slots=True)
class PuzzleCounts:
    """What became of the rows of a file. skipped: reason -> rows."""

    kept: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def __str__(self) -> str:
        return ", ".join([f"{self.kept:,} kept", *(f"{many:,} {why}" for why, many in sorted(self.skipped.items()))])


class _UnsoundError(Exception):
    """Why a row is no sound puzzle."""


def read_puzzles(
    path: Path,
    *,
    limit: int | None = None,
    counts: PuzzleCounts | None = None,
    columns: Mapping[str, str] | None = None,
) -> Iterator[Puzzle]:
    """The puzzles of a file of rows, every move replayed, as a stream.

    Rows that are no sound puzzle are skipped and counted. limit: stop after so many puzzles. counts: is added to
    while rows are read. columns: of a column that is called otherwise, the name above -> the file's. UserError if the
    file is not readable or lacks a column, and if more than ``SKIPPED_AT_MOST`` of its rows are no sound puzzles.
    """
    counts = PuzzleCounts() if counts is None else counts
    here = PuzzleCounts()
    first_bad = ""
    for number, row in enumerate(read(path), start=1):
        if columns:
            row = {**row, **{ours: row[theirs] for ours, theirs in columns.items() if theirs in row}}
        if number == 1:
            _check_columns(path, row, columns or {})
        if limit is not None and here.kept >= limit:
            break
        try:
            puzzle = _from_prompt(row) if "ctx" in row else _from_lichess(row)
        except _UnsoundError as why:
            for one in (here, counts):
                one.skipped[str(why)] += 1
            first_bad = first_bad or f"{row.get('PuzzleId') or f'row {number}'} ({why})"
            if here.kept + here.skipped.total() >= ENOUGH:
                _check(path, here, first_bad)
            continue
        here.kept += 1
        counts.kept += 1
        yield puzzle
    _check(path, here, first_bad)
    if not here.kept and limit != 0:
        raise UserError(f"{path}: no puzzles")


def _check(path: Path, counts: PuzzleCounts, first_bad: str) -> None:
    skipped = counts.skipped.total()
    read = counts.kept + skipped
    if skipped > SKIPPED_AT_MOST * read:
        raise UserError(
            f"{path}: {skipped:,} of the first {read:,} rows are not valid puzzles, more than {SKIPPED_AT_MOST:.0%} "
            f"({counts}); the first is {first_bad}"
        )


def _check_columns(path: Path, row: Row, columns: Mapping[str, str]) -> None:
    there = ", ".join(map(str, row))
    for ours, theirs in columns.items():
        if theirs not in row:
            raise UserError(f"{path} has no column {theirs!r} (chess.puzzles.columns.{ours}); it has: {there}")
    lacking = [column for column in (PROMPTS if "ctx" in row or "target" in row else LICHESS) if column not in row]
    if lacking:
        origin = [] if "ctx" in row or any(column in row for column in ORIGIN) else [ORIGIN[0]]
        like = ", ".join(f"{column}: {_like(column, row)}" for column in [*lacking, *origin])
        raise UserError(
            f"{path} has no column {', '.join(map(repr, lacking))}; it has: {there}; "
            f"where they are called otherwise, say chess.puzzles.columns: {{{like}}}"
        )
    if "ctx" not in row and not any(column in row for column in ORIGIN):
        raise UserError(
            f"{path} has none of the columns {', '.join(ORIGIN)}, so puzzles of one game cannot be kept together; "
            f"it has: {there}; where one is called otherwise, say chess.puzzles.columns: {{GameUrl: its name}}"
        )


def _like(column: str, row: Row) -> str:
    """The file's column that is called so in another case, or with underscores or spaces."""
    plain = re.compile(r"[\W_]")
    return next((str(name) for name in row if plain.sub("", str(name)).lower() == column.lower()), f"its {column}")


# -- the two kinds of row --------------------------------------------------------------------------------


def _from_lichess(row: Row) -> Puzzle:
    name = str(row.get("PuzzleId") or "")
    if not name:
        raise _UnsoundError("without PuzzleId")
    moves = _words(row.get("Moves"))
    if len(moves) < 2:
        raise _UnsoundError("without an answer in Moves")
    board = _board(str(row.get("FEN") or ""))
    game = _words(row.get("game_moves"))
    try:
        opponent = legal_move(board, moves[0])
    except ValueError:
        raise _UnsoundError("with an illegal first move") from None
    before = _game_until(board, opponent, game) if game else ()
    start = None if game else board.fen()
    board.push(opponent)
    played = (*before, opponent.uci())
    return Puzzle(name, _group(row, name, played), start, played, _answer(board, moves[1]), _rating(row.get("Rating")))


def _board(fen: str) -> chess.Board:
    try:
        board = chess.Board(fen)
    except ValueError:
        raise _UnsoundError("with a broken FEN") from None
    if not board.is_valid():
        raise _UnsoundError("with a FEN that is no legal position")
    return board


def _answer(board: chess.Board, uci: str) -> str:
    try:
        return legal_move(board, uci).uci()
    except ValueError:
        over = not any(board.legal_moves)
        raise _UnsoundError("without a legal move in the position" if over else "with an illegal answer") from None


def _game_until(board: chess.Board, opponent: chess.Move, game: list[str]) -> tuple[str, ...]:
    """The game's moves up to the FEN, where the opponent's move must follow (or the game end)."""
    replay = Replay()
    try:
        moves = tuple(replay.push_san(san) for san in game[: board.ply()])
        reached = replay.board()
        if (reached.board_fen(), reached.turn) == (board.board_fen(), board.turn) and (
            len(game) <= board.ply() or replay.push_san(game[board.ply()]) == opponent.uci()
        ):
            return moves
    except IllegalMoveError:
        raise _UnsoundError("with an illegal move in game_moves") from None
    raise _UnsoundError("whose game_moves do not lead to the position")


def _rating(value: object) -> int | None:
    if value is None or value == "":
        return None
    try:
        return round(float(str(value)))
    except (ValueError, OverflowError):
        raise _UnsoundError("with a Rating that is no number") from None


def _words(value: object) -> list[str]:
    """Moves of a cell, a text or a list; numbers and results left out."""
    return sans(value if isinstance(value, str) else " ".join(map(str, value)) if isinstance(value, list) else "")


def _group(row: Row, name: str, moves: tuple[str, ...]) -> str:
    """The id of the game; a hash of its first moves if they are known; else the puzzle stands alone."""
    url, game = str(row.get("GameUrl") or ""), str(row.get("GameId") or "")
    if game or url:
        found = GAME_ID.search(url)
        return game or (found[1] if found else url.partition("#")[0])
    return _opening(moves) if len(moves) > 1 else name


def _opening(moves: tuple[str, ...]) -> str:
    return identity(None, moves[:GROUP_PLIES])


def _from_prompt(row: Row) -> Puzzle:
    """A prompt of numbered plies that ends in the number of the move asked for, and its answer in SAN."""
    text, target = str(row.get("ctx") or "").split(), str(row.get("target") or "").strip()
    if not text or not target:
        raise _UnsoundError("without ctx or target")
    replay = Replay()
    try:
        moves = tuple(replay.push_san(san) for san in sans(" ".join(text)))
    except IllegalMoveError:
        raise _UnsoundError("with an illegal move in ctx") from None
    if text[-1] != f"{len(moves) // 2 + 1}{'...' if len(moves) % 2 else '.'}":
        raise _UnsoundError("whose ctx does not end in the number of the next move")
    try:
        answer = replay.push_san(target)
    except IllegalMoveError:
        over = not any(replay.board().legal_moves)
        raise _UnsoundError("without a legal move in the position" if over else "with an illegal answer") from None
    return Puzzle(identity(None, (*moves, answer)), _opening(moves), None, moves, answer, None)
