"""Puzzles in parts (Section 4.1, Appendix A.2): the halves, fresh puzzles for bootstrapping steps, a test set.

Paper: 50,000 puzzles for the weak models' truth, another 50,000 to be labelled, a fresh 50,000 a further step of
bootstrapping (Section 4.3.1), 5,000 to test on. Every step works on puzzles sorted by id, so the order of rows in a
file does not matter.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from w2s.chess import notation as notations
from w2s.chess.config import PuzzleSizes
from w2s.chess.games import key
from w2s.chess.puzzles import Puzzle, legal_move
from w2s.engine.splits import apart, check_groups, groups
from w2s.errors import UserError

Parts = Mapping[str, Sequence[Puzzle]]


def wanted_parts(sizes: PuzzleSizes) -> dict[str, int]:
    """Part -> puzzles, the test set first: it stays the same whatever the other sizes are."""
    wanted = {"test": sizes.test, "weak": sizes.weak, "strong": sizes.strong, "validation": sizes.validation}
    return wanted | {f"step{number}": sizes.step for number in range(2, 2 + sizes.steps)}


@dataclass(frozen=True, slots=True)
class Split:
    """Part -> puzzles, in the order of their ids; and counts for the manifest."""

    parts: dict[str, list[Puzzle]]
    counts: dict[str, Any]


def split(puzzles: Iterable[Puzzle], sizes: PuzzleSizes, seed: int) -> Split:
    """Parts of exactly these sizes, no two of which share a group or a position.

    A group that would overfill a part gives it as many puzzles as fit; the rest of the group is left out. UserError
    if there are too few puzzles, and where an answer is not legal.
    """
    distinct, read = _distinct(puzzles)
    games = groups(distinct, random.Random(f"puzzles-{seed}"))
    wanted = wanted_parts(sizes)
    parts: dict[str, list[Puzzle]] = {name: [] for name in wanted}
    order = iter(games)
    cut = 0
    for name, size in wanted.items():
        while len(parts[name]) < size:
            game = next(order, None)
            if game is None:
                raise UserError(
                    f"puzzles: {len(distinct):,} distinct ones of {len(games):,} games, but the parts need "
                    f"{sum(wanted.values()):,} ({', '.join(f'{part} {number:,}' for part, number in wanted.items())}); "
                    "get more puzzles or make the parts smaller"
                )
            fitting = game[: size - len(parts[name])]
            cut += len(game) - len(fitting)
            parts[name] += fitting
        parts[name].sort(key=lambda puzzle: puzzle.id)
    counts = {
        "puzzles": read,
        "duplicates_dropped": read - len(distinct),
        "groups": len(games),
        "cut_from_groups": cut,
        "parts": {name: describe(part) for name, part in parts.items()},
    }
    check_groups(parts, "puzzles")
    return Split(parts, counts)


def _distinct(puzzles: Iterable[Puzzle]) -> tuple[list[Puzzle], int]:
    """Puzzles by id, the first of each position (and id); and how many there were."""
    found: dict[str, Puzzle] = {}
    ids = set()
    everything = sorted(puzzles, key=lambda puzzle: (puzzle.id, puzzle.group, puzzle.moves))
    for puzzle in everything:
        board = puzzle.position()
        try:
            legal_move(board, puzzle.answer)
        except ValueError:
            raise UserError(f"puzzle {puzzle.id}: its answer {puzzle.answer} is not legal in {board.fen()}") from None
        if puzzle.id not in ids and found.setdefault(key(board), puzzle) is puzzle:
            ids.add(puzzle.id)
    return list(found.values()), len(everything)


def subset(
    puzzles: Iterable[Puzzle], name: str, count: int, seed: int, *, hard: int, held_out: Collection[Puzzle]
) -> list[Puzzle]:
    """Puzzles to train on in easy-to-hard generalization (Appendix C.1), by id.

    name: ``all``, ``hard`` (rated ``hard`` and more) or ``below-<rating>``. puzzles: those that ``split`` was given.
    None of them shares a group or position with ``held_out``. UserError if there are fewer than ``count``.
    """
    low, high = (hard if name == "hard" else None), None
    if name.startswith("below-"):
        high = int(name.removeprefix("below-"))

    def fits(puzzle: Puzzle) -> bool:
        if puzzle.rating is None:
            return low is None and high is None
        return (low is None or puzzle.rating >= low) and (high is None or puzzle.rating < high)

    known = {key(puzzle.position()) for puzzle in held_out}
    distinct, _ = _distinct(filter(fits, puzzles))
    left = [one for one in apart(distinct, held_out) if key(one.position()) not in known]
    if len(left) < count:
        what = (
            f"rated below {high}"
            if high is not None
            else f"rated {low} or more"
            if low is not None
            else "of any rating"
        )
        raise UserError(f"puzzles: {count:,} {what} are needed outside the test set, but there are only {len(left):,}")
    chosen = random.Random(f"puzzles-{name}-{seed}").sample(left, count)
    return sorted(chosen, key=lambda puzzle: puzzle.id)


def describe(part: Sequence[Puzzle]) -> dict[str, Any]:
    """Counts of a part, and the quartiles of its ratings where they are known."""
    ratings = sorted(puzzle.rating for puzzle in part if puzzle.rating is not None)
    found: dict[str, Any] = {
        "puzzles": len(part),
        "groups": len({puzzle.group for puzzle in part}),
        "rated": len(ratings),
    }
    if ratings:
        found["rating_quartiles"] = [ratings[(len(ratings) - 1) * quarter // 4] for quarter in range(5)]
    return found


# -- guards ------------------------------------------------------------------------------------------------


def check_texts(parts: Parts, notation: str) -> dict[str, int]:
    """UserError if a prompt ends in its answer, or an answer does not read back as the move that it stands for.

    Returns how many puzzles of each part were looked at.
    """
    looked: Counter[str] = Counter()
    for name, part in parts.items():
        for puzzle in part:
            check_text(puzzle, notations.prompt(puzzle, notation), notations.answer(puzzle, notation), notation)
            looked[name] += 1
    return dict(looked)


def check_text(puzzle: Puzzle, prompt: str, answer: str, notation: str) -> None:
    """UserError if the prompt's tail holds the answer, or the answer is not the puzzle's move in this notation."""
    if _bare(prompt).endswith(_bare(answer)):
        raise UserError(f"puzzle {puzzle.id}: its prompt ends in the answer{answer} ({prompt[-60:]!r})")
    move = notations.parse_answer(answer, puzzle.position(), notation)
    if move is None or move.uci() != puzzle.answer:
        raise UserError(f"puzzle {puzzle.id}: the text{answer!r} is not its answer, {puzzle.answer}")


def _bare(text: str) -> str:
    """Without what a leak could hide behind: space, move numbers' dots, check and mate marks."""
    return text.rstrip(" .:+#!?")
