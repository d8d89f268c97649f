"""The run graph of learning curves in the number of weak labels. Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from w2s.errors import LackingError
from w2s.graph.artifact import Run
from w2s.nlp.fewer.config import FewerLabels
from w2s.nlp.plan import NlpPlan
from w2s.nlp.study import Study
from w2s.nlp.variant import variant

ALL = 1.0  # the share of Figure 12's students


class FewerLabelsPlan(Study[FewerLabels]):
    """Students of one pair on shares of the weak labels, made on demand and remembered."""

    def __init__(self, plan: NlpPlan, setting: FewerLabels) -> None:
        super().__init__(plan, setting)
        self.methods: list[str] = list(setting.methods or plan.config.methods)
        self.shares: list[float] = [*sorted(setting.shares), ALL]

    @cached_property
    def pair(self) -> tuple[str, str]:
        """(supervisor, student); LackingError if no supervisor is smaller than a rung with ground truth."""
        found = self.setting.chosen(self.plan.config.growing_pairs())
        if found is None:
            raise LackingError("nlp.fewer_labels needs a supervisor that is smaller than a rung with ground truth")
        return found

    def student(self, task: str, method: str, share: float, seed: int) -> Run:
        """A student of a share of the strong half, drawn by group, for as many steps as on all of it.

        Early stopping sees the same share of the validation part. Smaller shares are parts of larger ones.
        """
        weak, strong = self.pair
        if share == ALL:
            return self.plan.student(task, weak, strong, method, seed)

        def make() -> Run:
            student = self.plan.student(task, weak, strong, method, seed)
            by = self.plan.experiment.methods[method].relabelled_by
            training = dict(student.spec["training"])
            training["epochs"] /= share
            training["evaluations_per_epoch"] *= share
            percent = f"{100 * share:g}-percent"
            return variant(
                student,
                message=f"finetune {strong} on {task}: {percent} of the labels from {weak}, {method}, seed {seed}",
                spec={"share": share, "training": training},
                parents={"labels": self.student(task, by, share, seed)} if by else {},
                method=f"{method}-on-{percent}",
            )

        return self._once(("student", task, method, share, seed), make)

    def every_run(self) -> Iterator[Run]:
        """All students; none where no supervisor is small enough."""
        try:
            _ = self.pair
        except LackingError:
            return
        for task in self.tasks:
            for seed in self.seeds:
                for method in self.methods:
                    yield from (self.student(task, method, share, seed) for share in self.shares)
