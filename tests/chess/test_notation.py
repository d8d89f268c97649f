"""Text that says exactly the position and the move, in every notation, and reads back."""

from __future__ import annotations

import chess
import pytest
from hypothesis import given, settings

from tests.chess.playouts import playouts
from w2s.chess.games import Game
from w2s.chess.notation import NOTATIONS, answer, game_text, legal, parse_answer, prompt, tokenizer, vocabulary
from w2s.chess.puzzles import Puzzle
from w2s.errors import UserError
from w2s.models.tokenizer import END

CLOSED = ("squares", "position")
LEGAL_TRAP = "d4 d5 c4 e6 Nc3 Nf6 Bg5 Nbd7 cxd5 exd5 Nxd5"  # wins a pawn, it seems; Nxd5 is the answer


def puzzle_of(sans: str, answer_san: str, start: str | None = None) -> Puzzle:
    board = chess.Board(start) if start else chess.Board()
    moves = tuple(board.push_san(san).uci() for san in sans.split())
    return Puzzle("p", "g", start, moves, board.parse_san(answer_san).uci(), 1000)


TRAP = puzzle_of(LEGAL_TRAP, "Nxd5")
MATE = puzzle_of("e4 e5 Bc4 Nc6 Qh5 Nf6", "Qxf7#")
ENDGAME = puzzle_of("", "Qd8#", "7k/8/6K1/8/8/8/8/3Q4 w - - 0 1")


def test_a_pgn_prompt_numbers_every_ply_and_ends_in_blacks_number_if_black_is_to_move() -> None:
    assert prompt(TRAP, "pgn") == (
        "1. d4 1... d5 2. c4 2... e6 3. Nc3 3... Nf6 4. Bg5 4... Nbd7 5. cxd5 5... exd5 6. Nxd5 6..."
    )
    assert answer(TRAP, "pgn") == " Nxd5"


def test_a_pgn_prompt_ends_in_whites_number_if_white_is_to_move() -> None:
    assert prompt(MATE, "pgn") == "1. e4 1... e5 2. Bc4 2... Nc6 3. Qh5 3... Nf6 4."
    assert answer(MATE, "pgn") == " Qxf7#"


def test_a_pgn_prompt_has_check_marks_and_castling_in_it() -> None:
    game = puzzle_of("e4 e5 Nf3 Nf6 Bc4 Bc5 O-O O-O Bxf7+", "Rxf7")
    assert prompt(game, "pgn").endswith("4. O-O 4... O-O 5. Bxf7+ 5...")


def test_a_pgn_prompt_without_the_game_is_one_line() -> None:
    with pytest.raises(UserError, match="puzzle p: its game is unknown"):
        prompt(ENDGAME, "pgn")
    with pytest.raises(UserError, match="not at the standard start"):
        game_text(Game("g", ENDGAME.start, ("d1d8",)), "pgn")


def test_a_fen_prompt_is_the_position_after_the_opponents_move() -> None:
    puzzle = puzzle_of("Kg8", "Qd8#", "7k/8/6K1/8/8/8/8/3Q4 b - - 0 1")
    assert prompt(puzzle, "fen") == "6k1/8/6K1/8/8/8/8/3Q4 w - - 1 2 Best move:"
    assert answer(puzzle, "fen") == " Qd8#"


def test_squares_and_position_say_pieces_turn_and_moves() -> None:
    assert prompt(ENDGAME, "squares") == prompt(ENDGAME, "position") == "Kg6 Qd1 kh8 white :"
    assert answer(ENDGAME, "squares") == answer(ENDGAME, "position") == " Qd1 d8"
    assert prompt(MATE, "squares").startswith("start white : Pe2 e4 pe7 e5 Bf1 c4")
    assert prompt(MATE, "position").startswith("Ke1 Qh5 Ra1 Rh1 Bc1 Bc4 Nb1 Ng1 Pa2")
    assert prompt(MATE, "position").endswith("O-O O-O-O o-o o-o-o white :")


def test_promotions_and_en_passant_have_words() -> None:
    puzzle = puzzle_of("", "dxe8=N", "k3r3/3P4/8/8/8/8/8/4K3 w - - 0 1")
    assert answer(puzzle, "squares") == " Pd7 e8 =N"
    puzzle = puzzle_of("e4 a6 e5 d5", "exd6")
    assert prompt(puzzle, "position").endswith("ep d6 white :")
    assert answer(puzzle, "position") == " Pe5 d6"


