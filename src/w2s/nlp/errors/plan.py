"""The run graph of the structure of supervisors' errors (Appendices E.2 and E.3). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from w2s.errors import LackingError, UserError, allowed
from w2s.graph.artifact import Artifact, Run
from w2s.nlp.errors.config import KINDS, OF_STRONG, OF_TEXTS, RANDOM, Errors
from w2s.nlp.plan import NlpPlan
from w2s.nlp.stages import FLIP
from w2s.nlp.study import Study
from w2s.nlp.variant import variant, with_label_hint


class ErrorsPlan(Study[Errors]):
    """Labels with errors of a known kind, and every student of them, made on demand and remembered."""

    def __init__(self, plan: NlpPlan, setting: Errors) -> None:
        super().__init__(plan, setting)
        nlp = plan.config
        appended = setting.appended
        self.appended_tasks: list[str] = list(appended.tasks or nlp.all_tasks()[: appended.count])
        self.methods: list[str] = list(setting.methods or nlp.methods)

    @cached_property
    def pair(self) -> tuple[str, str]:
        """(supervisor, student); LackingError if no supervisor is smaller than the student."""
        nlp = self.plan.config
        supervising = [rung.name for rung in nlp.supervising()]
        found = self.setting.pair(supervising, [rung.name for rung in nlp.ladder if rung.truth])
        if found is None:
            raise LackingError("nlp.errors needs a supervisor that is smaller than the largest rung with ground truth")
        return found

    # -- flipped labels (E.2) ------------------------------------------------------------------------------

    def labels(self, task: str, kind: str, seed: int) -> Artifact:
        """Hard labels with as many errors as the weak model makes on the strong half, of one of the six kinds."""
        if kind not in KINDS:
            raise UserError(f"unknown kind of supervisor {kind!r}; {allowed(kind, KINDS)}")
        return self._once(("labels", task, kind, seed), lambda: self._new_labels(task, kind, seed))

    def _new_labels(self, task: str, kind: str, seed: int) -> Artifact:
        weak, strong = self.pair
        parents: dict[str, Artifact] = {"weak": self.plan.truth(task, weak, seed)}
        spec: dict[str, Any] = {"kind": kind}
        if kind == RANDOM:
            spec["seed"] = seed
        if kind in OF_STRONG:  # trained on the weak half, so its confidences on the strong one are held out
            parents["strong"] = self.plan.truth(task, strong, seed)
        if kind in OF_TEXTS:
            parents["data"] = self.plan.data(task, seed)
        message = f"labels of {task}, flipped as often as {weak} errs: {kind}, seed {seed}"
        return Artifact(FLIP, f"nlp/{task}/{self._name(kind)}", message, spec, parents, priority=100)

    def _name(self, kind: str) -> str:
        return f"flipped-{kind}-{self.pair[0]}"

    def flipped(self, task: str, kind: str, method: str, seed: int) -> Run:
        """The student of a flipped-label supervisor. Its history says how far it agrees, right and wrong apart."""

        def make() -> Run:
            weak, strong = self.pair
            labels = self._name(kind)
            return variant(
                self.plan.student(task, weak, strong, method, seed),
                message=f"finetune {strong} on {task}: labels {labels}, {method}, seed {seed}",
                spec={"agreement": True},
                parents={"labels": self.labels(task, kind, seed)},
                labels=labels,
            )

        return self._once(("flipped", task, kind, method, seed), make)

    # -- appended labels (E.3) -----------------------------------------------------------------------------

    def appended(self, task: str, method: str, seed: int) -> Run:
        """The student whose prompts end in its supervisor's label, in training and in tests."""

        def make() -> Run:
            weak, strong = self.pair
            student = self.plan.student(task, weak, strong, method, seed)
            return variant(
                student,
                message=f"finetune {strong} on {task}: from-{weak}, with label hints, {method}, seed {seed}",
                spec=with_label_hint(student, self.setting.appended),
                method=f"{method}-told",
            )

        return self._once(("appended", task, method, seed), make)

    def every_run(self) -> Iterator[Run]:
        """All students of Figures 25, 26 and 27; none where no supervisor is small enough."""
        try:
            _ = self.pair
        except LackingError:
            return
        for seed in self.seeds:
            for method in self.methods:
                for task in self.tasks:
                    yield from (self.flipped(task, kind, method, seed) for kind in KINDS)
                yield from (self.appended(task, method, seed) for task in self.appended_tasks)
