"""Games from PGN files: what the chess ladder is pretrained on (Appendix A.2: both players of Elo 1800 or more).

The files are large (a month of Lichess is tens of millions of games), so they are read as a stream, games
below the Elo limit are skipped by their headers alone, and moves are replayed on a light board.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import chess

from w2s.chess.replay import IllegalMoveError, Replay
from w2s.engine.streams import lines
from w2s.errors import UserError, allowed

ENDINGS = (".pgn", ".pgn.zst")
MALFORMED_AT_MOST = 0.05  # share of malformed games beyond which something is wrong with the file
ENOUGH = 100  # games read, for that share to be believed
MOVETEXT_AT_MOST = 1 << 20  # characters; no game with comments is longer, an unclosed comment would be
STANDARD = {"", "standard", "chess", "classical", "normal", "from position"}  # as the Variant header says it
HEADER = re.compile(r'\s*\[\s*([A-Za-z0-9_]+)\s+"(.*)"\s*\]\s*$')
OPENING = ("[", " ", "\t")  # of a line with headers
HEADERS = re.compile(r'\[\s*([A-Za-z0-9_]+)\s+"((?:[^"\\]|\\.)*)"\s*\]')  # several in a line
MARK = "\ufeff".encode().decode("latin-1")  # a byte order mark, also in the middle of files that were joined
ANNOTATION = re.compile(r"\{[^}]*\}|;[^\n]*|\$\d+")
NESTED = re.compile(r"\{[^{}]*\}")  # comments in comments, which PGN does not know
VARIATION = re.compile(r"\([^()]*\)")
MOVE_NUMBER = re.compile(r"(?<![A-Za-z-])\d+(?:\.+|[):](?!\d))")
FIRST = re.compile(r"\s*1(?:\.(?!\s*\.)|[):])")  # a new game's first move
RESULTS = {"1-0", "0-1", "1/2-1/2", "*", "1/2", "1:0", "0:1", "1/2:1/2"}
NULL_MOVES = {"--", "Z0", "0000", "@@@@"}
# As people and programs write them: figurines, dashes, crosses and halves in Unicode
SPELT = dict(zip("♔♕♖♗♘♙♚♛♜♝♞♟", ("K", "Q", "R", "B", "N", "") * 2, strict=True))
SPELT |= dict.fromkeys("\u2010\u2011\u2013\u2014\u2212", "-") | {"\u00d7": "x", "½": "1/2"}
SPELLING = str.maketrans(SPELT)
SIGNS = re.compile(r"[^\w\s\x00-\x7f]+")  # ⩲, ±, ∞, □, †, ...: no letters
EN_PASSANT = re.compile(r"(?<=[36+#!?])\s*(?:\(?e\.\s?p\.?\)?|\(?ep\)?(?!\w))")
PROMOTION = re.compile(r"(?<=[18])(?:\(=?([NBRQ])\)|/([NBRQ]))")
VERDICT = re.compile(r"(?<=[\w+#])(?:\+/?-|-/?\+|\+/?=|=/?\+|=)$")  # on a position, behind the move that leads to it
REMARKS = {"N", "TN", "D", "RR", "ch", "dbl.ch", "mate"}  # novelty, diagram, editor's comment, check
STUCK = re.compile(r"(?<=[1-8QRBN])(?:(?:dbl\.?)?ch|mate)$|(?<=[2-7])T?N$")  # the same without a space


@dataclass(frozen=True, slots=True)
class Game:
    """One game. moves: in UCI, all of them legal. start: the FEN that it begins at, None for the usual one."""

    id: str
    start: str | None
    moves: tuple[str, ...]


@dataclass(slots=True)
class Counts:
    """What became of the games of a file. All but ``kept`` were skipped."""

    kept: int = 0
    below_elo: int = 0  # of either player; no Elo counts as below
    malformed: int = 0  # an illegal or unreadable move, a broken FEN or comment
    variants: int = 0  # Chess960 and others
    null_moves: int = 0
    empty: int = 0  # no move at all

    def __str__(self) -> str:
        return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in asdict(self).items())


class _SkippedError(Exception):
    """Why a game is not kept: the name of one of ``Counts``' fields."""