def test_a_games_text_holds_the_puzzles_form() -> None:
    """What a model sees in pretraining is what it is asked later."""
    game = Game("g", "7k/8/6K1/8/8/8/8/3Q4 b - - 0 1", ("h8g8", "d1d8"))
    puzzle = Puzzle("p", "g", game.start, game.moves[:1], game.moves[1], None)
    for notation in ("fen", "squares", "position"):
        assert game_text(game, notation).endswith(prompt(puzzle, notation) + answer(puzzle, notation)), notation
    assert game_text(game, "position") == f"Kg6 Qd1 kh8 black : kh8 g8 {END} Kg6 Qd1 kg8 white : Qd1 d8"
    opening = Game("g", None, (*TRAP.moves, TRAP.answer))
    assert game_text(opening, "pgn") == prompt(TRAP, "pgn") + answer(TRAP, "pgn")


@settings(deadline=None, max_examples=30)
@given(playouts(40))
def test_every_legal_move_reads_back_from_its_answer_in_every_notation(game: Game) -> None:
    board = chess.Board(game.start) if game.start else chess.Board()
    for uci in game.moves:
        board.push_uci(uci)
    for name, notation in NOTATIONS.items():
        for move in board.legal_moves:
            text = notation.answer(board, move)
            assert text.startswith(" ")
            assert parse_answer(text, board, name) == move
            assert parse_answer(f"\n {text.rstrip('+#')} and so on", board, name) == move


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize(
    "text",
    ["", " ", "--", "Z0", "0000", "hello", "Qd1", "Qd9", "Ke8", "Kg6 g8", "Qd1 d1", "kh8 h7", "Rd1 d8", "qd1 d8", "O-O",
     "Qd1 d8 =Q", "d1 d8", END],
)  # fmt: skip
def test_what_is_no_legal_move_is_none(text: str, notation: str) -> None:
    assert parse_answer(text, ENDGAME.position(), notation) is None
    assert not legal(text, ENDGAME.position(), notation)


def test_check_marks_do_not_matter() -> None:
    for text in ("Qd8", "Qd8+", " Qd8# ", "Qd8!"):
        assert parse_answer(text, ENDGAME.position(), "pgn") == chess.Move.from_uci("d1d8"), text


def test_an_unknown_notation_is_one_line() -> None:
    with pytest.raises(UserError, match="unknown notation 'png'; did you mean 'pgn'"):
        prompt(MATE, "png")


# -- tokens ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=40)
@given(playouts())
def test_every_legal_game_has_a_token_for_every_word(game: Game) -> None:
    for notation in CLOSED:
        made = tokenizer(notation)
        text = game_text(game, notation)
        encoded = made.encode(text)
        assert encoded.tokens == [END, *text.split()]
        assert made.decode(encoded.ids, skip_special_tokens=False).split() == encoded.tokens


@settings(deadline=None, max_examples=30)
@given(playouts(20))
def test_an_answer_has_the_same_tokens_alone_as_behind_its_prompt(game: Game) -> None:
    if not game.moves:
        return
    puzzle = Puzzle("p", "g", game.start, game.moves[:-1], game.moves[-1], None)
    for notation in CLOSED:
        made = tokenizer(notation)
        before, after = prompt(puzzle, notation), answer(puzzle, notation)
        alone = made.encode(after, add_special_tokens=False).ids
        assert made.encode(before).ids + alone == made.encode(before + after).ids
        assert len(alone) in (2, 3)


def test_the_vocabulary_is_small_and_begins_with_the_end_token() -> None:
    made = tokenizer("squares")
    words = vocabulary()
    assert len(set(words)) == len(words) == made.get_vocab_size() < 1024
    assert made.token_to_id(END) == 0
    assert [made.token_to_id(word) for word in words] == list(range(len(words)))


def test_a_pawn_never_stands_on_the_first_or_last_rank() -> None:
    assert {"Pa1", "pa8", "Ph8", "ph1"}.isdisjoint(vocabulary())


def test_a_word_outside_of_the_vocabulary_is_an_error() -> None:
    with pytest.raises(Exception, match="WordLevel"):
        tokenizer("position").encode("Kg6 Qd1 kh8 white : Qxd8#")


def test_only_closed_notations_have_a_tokenizer() -> None:
    with pytest.raises(
        UserError, match="'pgn' has no fixed vocabulary; train a tokenizer, or choose squares, position"
    ):
        tokenizer("pgn")
