"""How a position and what led to it become text, and how text becomes a move again, by the name of a notation.

* ``pgn``: the paper's (Figure 14). Every ply is numbered, ``1. d4 1... Nf6 2. Nf3 2...``; the answer is SAN.
* ``fen``: the position alone, for puzzles whose game is unknown: its FEN and a cue; the answer is SAN.
* ``squares``: words for a closed vocabulary. The start as pieces on squares, whose turn it is and a colon, then every
  move as its piece on the from-square and the to-square: ``Kg6 Qd1 kh8 white : Qd1 d8``. White pieces are upper
  case and come first; kings, queens, rooks, bishops, knights, pawns; each kind from a1 to h8. Castling rights and
  a possible en passant capture follow the pieces. The usual start is the one word ``start``.
* ``position``: the same words, but the position is written anew before every move, so nothing has to be replayed.

A prompt ends where the answer begins, and the answer brings its leading space, so that words and their tokens are
the same behind a prompt as alone. The text of a game has the puzzles' form: pretraining on games teaches it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import chess

from w2s.chess.games import Game
from w2s.chess.puzzles import Puzzle
from w2s.chess.replay import Replay
from w2s.errors import UserError, allowed

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CUE = " Best move:"  # behind a FEN
START, NOW = "start", ":"
TURNS = {chess.WHITE: "white", chess.BLACK: "black"}
CASTLING = {chess.BB_H1: "O-O", chess.BB_A1: "O-O-O", chess.BB_H8: "o-o", chess.BB_A8: "o-o-o"}
EN_PASSANT = "ep"
ORDER = (chess.KING, chess.QUEEN, chess.ROOK, chess.BISHOP, chess.KNIGHT, chess.PAWN)
PROMOTIONS = {
    kind: f"={chess.piece_symbol(kind).upper()}" for kind in (chess.QUEEN, chess.ROOK, chess.BISHOP, chess.KNIGHT)
}
PIECES = [
    [
        [chess.Piece(kind, colour).symbol() + name for name in chess.SQUARE_NAMES]
        for colour in (chess.BLACK, chess.WHITE)
    ]
    for kind in range(1, 7)
]  # by kind - 1, colour and square


@dataclass(frozen=True, slots=True)
class Notation:
    """What a notation does. closed: its words are a closed vocabulary, for which ``tokenizer`` has a tokenizer."""

    prompt: Callable[[Puzzle], str]
    answer: Callable[[chess.Board, chess.Move], str]
    game: Callable[[Game], str]
    read: Callable[[list[str], chess.Board], chess.Move | None]
    closed: bool = False


def prompt(puzzle: Puzzle, notation: str) -> str:
    """What a model is given, without a space at its end. UserError for ``pgn`` if the game is unknown."""
    return _notation(notation).prompt(puzzle)


def answer(puzzle: Puzzle, notation: str) -> str:
    """What a model should say, with its leading space."""
    return _notation(notation).answer(puzzle.position(), chess.Move.from_uci(puzzle.answer))


def game_text(game: Game, notation: str) -> str:
    """A game as a document to pretrain on.

    ``position`` and ``fen`` write one prompt with its answer for every ply; between two of them stands the end
    token (``fen``: a line break), so that each begins as a puzzle does. UserError for ``pgn`` if the game does not
    begin at the usual start: leave such games out.
    """
    return _notation(notation).game(game)


def parse_answer(text: str, board: chess.Board, notation: str) -> chess.Move | None:
    """The legal move that a model's text begins with; None if there is none.

    White space, missing check and mate marks and whatever follows the move do not matter.
    """
    words = text.split()
    return _notation(notation).read(words, board) if words else None


def legal(text: str, board: chess.Board, notation: str) -> bool:
    """Whether a model's text begins with a legal move."""
    return parse_answer(text, board, notation) is not None


def tokenizer(notation: str) -> Tokenizer:
    """One token a word of ``squares`` and ``position``; every encoded text starts with the end token.

    A word outside of the vocabulary is an error, not an unknown token; no legal game has one. UserError for the other
    notations, whose text needs a trained tokenizer or a model's own.
    """
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    if not _notation(notation).closed:
        closed = [name for name, one in NOTATIONS.items() if one.closed]
        raise UserError(
            f"notation {notation!r} has no fixed vocabulary; train a tokenizer, or choose {', '.join(closed)}"
        )
    end = _end()
    words = vocabulary()
    made = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}))
    made.add_special_tokens([end])
    made.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    made.post_processor = processors.TemplateProcessing(single=f"{end} $A", special_tokens=[(end, words.index(end))])
    return made


def vocabulary() -> list[str]:
    """Every word of ``squares`` and ``position``, the end token first."""
    pieces = [
        name
        for kind in ORDER
        for colour in (chess.WHITE, chess.BLACK)
        for square, name in enumerate(PIECES[kind - 1][colour])
        if kind != chess.PAWN or 0 < square >> 3 < 7
    ]
    words = [_end(), START, NOW, *TURNS.values(), *CASTLING.values(), EN_PASSANT, *PROMOTIONS.values()]
    return [*words, *chess.SQUARE_NAMES, *pieces]


@cache
def _end() -> str:
    # Imported here: the corpus of a chess ladder imports this module.
    from w2s.models.tokenizer import END

    return END


