"""What accuracies do not show of supervisors, students and ceilings.

AUROC, Brier score, calibration and PGR on AUROC; of pairs, the overlap density.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial

from w2s.analysis import aggregate, overlap, pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Results, Row
from w2s.analysis.scores import PROBABILISTIC
from w2s.graph.artifact import Run

PGR, KEPT = "pgr_auroc", "pgr_auroc_inverted_kept"
VALUES = (*aggregate.COMPARED, *PROBABILISTIC, PGR, KEPT, *overlap.VALUES)


def compare(of: pairs.Runs, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """The rows of ``pairs.compare``, each also with ``brier``, ``ece`` and ``auroc`` of its run on the test set.

    Rows of students also have ``pgr_auroc``, ``pgr_auroc_inverted_kept`` and their pair's shares of ``overlap``: as for
    accuracies (``pairs.gap``), NaN for pairs that can have no PGR.
    """

    @cache
    def test(run: Run) -> tuple[list[object], pairs.Array, pairs.Array]:
        return pairs.probabilities_on_test(results.predictions(run))

    @cache
    def shares(supervisor: Run, ceiling: Run) -> dict[str, Estimate]:
        ids, _, said = test(supervisor)
        assert ids == test(ceiling)[0], f"other test examples: {supervisor.path}, {ceiling.path}"
        return overlap.density(ids, said, test(ceiling)[2])

    @cache
    def scored(run: Run) -> dict[str, Estimate]:
        ids, truth, probability = test(run)
        return {name: Estimate.score(ids, partial(score, truth, probability)) for name, score in PROBABILISTIC.items()}

    by_name = {rung.name: rung for rung in of.config.ladder}
    rows = []
    for row in pairs.compare(of, methods, results, tasks):
        task, seed, strong = row["task"], row["seed"], row["student"]
        if row["method"] == pairs.TRUTH:
            rows.append(row | scored(of.ceiling(task, strong, seed)))
            continue
        weak = row["supervisor"]
        reached = scored(of.student(task, weak, strong, row["method"], seed))
        row |= reached | dict.fromkeys((PGR, KEPT, *overlap.VALUES), math.nan)
        if pairs.has_pgr(of.config, (by_name[weak], by_name[strong])):
            truths = of.truth(task, weak, seed), of.ceiling(task, strong, seed)
            supervisor, ceiling = (scored(run)["auroc"] for run in truths)
            for name, kept in ((PGR, False), (KEPT, True)):
                row[name] = Estimate.pgr(supervisor, reached["auroc"], ceiling, keep_inverted=kept)
            row |= shares(*truths)
        rows.append(row)
    return rows
