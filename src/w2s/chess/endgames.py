"""The smoke experiment's chess: short endgames and puzzles, generated with exact answers.

White has a king and one or two pieces, black a lone king, mostly near the edge, or a king and one piece. A
game is three or five plies from such a position, white to move first and last, and ends in mate most of the
time. It is made backwards: a mate is drawn, then moves are taken back, so that no search is needed. White is always
the side to find the answer, which halves what a small model has to learn.

Everything is drawn from a generator seeded by a string, and no set is iterated over, so the same seed gives
the same games and puzzles in every process.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import chess

from w2s.chess import few
from w2s.chess.few import Move, Piece, Pieces
from w2s.chess.games import Game, identity, key
from w2s.chess.puzzles import Puzzle
from w2s.chess.rating import difficulty, rating
from w2s.errors import UserError

Q, R, B, N = chess.QUEEN, chess.ROOK, chess.BISHOP, chess.KNIGHT
# White's pieces beside the king, how often, and how often the king stands near the black one: alone it must help.
MATERIALS = (
    ((Q,), 3, 1.0),
    ((R,), 2, 1.0),
    ((Q, R), 4, 0.5),
    ((R, R), 4, 0.3),
    ((Q, B), 2, 0.9),
    ((Q, N), 2, 0.9),
)
DRAWN_FROM = [(kinds, near) for kinds, weight, near in MATERIALS for _ in range(weight)]
AT_EDGE = 0.85  # how often the black king stands at the edge
LONG = 0.35  # share of games of five plies; the others have three
MATED = 0.8  # share of mates that white does not miss
CAPTURES = 0.15  # share of games that begin with white taking an undefended piece
PROMOTED = 0.35  # how often a queen or rook that mates on the last rank was a pawn the move before
GUARDED = 0.15  # share of puzzles for a mate in one in which black has a piece as well
TAKE, MATE_IN_ONE = 0.12, 0.73  # shares of the puzzles; the rest is mate in two
TRIES = 20_000  # for one puzzle; with what there is to draw from, it takes a few
EDGE = [square for square in chess.SQUARES if chess.BB_SQUARES[square] & (0xFF818181818181FF)]
RING = [[s for s in chess.SQUARES if chess.square_distance(s, king) == 2] for king in chess.SQUARES]
SEES = {kind: [list(chess.scan_forward(few.attacks(kind, s, 0))) for s in chess.SQUARES] for kind in (Q, R, B, N)}
MEN = (N, B, R)  # black's piece, where it has one


def games(count: int, seed: int) -> list[Game]:
    """Games of three or five plies from a FEN, white to move; all moves are legal."""
    rng = random.Random(f"endgames-games-{seed}")
    return [_taking(rng) if rng.random() < CAPTURES else _mating(rng) for _ in range(count)]


def positions(games: Iterable[Game]) -> set[str]:
    """The keys (see ``games.key``) of all positions that occur in games, first and last included."""
    found = set()
    for game in games:
        board = chess.Board(game.start) if game.start else chess.Board()
        found.add(key(board))
        for move in game.moves:
            board.push(chess.Move.from_uci(move))
            found.add(key(board))
    return found


def puzzles(count: int, seed: int, avoid: set[str]) -> list[Puzzle]:
    """Puzzles with one right move each, white to move, no two of the same position and none whose key is in ``avoid``.

    The answer is the only mate in one; or, where there is no mate in one, the only move that takes an undefended piece;
    or, against a lone king, the only move after which every reply allows mate. UserError if so many different ones
    cannot be found.
    """
    rng = random.Random(f"endgames-puzzles-{seed}")
    seen: set[str] = set()
    found: list[Puzzle] = []
    while len(found) < count:
        share = rng.random()
        draw = _take if share < TAKE else _mate_in_one if share < TAKE + MATE_IN_ONE else _mate_in_two
        found.append(_distinct(draw, rng, seen, avoid, f"{len(found):,} of {count:,} puzzles"))
    return found


Drawn = tuple[chess.Board, chess.Move]


def _distinct(
    draw: Callable[[random.Random], Drawn | None],
    rng: random.Random,
    seen: set[str],
    avoid: set[str],
    where: str,
) -> Puzzle:
    """The next puzzle of a kind in a position that is neither seen nor to be avoided."""
    for _ in range(TRIES):
        drawn = draw(rng)
        if drawn is None:
            continue
        board, answer = drawn
        position = key(board)
        if position not in seen and position not in avoid:
            seen.add(position)
            fen = board.fen()
            name = identity(fen, ())
            return Puzzle(name, name, fen, (), answer.uci(), rating(difficulty(board, answer)))
    raise UserError(
        f"endgames: only {where} found in positions that do not occur in games; reduce games.count or puzzles.count"
    )


# -- drawing positions -----------------------------------------------------------------------------------


def _drawn(rng: random.Random, *, check: bool = False) -> tuple[Pieces, int]:
    """White's pieces and the black king, none on another, the kings apart.

    check: one of the pieces stands where it would check on an empty board; otherwise they stand anywhere.
    """
    draw = rng.random
    kinds, near = DRAWN_FROM[int(draw() * len(DRAWN_FROM))]
    while True:
        king = EDGE[int(draw() * len(EDGE))] if draw() < AT_EDGE else int(draw() * 64)
        ours = RING[king][int(draw() * len(RING[king]))] if draw() < near else int(draw() * 64)
        if ours == king or chess.BB_KING_ATTACKS[king] >> ours & 1:
            continue
        checking = int(draw() * len(kinds)) if check else -1
        taken = 1 << king | 1 << ours
        pieces = [(chess.KING, ours)]
        for index, kind in enumerate(kinds):
            places = SEES[kind][king] if index == checking else chess.SQUARES
            square = places[int(draw() * len(places))]
            taken |= 1 << square
            pieces.append((kind, square))
        if taken.bit_count() == len(pieces) + 1:
            return tuple(pieces), king


def _mate(rng: random.Random) -> tuple[Pieces, int]:
    while True:
        pieces, king = _drawn(rng, check=True)
        if few.is_mate(pieces, king):
            return pieces, king


def _before_white(pieces: Pieces, king: int, rng: random.Random) -> tuple[Move, Pieces] | None:
    """A white move that leads to the position, and the pieces before it: black must not have been in check then."""
    occupied = few.mask(pieces) | 1 << king
    order = list(range(len(pieces)))
    rng.shuffle(order)
    for index in order:
        kind, to = pieces[index]
        for origin, before in _origins(kind, to, occupied, king, rng):
            then = (*pieces[:index], (before, origin), *pieces[index + 1 :])
            if not few.covered(then, few.mask(then)) >> king & 1:
                return (origin, to, kind if before != kind else 0), then
    return None


def _origins(kind: int, to: int, occupied: int, king: int, rng: random.Random) -> list[Piece]:
    """Where a piece may have come from, in random order, and what it was there, as (square, kind)."""
    if kind == chess.PAWN:
        return [(to - 8, kind)] if to >> 3 > 1 and not occupied >> (to - 8) & 1 else []
    if kind in (Q, R) and to >> 3 == 7 and not occupied >> (to - 8) & 1 and rng.random() < PROMOTED:
        return [(to - 8, chess.PAWN)]
    free = few.attacks(kind, to, occupied) & ~occupied
    if kind == chess.KING:
        free &= ~chess.BB_KING_ATTACKS[king]
    squares = [(square, kind) for square in chess.scan_forward(free)]
    rng.shuffle(squares)
    return squares


def _before_black(pieces: Pieces, king: int, rng: random.Random) -> int | None:
    """Where the black king may have come from: not from beside a piece that it could have taken."""
    ours = few.mask(pieces)
    loose = ours & ~few.covered(pieces, ours)
    free = chess.BB_KING_ATTACKS[king] & ~ours & ~chess.BB_KING_ATTACKS[pieces[0][1]]
    squares = [square for square in chess.scan_forward(free) if not chess.BB_KING_ATTACKS[square] & loose]
    return rng.choice(squares) if squares else None


def _uci(move: Move) -> str:
    return chess.Move(move[0], move[1], move[2] or None).uci()


# -- games -----------------------------------------------------------------------------------------------


def _mating(rng: random.Random) -> Game:
    """Backwards from a mate; now and then white misses it."""
    rounds = 2 if rng.random() < LONG else 1
    while True:
        pieces, king = _mate(rng)
        last = _before_white(pieces, king, rng)
        if last is None:
            continue
        pieces = last[1]
        final = last[0] if rng.random() < MATED else _quiet(pieces, king, rng)
        line = [_uci(final)] if final else []
        for _ in range(rounds if final else 0):
            origin = _before_black(pieces, king, rng)
            first = None if origin is None else _before_white(pieces, origin, rng)
            if origin is None or first is None or any(few.mates(first[1], origin)):
                break
            line += [chess.SQUARE_NAMES[origin] + chess.SQUARE_NAMES[king], _uci(first[0])]
            pieces, king = first[1], origin
        if len(line) == 1 + 2 * rounds:
            return _game(few.board(pieces, king), line[::-1])


def _quiet(pieces: Pieces, king: int, rng: random.Random) -> Move | None:
    """A white move that neither mates nor stalemates nor leaves a piece to the king; None if there is none."""
    choices = list(few.moves(pieces, king))
    rng.shuffle(choices)
    for move, then in choices:
        answers = few.replies(then, king)
        if answers and all(len(left) == len(then) for _, left in answers):
            return move
    return None


def _taking(rng: random.Random) -> Game:
    """White takes an undefended piece, the king moves, white mates if it can."""
    while True:
        drawn = _loose_man(rng)
        if drawn is None:
            continue
        pieces, king, man, takers = drawn
        taker = rng.choice(takers)
        then = tuple((kind, man[1] if (kind, square) == taker else square) for kind, square in pieces)
        answers = few.replies(then, king)
        if not answers:
            continue
        fled, left = rng.choice(answers)
        if len(left) < len(then):
            continue
        mates = list(few.mates(left, fled))
        final = rng.choice(mates) if mates and rng.random() < MATED else _quiet(left, fled, rng)
        if final:
            line = [_uci((taker[1], man[1], 0)), chess.SQUARE_NAMES[king] + chess.SQUARE_NAMES[fled], _uci(final)]
            return _game(few.board(pieces, king, man), line)


def _game(board: chess.Board, line: list[str]) -> Game:
    fen = board.fen()
    return Game(identity(fen, line), fen, tuple(line))


def _loose_man(rng: random.Random) -> tuple[Pieces, int, Piece, list[Piece]] | None:
    """White, the black king, an undefended black piece, and which of white's could take it; nobody is in check."""
    pieces, king = _drawn(rng)
    ours = few.mask(pieces)
    reach = few.covered(pieces, ours)
    if reach >> king & 1:
        return None
    free = [s for s in chess.scan_forward(reach & ~ours & ~chess.BB_KING_ATTACKS[king]) if s != king]
    if not free:
        return None
    man = rng.choice(MEN), rng.choice(free)
    occupied = ours | 1 << king | 1 << man[1]
    if few.attacks(*man, occupied) >> pieces[0][1] & 1:
        return None
    takers = [piece for piece in pieces if few.attacks(*piece, occupied) >> man[1] & 1]
    return (pieces, king, man, takers) if takers else None