def _notation(name: str) -> Notation:
    if name not in NOTATIONS:
        raise UserError(f"unknown notation {name!r}; {allowed(name, NOTATIONS)}")
    return NOTATIONS[name]


# -- SAN: pgn and fen --------------------------------------------------------------------------------------


def _plies(moves: tuple[str, ...]) -> Iterator[str]:
    """Numbered moves of a game from the usual start, in SAN."""
    replay = Replay()
    for ply, move in enumerate(moves):
        yield f"{_number(ply)} {replay.push_uci(move)}"


def _number(ply: int) -> str:
    return f"{ply // 2 + 1}{'...' if ply % 2 else '.'}"


def _pgn_prompt(puzzle: Puzzle) -> str:
    if puzzle.start is not None:
        raise UserError(
            f"puzzle {puzzle.id}: its game is unknown, but notation 'pgn' requires it; "
            "use 'fen', or puzzles with the moves of their games"
        )
    return " ".join([*_plies(puzzle.moves), _number(len(puzzle.moves))])


def _pgn_game(game: Game) -> str:
    if game.start is not None:
        raise UserError(
            f"game {game.id} begins at {game.start!r}, not at the standard start, which notation 'pgn' requires"
        )
    return " ".join(_plies(game.moves))


def _fen_prompt(puzzle: Puzzle) -> str:
    return _fen(puzzle.position())


def _fen(board: chess.Board) -> str:
    return board.fen() + CUE


def _fen_game(game: Game) -> str:
    return "\n".join(_fen(board) + _san(board, move) for board, move in replayed(game.start, game.moves))


def _san(board: chess.Board, move: chess.Move) -> str:
    return " " + board.san(move)


def _read_san(words: list[str], board: chess.Board) -> chess.Move | None:
    try:
        return board.parse_san(words[0].rstrip("!?")) or None  # a null move is none
    except ValueError:
        return None


# -- words: squares and position ---------------------------------------------------------------------------


def replayed(start: str | None, moves: tuple[str, ...]) -> Iterator[tuple[chess.Board, chess.Move]]:
    """Every position with the move that is played in it; always the same board."""
    board = chess.Board(start) if start else chess.Board()
    for move in map(chess.Move.from_uci, moves):
        yield board, move
        board.push(move)


def _position_words(board: chess.Board) -> list[str]:
    """Pieces, castling rights, en passant, turn and the separator."""
    masks = (board.pawns, board.knights, board.bishops, board.rooks, board.queens, board.kings)
    words = [
        PIECES[kind - 1][colour][square]
        for colour in (chess.WHITE, chess.BLACK)
        for kind in ORDER
        for square in chess.scan_forward(masks[kind - 1] & board.occupied_co[colour])
    ]
    words += [word for rook, word in CASTLING.items() if board.castling_rights & rook]
    if board.ep_square is not None and board.has_legal_en_passant():
        words += [EN_PASSANT, chess.SQUARE_NAMES[board.ep_square]]
    return [*words, TURNS[board.turn], NOW]


def _start_words(start: str | None) -> list[str]:
    return _position_words(chess.Board(start)) if start else [START, TURNS[chess.WHITE], NOW]


def _move_words(board: chess.Board, move: chess.Move) -> list[str]:
    kind = board.piece_type_at(move.from_square)
    assert kind is not None, move
    words = [PIECES[kind - 1][board.turn][move.from_square], chess.SQUARE_NAMES[move.to_square]]
    return [*words, PROMOTIONS[move.promotion]] if move.promotion else words


def _squares(start: str | None, moves: tuple[str, ...]) -> str:
    words = _start_words(start)
    for board, move in replayed(start, moves):
        words += _move_words(board, move)
    return " ".join(words)


def _position_game(game: Game) -> str:
    plies = replayed(game.start, game.moves)
    return f" {_end()} ".join(" ".join(_position_words(board) + _move_words(board, move)) for board, move in plies)


def _words_answer(board: chess.Board, move: chess.Move) -> str:
    return " " + " ".join(_move_words(board, move))


def _read_words(words: list[str], board: chess.Board) -> chess.Move | None:
    """The piece must be the one that stands there."""
    if len(words) < 2 or words[0][1:] not in chess.SQUARE_NAMES or words[1] not in chess.SQUARE_NAMES:
        return None
    promotion = {word: kind for kind, word in PROMOTIONS.items()}.get(words[2]) if len(words) > 2 else None
    move = chess.Move(chess.parse_square(words[0][1:]), chess.parse_square(words[1]), promotion)
    if not board.is_legal(move):
        return None
    return move if _move_words(board, move)[0] == words[0] else None


NOTATIONS: dict[str, Notation] = {
    "pgn": Notation(prompt=_pgn_prompt, answer=_san, game=_pgn_game, read=_read_san),
    "fen": Notation(prompt=_fen_prompt, answer=_san, game=_fen_game, read=_read_san),
    "squares": Notation(
        prompt=lambda puzzle: _squares(puzzle.start, puzzle.moves),
        answer=_words_answer,
        game=lambda game: _squares(game.start, game.moves),
        read=_read_words,
        closed=True,
    ),
    "position": Notation(
        prompt=lambda puzzle: " ".join(_position_words(puzzle.position())),
        answer=_words_answer,
        game=_position_game,
        read=_read_words,
        closed=True,
    ),
}
