"""Parts of exact sizes, apart by game, whatever the order of rows; guards on what models will see."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from pydantic import ValidationError

from w2s.chess import endgames
from w2s.chess.build import check_text, check_texts, split, subset
from w2s.chess.config import PuzzleSizes
from w2s.chess.games import key
from w2s.chess.notation import answer, prompt
from w2s.chess.puzzles import Puzzle
from w2s.errors import UserError

SIZES = PuzzleSizes(weak=40, strong=30, steps=2, step=20, test=25, validation=10)


@pytest.fixture(scope="module")
def puzzles() -> list[Puzzle]:
    """Two puzzles a game, three of every tenth."""
    return [
        replace(puzzle, group=f"game{number // 2 if number % 20 else 0}")
        for number, puzzle in enumerate(endgames.puzzles(220, 0, set()))
    ]


def test_parts_have_exactly_the_sizes_asked_for(puzzles: list[Puzzle]) -> None:
    parts = split(puzzles, SIZES, 0).parts
    assert {name: len(part) for name, part in parts.items()} == {
        "test": 25,
        "weak": 40,
        "strong": 30,
        "validation": 10,
        "step2": 20,
        "step3": 20,
    }


def test_no_two_parts_share_a_game_or_a_position(puzzles: list[Puzzle]) -> None:
    parts = split(puzzles, SIZES, 0).parts
    for kind in (lambda p: p.group, lambda p: key(p.position()), lambda p: p.id):
        seen = [{kind(puzzle) for puzzle in part} for part in parts.values()]
        assert sum(map(len, seen)) == len(set().union(*seen))


def test_the_order_of_rows_does_not_matter_but_the_seed_does(puzzles: list[Puzzle]) -> None:
    shuffled = random.Random(1).sample(puzzles, len(puzzles))
    assert split(shuffled, SIZES, 0) == split(puzzles, SIZES, 0)
    assert split(puzzles, SIZES, 1).parts != split(puzzles, SIZES, 0).parts


def test_the_test_set_stays_the_same_when_other_parts_grow(puzzles: list[Puzzle]) -> None:
    smaller = PuzzleSizes(weak=10, strong=10, steps=0, step=1, test=25)
    parts = split(puzzles, smaller, 0).parts
    assert set(parts) == {"test", "weak", "strong", "validation"}
    assert parts["test"] == split(puzzles, SIZES, 0).parts["test"]
    assert parts["validation"] == []


def test_too_few_puzzles_is_one_line_with_both_numbers(puzzles: list[Puzzle]) -> None:
    with pytest.raises(UserError, match=r"100 distinct ones of \d+ games, but the parts need 145 \(test 25, weak 40"):
        split(puzzles[:100], SIZES, 0)


def test_duplicates_of_a_position_are_dropped_and_counted(puzzles: list[Puzzle]) -> None:
    twins = [replace(puzzle, id=f"zz{puzzle.id}", group="other") for puzzle in puzzles[:7]]
    found = split([*puzzles, *twins], SIZES, 0)
    assert found.counts["duplicates_dropped"] == 7
    assert found.counts["puzzles"] == len(puzzles) + 7
    assert found.parts == split(puzzles, SIZES, 0).parts


def test_counts_describe_every_part(puzzles: list[Puzzle]) -> None:
    counts = split(puzzles, SIZES, 0).counts
    described = counts["parts"]["weak"]
    assert described["puzzles"] == described["rated"] == 40
    assert described["rating_quartiles"] == sorted(described["rating_quartiles"])
    assert counts["groups"] == len({puzzle.group for puzzle in puzzles})


@pytest.mark.parametrize("answer", ["a1a1", "0000", "a8a7"])
def test_an_illegal_answer_is_one_line(answer: str, puzzles: list[Puzzle]) -> None:
    broken = replace(puzzles[0], answer=answer)
    with pytest.raises(UserError, match=f"puzzle {broken.id}: its answer {answer} is not legal"):
        split([broken, *puzzles[1:]], SIZES, 0)


@pytest.mark.parametrize("notation", ["fen", "squares", "position"])
def test_sound_texts_pass_the_guard(notation: str, puzzles: list[Puzzle]) -> None:
    assert check_texts({"weak": puzzles[:20], "test": puzzles[20:30]}, notation) == {"weak": 20, "test": 10}


def test_a_prompt_that_ends_in_its_answer_is_found(puzzles: list[Puzzle]) -> None:
    for notation in ("fen", "position"):
        before, after = prompt(puzzles[0], notation), answer(puzzles[0], notation)
        check_text(puzzles[0], before, after, notation)
        for tail in ("", " ", " :", "."):
            with pytest.raises(UserError, match="its prompt ends in the answer"):
                check_text(puzzles[0], before + after + tail, after, notation)


def test_a_recapture_on_the_same_square_is_no_leak() -> None:
    moves = ("e2e4", "d7d5", "b1c3", "g8f6", "c3d5")
    recapture = Puzzle("p", "g", None, moves, "f6d5", None)
    assert prompt(recapture, "pgn").endswith("3. Nxd5 3...")
    assert answer(recapture, "pgn") == " Nxd5"
    assert check_texts({"weak": [recapture]}, "pgn") == {"weak": 1}


def test_a_text_that_is_another_move_is_found(puzzles: list[Puzzle]) -> None:
    with pytest.raises(UserError, match="is not its answer"):
        check_text(puzzles[0], "Kg6 :", " Kg6 g6", "position")


def test_easier_puzzles_are_rated_below_the_cutoff_and_apart_from_the_test_set(puzzles: list[Puzzle]) -> None:
    test = split(puzzles, SIZES, 0).parts["test"]
    found = subset(puzzles, "below-1300", 30, 0, hard=2000, held_out=test)
    assert len(found) == 30
    assert max(puzzle.rating or 0 for puzzle in found) < 1300
    assert not {puzzle.group for puzzle in found} & {puzzle.group for puzzle in test}
    assert found == subset(puzzles[::-1], "below-1300", 30, 0, hard=2000, held_out=test)
    with pytest.raises(UserError, match=r"200 rated below 800 are needed outside the test set, but there are only \d+"):
        subset(puzzles, "below-800", 200, 0, hard=2000, held_out=test)


def test_sizes_below_nothing_are_a_mistake() -> None:
    with pytest.raises(ValidationError):
        PuzzleSizes(steps=-1)
