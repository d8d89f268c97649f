"""Chess: completions that are the right move or not, chains of bootstrapping, and puzzles by how hard they are.

A completion counts as right if it is exactly the right move (paper, Appendix A.2); predictions have a column
``correct`` for it, and ``legal`` for whether it is a legal move at all.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from w2s.analysis import pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Predictions, Results, Row
from w2s.chess.plan import TASK, ChessPlan
from w2s.config.ladder import Rung
from w2s.graph.artifact import Run, unique

CHESS = "chess"
BOOTSTRAP = "bootstrap"  # stands for the method in rows of chains
ZERO_SHOT = "zero-shot"
ALL, HARD = "all", "hard"  # training sets of easy-to-hard generalization, beside those below a rating
STEP = " > "  # between the rungs of a chain
EASIEST, WIDTH, BINS = 600, 100, 19  # of ratings: the paper's Figure 20

Chain = tuple[str, ...]  # names of rungs; the first is trained on truth, each other on labels of the one before


# -- predictions -------------------------------------------------------------------------------------------


def part_of(predictions: Predictions, part: str = "test") -> Predictions:
    """The rows of one part."""
    chosen = [number for number, name in enumerate(predictions["part"]) if name == part]
    return {column: [values[number] for number in chosen] for column, values in predictions.items()}


def share(
    predictions: Predictions, column: str = "correct", *, rated_from: float = -math.inf, rated_below: float = math.inf
) -> Estimate:
    """Mean of ``correct`` or ``legal``; NaN if there are no puzzles.

    Of puzzles rated so high or so low, if that is asked for.
    """
    among = None
    if (rated_from, rated_below) != (-math.inf, math.inf):
        among = _rated(predictions, rated_from, rated_below)
    ids = predictions.get("id", range(len(predictions[column])))
    return Estimate.share(ids, predictions[column], among)


def rated(predictions: Predictions, rated_from: float, rated_below: float = math.inf) -> int:
    """How many puzzles are rated so high, and below that."""
    return sum(_rated(predictions, rated_from, rated_below))


def _rated(predictions: Predictions, rated_from: float, rated_below: float) -> list[bool]:
    return [rating is not None and rated_from <= rating < rated_below for rating in predictions["rating"]]


class Bin(NamedTuple):
    """Puzzles of about one rating."""

    rating: int  # middle
    accuracy: Estimate  # NaN without puzzles
    examples: int


def by_rating(predictions: Predictions) -> list[Bin]:
    """Accuracy in the paper's 19 bins, 600 to 2500 (Figure 20); puzzles outside or without rating are left out."""
    found = []
    for low in range(EASIEST, EASIEST + BINS * WIDTH, WIDTH):
        accuracy = share(predictions, rated_from=low, rated_below=low + WIDTH)
        found.append(Bin(low + WIDTH // 2, accuracy, rated(predictions, low, low + WIDTH)))
    return found


def agreement(one: Predictions, other: Predictions) -> Estimate:
    """Share of puzzles that both complete with the same move, right or wrong; NaN without puzzles.

    The same puzzles in any order; ValueError otherwise. Two completions without a move agree if they are the same.
    """
    said, against = (dict(zip(table["id"], table["answer"], strict=True)) for table in (one, other))
    if said.keys() != against.keys():
        raise ValueError("completions of different puzzles cannot be compared")
    return Estimate.share(list(said), [move(said[name]) == move(against[name]) for name in said])


def move(text: str) -> str:
    """A completion without what does not make another move of it: space around it, check and mate marks."""
    return text.strip().rstrip("+#!?")


# -- chains ------------------------------------------------------------------------------------------------


def steps(plan: ChessPlan) -> list[Chain]:
    """How every chain of the experiment begins, step by step; two rungs are a naive student (Section 4.3.1)."""
    found: dict[Chain, None] = {}
    for chain in plan.config.chains():
        found |= dict.fromkeys(chain[:length] for length in range(2, len(chain) + 1))
    return list(found)


def chain_runs(plan: ChessPlan, only: Sequence[Chain] | None = None) -> list[Run]:
    """What ``chained`` reads with the same arguments, each run once. Naive same-size students are in Figure 3."""
    chosen = steps(plan) if only is None else only
    found: list[Run] = []
    for seed in plan.seeds:
        for chain in chosen:
            found += [plan.chain(chain, seed), plan.truth(TASK, chain[0], seed)]
            found += [plan.ceiling(TASK, chain[-1], seed)] if plan.rung(chain[-1]).truth else []
    return unique(found)


def chained(plan: ChessPlan, results: Results, only: Sequence[Chain] | None = None) -> list[Row]:
    """One row a step of a chain and seed: the supervisor is the chain's first rung, the student the step's last.

    PGR compares with the ground truth of the first rung and the ceiling of the student, as Figure 4 does. ``chain``
    names the rungs up to here, ``labels`` says what the run is trained on.
    """
    chosen = steps(plan) if only is None else only

    @cache
    def score(run: Run) -> Estimate:
        return pairs.accuracy_on_test(results.predictions(run))

    rows = []
    for seed in plan.seeds:
        for chain in chosen:
            pair = (plan.rung(chain[0]), plan.rung(chain[-1]))
            run = plan.chain(chain, seed)
            weak, reached = score(plan.truth(TASK, chain[0], seed)), score(run)
            ceiling = score(plan.ceiling(TASK, chain[-1], seed)) if pair[1].truth else None
            row = pairs.identity(plan, TASK, seed, BOOTSTRAP, pair) | {"chain": STEP.join(chain), "labels": run.labels}
            rows.append(row | {"accuracy": reached} | pairs.gap(plan.config, pair, weak, reached, ceiling))
    return rows


# -- prompting and agreement -------------------------------------------------------------------------------


def zero_shot_runs(plan: ChessPlan) -> list[Run]:
    """The base models, prompted."""
    return [plan.zero_shot(rung.name, seed) for seed in plan.seeds for rung in plan.config.ladder]


def zero_shot(plan: ChessPlan, results: Results) -> list[Row]:
    """One row a rung and seed: accuracy, and the share of completions that are legal moves."""
    rows = []
    for seed in plan.seeds:
        for rung in plan.config.ladder:
            test = part_of(results.predictions(plan.zero_shot(rung.name, seed)))
            row = pairs.alone(plan, TASK, seed, ZERO_SHOT, rung)
            rows.append(row | {"accuracy": share(test), "legal": share(test, "legal")})
    return rows


def with_agreement(plan: ChessPlan, results: Results, rows: Sequence[Row]) -> list[Row]:
    """Naive rows with ``legal``, and students' ``agreement`` with their supervisor's completions (Figure 15c)."""

    @cache
    def test(run: Run) -> Predictions:
        return part_of(results.predictions(run))

    found = []
    for row in rows:
        seed, student = row["seed"], row["student"]
        if row["method"] == pairs.TRUTH:
            more = {"legal": share(test(plan.ceiling(TASK, student, seed)), "legal")}
        else:
            said = test(plan.student(TASK, row["supervisor"], student, pairs.NAIVE, seed))
            taught = test(plan.truth(TASK, row["supervisor"], seed))
            more = {"legal": share(said, "legal"), "agreement": agreement(said, taught)}
        found.append(row | more)
    return found


# -- from easy puzzles to hard ones ------------------------------------------------------------------------


def below(rating: int) -> str:
    """The training set of puzzles rated below a cutoff."""
    return f"below-{rating}"


def judged(plan: ChessPlan) -> list[Rung]:
    """Rungs that are trained on truth, so on subsets of it too."""
    return [rung for rung in plan.config.ladder if rung.truth]


def elicited(plan: ChessPlan, rung: str, method: str, seed: int) -> Run:
    """A model after training on a subset (``all``, ``hard``, ``below-900``), or not trained but prompted."""
    if method == ZERO_SHOT:
        return plan.zero_shot(rung, seed)
    return plan.subset(rung, method, seed)


def elicited_runs(plan: ChessPlan, methods: Sequence[str]) -> list[Run]:
    """What ``by_subset`` reads with the same methods, each run once."""
    return unique(
        elicited(plan, rung.name, method, seed) for seed in plan.seeds for rung in judged(plan) for method in methods
    )


def by_subset(
    plan: ChessPlan, results: Results, methods: Sequence[str], describe: Callable[[Predictions], Sequence[Row]]
) -> list[Row]:
    """For every model and method, the rows that ``describe`` makes of its predictions on the test set."""
    rows = []
    for seed in plan.seeds:
        for rung in judged(plan):
            for method in methods:
                test = part_of(results.predictions(elicited(plan, rung.name, method, seed)))
                row = pairs.alone(plan, TASK, seed, method, rung)
                rows += [row | more for more in describe(test)]
    return rows