def key(board: chess.Board) -> str:
    """What two boards have in common if their positions are the same: pieces, turn, castling, en passant."""
    enpassant = board.ep_square if board.ep_square is not None and board.has_legal_en_passant() else ""
    return (
        f"{board.occupied_co[chess.WHITE]:x}.{board.pawns:x}.{board.knights:x}.{board.bishops:x}.{board.rooks:x}."
        f"{board.queens:x}.{board.kings:x}.{board.occupied:x}.{board.castling_rights:x}.{enpassant}.{board.turn:d}"
    )


def identity(start: str | None, moves: Iterable[str]) -> str:
    """Sixteen hex digits of a hash over a start and moves: stable wherever the game stands in a file."""
    return hashlib.sha256(f"{start or ''}|{' '.join(moves)}".encode()).hexdigest()[:16]


def read_games(
    path: Path, *, least_elo: int = 1800, limit: int | None = None, counts: Counts | None = None
) -> Iterator[Game]:
    """The games of a ``.pgn`` or ``.pgn.zst`` file in which both players have at least ``least_elo``, as a stream.

    Comments, variations and annotations are left out. limit: stop after so many games. counts: is added to
    while games are read. UserError if the file is missing, truncated or corrupt, if more than
    ``MALFORMED_AT_MOST`` of the games whose moves were read are malformed, and if it holds no game to keep.
    """
    if not path.name.endswith(ENDINGS):
        raise UserError(f"{path}: not a file of games; {allowed(path.name, ENDINGS)}")
    counts = Counts() if counts is None else counts
    here = Counts()
    first_bad = ""
    for number, (headers, text) in enumerate(_split(lines(path, "latin-1")), start=1):
        if limit is not None and here.kept >= limit:
            return
        try:
            game = _game(headers, text, least_elo)
        except _SkippedError as skipped:
            reason, _, detail = str(skipped).partition(": ")
            for one in (here, counts):
                setattr(one, reason, getattr(one, reason) + 1)
            if reason == "malformed":
                first_bad = first_bad or f"game {number}, {detail}"
                _check(path, here, first_bad)
            continue
        here.kept += 1
        counts.kept += 1
        yield game
    if not here.kept and limit != 0:
        raise UserError(
            f"{path}: no game of two players with Elo {least_elo} or more ({here})"
            + (f"; the first malformed one is {first_bad}" if first_bad else "")
        )


def _check(path: Path, counts: Counts, first_bad: str) -> None:
    read = counts.kept + counts.malformed + counts.variants + counts.null_moves + counts.empty
    if read >= ENOUGH and counts.malformed > MALFORMED_AT_MOST * read:
        raise UserError(
            f"{path}: {counts.malformed} of the first {read} games read are malformed, more than "
            f"{MALFORMED_AT_MOST:.0%}; the first is {first_bad} ({counts})"
        )


def _split(rows: Iterable[str]) -> Iterator[tuple[dict[str, str], str]]:
    """Headers and movetext of every game. A line of header form begins the next game after any line of moves.

    It does so in an unclosed comment too, but there only after an empty line, so that one broken comment costs
    one game. After an empty line a game goes on unless its result stands there, or a first move follows.
    """
    headers: dict[str, str] = {}
    text: list[str] = []
    size, comment, blank = 0, False, False
    for row in rows:
        row = row.removeprefix(MARK)
        if row[:1] in OPENING and (not comment or blank) and (found := _headers(row)):
            if text or (headers and blank):
                yield headers, "\n".join(text)
                headers, text, size, comment = {}, [], 0, False
            headers |= found
        elif not row or row.isspace():
            blank = True
            continue
        elif comment or row[0] not in "[%":
            if blank and text and not comment and _is_over(text, row):
                yield headers, "\n".join(text)
                headers, text, size = {}, [], 0
            size += len(row)
            if size <= MOVETEXT_AT_MOST:
                text.append(row)
            if "{" in row or "}" in row:
                comment = _in_comment(row, comment)
        blank = False
    if text or headers:
        yield headers, "\n".join(text)


def _headers(row: str) -> dict[str, str]:
    """Those of a line; nothing if it is none of headers."""
    one = HEADER.match(row)
    if one is not None and '"]' not in one[2]:
        return {one[1]: one[2]}
    several = {found[1]: found[2] for found in HEADERS.finditer(row)} if row.lstrip()[:1] == "[" else {}
    return several or ({one[1]: one[2]} if one is not None else {})


