"""Students of fewer weak labels: what is shared, what differs, and mistakes in one line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import refused
from tests.nlp.test_plan_studies import moved, new
from w2s.experiments.loading import plan_of
from w2s.experiments.plan import Plan
from w2s.figures import module
from w2s.graph.artifact import Run, with_ancestors
from w2s.nlp.fewer.plan import ALL

Change = Callable[[dict[str, Any]], object]


def test_after_figure_12_only_what_is_new_is_trained(smoke: Plan) -> None:
    tasks, methods, shares = 3, 2, 4
    assert new(smoke, "labels") == {"finetune": tasks * methods * shares}
    known = with_ancestors(smoke.everything())
    assert {one.key for one in module("labels").needs(smoke)} <= known.keys()


def test_all_labels_are_the_students_of_other_figures(smoke: Plan) -> None:
    study = smoke.nlp.fewer_labels
    assert study.pair == ("w48", "w96")
    student = smoke.nlp.student("sciq", "w48", "w96", "naive", 0)
    assert study.student("sciq", "naive", ALL, 0) is student
    part = study.student("sciq", "naive", 0.1, 0)
    longer = {**student.spec["training"], "epochs": 20, "evaluations_per_epoch": 0.5}
    assert part.spec == {**student.spec, "share": 0.1, "training": longer}  # as many steps and evaluations
    assert part.parents == student.parents
    assert part.path == f"results/nlp/sciq/w96/from-w48/naive-on-10-percent/s0-{part.key}"


def test_relabelled_labels_are_made_from_the_same_share(config: dict[str, Any]) -> None:
    """Otherwise the student would learn indirectly from labels that it is not given."""
    config["nlp"]["fewer_labels"]["methods"] = ["relabelling"]
    config["nlp"]["methods"] = ["naive", "relabelling"]
    study = plan_of(config, "again").nlp.fewer_labels
    between = study.student("sciq", "relabelling", 0.1, 0).parents["labels"]
    assert isinstance(between, Run)
    assert between is study.student("sciq", "naive", 0.1, 0)


def test_another_list_of_shares_moves_no_run(config: dict[str, Any]) -> None:
    assert not moved(config, lambda c: c["nlp"]["fewer_labels"].update(shares=[0.1, 0.3]))
    config["nlp"]["fewer_labels"]["pair"] = {"supervisor": "w32", "student": "w64"}
    assert plan_of(config, "pair").nlp.fewer_labels.pair == ("w32", "w64")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda c: c.update(tasks=["scqi"]), "fewer_labels.tasks: 'scqi' is not in this experiment"),
        (lambda c: c.update(methods=["naif"]), "fewer_labels.methods: 'naif' is not"),
        (lambda c: c.update(shares=[0.1, 0.1]), "fewer_labels: shares: 0.1 is named twice"),
        (lambda c: c.update(shares=[1.5]), "fewer_labels.shares.0"),
        (
            lambda c: c.update(pair={"supervisor": "w64", "student": "w48"}),
            "fewer_labels.pair: no supervisor w64 with a larger student w48 that has ground truth; allowed: w32 and",
        ),
    ],
)
def test_mistakes_are_one_line(change: Change, said: str, config: dict[str, Any]) -> None:
    change(config["nlp"]["fewer_labels"])
    refused(config, [said])