# -- puzzles ---------------------------------------------------------------------------------------------


def _mate_in_one(rng: random.Random) -> Drawn | None:
    pieces, king = _mate(rng)
    last = _before_white(pieces, king, rng)
    if last is None:
        return None
    guarded = rng.random() < GUARDED
    if not guarded and len(list(few.mates(last[1], king))) != 1:
        return None
    man = None
    if guarded:  # what a black piece guards or blocks is python-chess's to say
        occupied = few.mask(last[1]) | 1 << king
        man = rng.choice(MEN), int(rng.random() * 64)
        if occupied >> man[1] & 1:
            return None
    board = few.board(last[1], king, man)
    if not guarded:
        return board, chess.Move(last[0][0], last[0][1], last[0][2] or None)
    mates = _mates(board) if board.is_valid() and not board.is_check() else []
    return (board, mates[0]) if len(mates) == 1 else None


def _mates(board: chess.Board) -> list[chess.Move]:
    found = []
    for move in board.legal_moves:
        if board.gives_check(move):
            board.push(move)
            if board.is_checkmate():
                found.append(move)
            board.pop()
    return found


def _take(rng: random.Random) -> Drawn | None:
    drawn = _loose_man(rng)
    if drawn is None or len(drawn[3]) > 1:
        return None
    pieces, king, man, takers = drawn
    board = few.board(pieces, king, man)
    answer = chess.Move(takers[0][1], man[1])
    if _mates(board) or not board.is_legal(answer):
        return None
    return board, answer


def _mate_in_two(rng: random.Random) -> Drawn | None:
    pieces, king = _mate(rng)
    last = _before_white(pieces, king, rng)
    origin = _before_black(last[1], king, rng) if last else None
    first = _before_white(last[1], origin, rng) if last and origin is not None else None
    if origin is None or first is None:
        return None
    found = few.mates_in_two(first[1], origin, 1)
    if len(found) != 1:
        return None
    return few.board(first[1], origin), chess.Move(found[0][0], found[0][1], found[0][2] or None)