def _is_over(text: list[str], row: str) -> bool:
    """Whether a game has ended before a line: its result stands there, or it has moves and the line has a first one."""
    words = text[-1].rstrip().rsplit(maxsplit=1)
    if words and words[-1].rstrip(".") in RESULTS:
        return True
    return bool(FIRST.match(row)) and not _without_comments("\n".join(text)).isspace()


def _in_comment(row: str, comment: bool) -> bool:
    """Whether a comment is open at the end of a line, given whether one was at its start."""
    place = 0
    while place >= 0:
        if comment:
            place = row.find("}", place)
            comment = place < 0
        else:
            opened, rest = row.find("{", place), row.find(";", place)
            place = -1 if 0 <= rest < opened else opened
            comment = place >= 0
    return comment


def _elo(headers: dict[str, str], name: str) -> int:
    value = headers.get(name, "").strip()
    return int(value) if value.isascii() and value.isdecimal() else 0


def _game(headers: dict[str, str], text: str, least_elo: int) -> Game:
    """The game, replayed. _SkippedError says why not."""
    if _elo(headers, "WhiteElo") < least_elo or _elo(headers, "BlackElo") < least_elo:
        raise _SkippedError("below_elo")
    if headers.get("Variant", "").lower() not in STANDARD:
        raise _SkippedError("variants")
    start, replay = _start(headers.get("FEN"))
    moves = []
    for san in sans(_unicode(text)):
        if san in NULL_MOVES:
            raise _SkippedError("null_moves")
        try:
            moves.append(replay.push_san(san))
        except IllegalMoveError:
            raise _SkippedError(f"malformed: ply {len(moves) + 1}, no legal move {san!r}") from None
    if not moves:
        raise _SkippedError("empty")
    return Game(identity(start, moves), start, tuple(moves))


def _unicode(text: str) -> str:
    """Text that was read as Latin-1, PGN's own encoding, as what it is: often UTF-8, or Windows' 1252."""
    if text.isascii():
        return text
    content = text.encode("latin-1")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def sans(text: str) -> list[str]:
    """The moves of a game's mainline in SAN. What is no move stays in for the replay to find; glyphs and numbers go."""
    if "{" in text or ";" in text or "$" in text:
        text = _without_comments(text)
    if "(" in text or "/" in text:
        text = PROMOTION.sub(r"=\1\2", text)
    if "p" in text:
        text = EN_PASSANT.sub(" ", text)
    while "(" in text:
        text, removed = VARIATION.subn(" ", text)
        if not removed:
            break
    if not text.isascii():
        text = SIGNS.sub(" ", text.translate(SPELLING))
    found = []
    for word in MOVE_NUMBER.sub(" ", text).split():
        if word.rstrip(".") in RESULTS:
            break
        if move := _move(word):
            found.append(move)
    return found


def _without_comments(text: str) -> str:
    """A comment ends at the first brace that closes; where one is left over, comments were put into comments."""
    plain = ANNOTATION.sub(" ", text)
    if "}" not in plain:
        return plain
    removed = 1
    while removed:
        text, removed = NESTED.subn(" ", text)
    return ANNOTATION.sub(" ", text)


@lru_cache(1 << 14)
def _move(word: str) -> str:
    """A move without what is written around it; nothing for a number, a glyph or a remark."""
    if word in NULL_MOVES:
        return word
    word = VERDICT.sub("", STUCK.sub("", word.lstrip(".").rstrip("!?.,")))
    return "" if word.isdecimal() or word in REMARKS or not any(map(str.isalnum, word)) else word.rstrip("!?")


def _start(fen: str | None) -> tuple[str | None, Replay]:
    if not fen or fen == chess.STARTING_FEN:
        return None, Replay()
    try:
        board = chess.Board(fen)
    except ValueError as error:
        raise _SkippedError(f"malformed: FEN {fen!r} ({error})") from None
    status = board.status()
    if status == chess.STATUS_BAD_CASTLING_RIGHTS:  # a king or rook from another square: Chess960 without a header
        raise _SkippedError("variants")
    if status != chess.STATUS_VALID:
        raise _SkippedError(f"malformed: FEN {fen!r} is no legal position")
    return fen, Replay(board)
