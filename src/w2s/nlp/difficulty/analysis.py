"""Training on easy examples: by held-out difficulty and by a judge's ratings (paper, Appendices C.2 and C.3)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, quantiles

from w2s.analysis import aggregate, pairs
from w2s.analysis.results import Results, Row
from w2s.graph.artifact import Artifact, Run, unique
from w2s.nlp.difficulty.plan import ANY
from w2s.nlp.plan import NlpPlan

POOLED = "pooled"  # stands for the task in rows about all tasks together
RATINGS, ACCURACIES = "ratings", "accuracies"  # Figure 22's panels


# -- held-out difficulty (Figure 21) ---------------------------------------------------------------------------


def cutoff_runs(plan: NlpPlan) -> list[Artifact]:
    """What ``by_cutoff`` reads: every student at every cutoff, and how difficult the examples are."""
    difficulty = plan.difficulty
    found: list[Artifact] = []
    for task in difficulty.tasks:
        for seed in difficulty.seeds:
            found.append(difficulty.levels(task, seed))
            for student in difficulty.students:
                found += [difficulty.up_to(task, student, cutoff, seed) for cutoff in difficulty.cutoffs]
    return unique(found)


def by_cutoff(plan: NlpPlan, results: Results) -> list[Row]:
    """One row a run: test accuracy of a student trained on the truth of examples up to a cutoff.

    ``cutoff_compute`` is that of the rung that the cutoff is named after, NaN for the one that leaves nothing out.
    ``level`` is the number of examples that are exactly so difficult, ``trained_on`` how many of those up to the
    cutoff are trained on: as many for every cutoff.
    """
    difficulty, of = plan.difficulty, plan
    rows = []
    for task in difficulty.tasks:
        for seed in difficulty.seeds:
            found = results.examples(difficulty.levels(task, seed))
            for student in difficulty.students:
                for place, cutoff in enumerate(difficulty.cutoffs):
                    run = difficulty.up_to(task, student, cutoff, seed)
                    row = _alone(of, run) | {"cutoff": cutoff, "cutoff_compute": _compute(plan, cutoff)}
                    row |= {"level": found["level"].count(place), "trained_on": sum(found[f"up_to_{place}"])}
                    rows.append(row | {"accuracy": pairs.accuracy_on_test(results.predictions(run))})
    return rows


def _alone(of: pairs.Runs, run: Run) -> Row:
    rung = next(rung for rung in of.config.ladder if rung.name == run.rung)
    return pairs.alone(of, run.task, run.seed, run.method, rung) | {"labels": run.labels}


def _compute(plan: NlpPlan, cutoff: str) -> float:
    return math.nan if cutoff == ANY else plan.config.compute(plan.rung(cutoff))


# -- a judge's ratings (Figure 22) -----------------------------------------------------------------------------


def judged_runs(plan: NlpPlan) -> list[Artifact]:
    """What ``by_judge`` reads: ratings, held-out difficulty beside them, and every student on the easiest shares."""
    difficulty = plan.difficulty
    found: list[Artifact] = []
    for task in difficulty.tasks:
        for seed in difficulty.seeds:
            found += [difficulty.elo(task, seed), difficulty.levels(task, seed)]
            for student in difficulty.students:
                found += [difficulty.easiest(task, student, share, seed) for share in difficulty.shares]
    return unique(found)


def by_judge(plan: NlpPlan, results: Results) -> list[Row]:
    """Column ``panel``: ``ratings``, a box of Elo ratings a level, task and seed and of all together (``POOLED``);
    ``accuracies``, one row a run, and bounds of their means over tasks.
    """
    difficulty, of = plan.difficulty, plan
    ratings: list[tuple[str, int, list[int], list[float]]] = []
    accuracies = []
    for task in difficulty.tasks:
        for seed in difficulty.seeds:
            ratings.append((task, seed, *_together(plan, results, task, seed)))
            for student in difficulty.students:
                for share in difficulty.shares:
                    run = difficulty.easiest(task, student, share, seed)
                    accuracy = pairs.accuracy_on_test(results.predictions(run))
                    accuracies.append(_alone(of, run) | {"share": share, "accuracy": accuracy})
    pooled = ([one for *_, levels, _ in ratings for one in levels], [one for *_, elos in ratings for one in elos])
    of_all: tuple[str, float, list[int], list[float]] = (POOLED, math.nan, *pooled)
    accuracies += aggregate.mean_intervals(accuracies)
    boxes = [row for one in [*ratings, of_all] for row in _boxes(plan, *one)]
    return boxes + [{"panel": ACCURACIES} | row for row in accuracies]


def _boxes(plan: NlpPlan, task: str, seed: float, levels: Sequence[int], elos: Sequence[float]) -> list[Row]:
    about: Row = {"panel": RATINGS, "setting": pairs.NLP, "task": task, "seed": seed}
    about["correlation"] = rank_correlation(levels, elos)
    rows = []
    for place, cutoff in enumerate(plan.difficulty.cutoffs):
        of_level = [elo for level, elo in zip(levels, elos, strict=True) if level == place]
        rows.append(about | {"cutoff": cutoff, "place": place} | box(of_level))
    return rows


def _together(plan: NlpPlan, results: Results, task: str, seed: int) -> tuple[list[int], list[float]]:
    """(level, Elo rating) of every example of a task, joined by id."""
    levels = results.examples(plan.difficulty.levels(task, seed))
    rated = results.examples(plan.difficulty.elo(task, seed))
    elo = dict(zip(rated["id"], rated["elo"], strict=True))
    return list(levels["level"]), [elo[one] for one in levels["id"]]


def box(values: Sequence[float]) -> Row:
    """What a box plot shows of some values: quartiles, and the 5th and 95th percentile; NaN without values."""
    names = ("low", "lower", "middle", "upper", "high")
    if not values:
        return dict.fromkeys(names, math.nan) | {"examples": 0}
    if len(values) == 1:
        return dict.fromkeys(names, float(values[0])) | {"examples": 1}
    cuts = quantiles(values, n=20, method="inclusive")
    return dict(zip(names, (cuts[place] for place in (0, 4, 9, 14, 18)), strict=True)) | {"examples": len(values)}


def rank_correlation(levels: Sequence[float], ratings: Sequence[float]) -> float:
    """Spearman's, ties sharing their mean rank; NaN where one of both is constant or there are no values."""
    first, second = ranks(levels), ranks(ratings)
    if len(set(first)) < 2 or len(set(second)) < 2:
        return math.nan
    middle = fmean(first)
    both = sum((a - middle) * (b - middle) for a, b in zip(first, second, strict=True))
    spread = sum((a - middle) ** 2 for a in first) * sum((b - middle) ** 2 for b in second)
    return both / math.sqrt(spread)


def ranks(values: Sequence[float]) -> list[float]:
    """Rank of every value from 1; equal values share the mean of theirs."""
    order = sorted(range(len(values)), key=lambda number: values[number])
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for number in order[start:end]:
            found[number] = (start + 1 + end) / 2
        start = end
    return found
