"""What accuracies do not show of supervisors, students and ceilings: AUROC, Brier score, calibration, PGR on AUROC."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache, partial

from w2s.analysis import aggregate, pairs
from w2s.analysis.bootstrap import Estimate
from w2s.analysis.results import Results, Row
from w2s.analysis.scores import PROBABILISTIC
from w2s.graph.artifact import Run

PGR, KEPT = "pgr_auroc", "pgr_auroc_inverted_kept"
VALUES = (*aggregate.COMPARED, *PROBABILISTIC, PGR, KEPT)


def compare(of: pairs.Runs, methods: Sequence[str], results: Results, tasks: Sequence[str]) -> list[Row]:
    """The rows of ``pairs.compare``, each also with ``brier``, ``ece`` and ``auroc`` of its run on the test set.

    Rows of students also have ``pgr_auroc`` and ``pgr_auroc_inverted_kept``: as for accuracies (``pairs.gap``), NaN for
    pairs that can have no PGR.
    """

    @cache
    def scored(run: Run) -> dict[str, Estimate]:
        ids, truth, probability = pairs.probabilities_on_test(results.predictions(run))
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
        row |= {**reached, PGR: math.nan, KEPT: math.nan}
        if pairs.has_pgr(of.config, (by_name[weak], by_name[strong])):
            truths = of.truth(task, weak, seed), of.ceiling(task, strong, seed)
            supervisor, ceiling = (scored(run)["auroc"] for run in truths)
            for name, kept in ((PGR, False), (KEPT, True)):
                row[name] = Estimate.pgr(supervisor, reached["auroc"], ceiling, keep_inverted=kept)
        rows.append(row)
    return rows
