"""The run graph of easy-to-hard generalization on NLP tasks (Appendices C.2 and C.3). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from w2s.errors import LackingError, UserError, allowed
from w2s.graph.artifact import Artifact, Run
from w2s.models.plan import computed, needed
from w2s.nlp.difficulty.config import CONFIDENCE, PROMPT, Difficulty, Judge
from w2s.nlp.plan import NlpPlan
from w2s.nlp.stages import JUDGE, LEVELS
from w2s.nlp.study import Study
from w2s.nlp.variant import variant

ANY = "any"  # the cutoff that leaves nothing out
BOTH = "both"  # the halves that are trained on: easy examples are drawn from both


class DifficultyPlan(Study[Difficulty]):
    """Which examples are easy, and every run on their truth, made on demand and remembered."""

    def __init__(self, plan: NlpPlan, setting: Difficulty) -> None:
        super().__init__(plan, setting)
        nlp = plan.config
        self.rungs: list[str] = setting.measuring([rung.name for rung in nlp.ladder if rung.truth])
        learning = setting.students or self.rungs
        self.students: list[str] = [rung.name for rung in nlp.ladder if rung.name in learning]

    # -- difficulty by held-out runs (C.2) -----------------------------------------------------------------

    def held_out(self, task: str, rung: str, seed: int) -> dict[str, Run]:
        """Half -> the ground-truth run on the other half, which predicts it: two folds, the first one Figure 12's."""
        return {"strong": self.plan.truth(task, rung, seed), "weak": self._other_fold(task, rung, seed)}

    def _other_fold(self, task: str, rung: str, seed: int) -> Run:
        def make() -> Run:
            return variant(
                self.plan.truth(task, rung, seed, half="strong"),
                message=f"finetune {rung} on {task}: truth of the strong half, to predict the weak half, seed {seed}",
                spec={"predicts": ["weak", "test"]},
                method="second-fold",
                priority=100,  # what students learn waits for it
            )

        return self._once(("fold", task, rung, seed), make)

    def levels(self, task: str, seed: int) -> Artifact:
        """Every example's difficulty, and the training set of every cutoff."""
        return self._once(("levels", task, seed), lambda: self._new_levels(task, seed))

    def _new_levels(self, task: str, seed: int) -> Artifact:
        parents: dict[str, Artifact] = {"data": self.plan.data(task, seed)}
        for place, rung in enumerate(self.rungs):
            folds = self.held_out(task, rung, seed)
            parents |= {f"{half}{place}": run for half, run in folds.items()}
        message = f"difficulty of {task} by {', '.join(self.rungs)}, seed {seed}"
        spec = {"rungs": len(self.rungs), "balance": self.setting.balance, "seed": seed}
        return Artifact(LEVELS, f"nlp/{task}/levels", message, spec, parents, priority=100)

    @property
    def cutoffs(self) -> list[str]:
        """The rungs, and the cutoff that leaves nothing out."""
        return [*self.rungs, ANY]

    def up_to(self, task: str, student: str, cutoff: str, seed: int) -> Run:
        """A run on the truth of examples that are no more difficult than a rung, as many as the easiest are."""
        if cutoff not in self.cutoffs:
            raise UserError(f"unknown cutoff {cutoff!r}; {allowed(cutoff, self.cutoffs)}")
        column = f"up_to_{self.cutoffs.index(cutoff)}"
        return self._on(task, student, seed, f"up-to-{cutoff}", self.levels(task, seed), column)

    # -- difficulty by a judge (C.3) -----------------------------------------------------------------------

    @cached_property
    def judge(self) -> Judge:
        """The judge's settings; LackingError where there are none."""
        if self.setting.judge is None:
            raise LackingError("nlp.difficulty.judge is null, so there are no ratings")
        return self.setting.judge

    def elo(self, task: str, seed: int) -> Artifact:
        """Every example's Elo rating by a judge's comparisons, and the easiest shares."""
        return self._once(("elo", task, seed), lambda: self._new_elo(task, seed))

    def _new_elo(self, task: str, seed: int) -> Artifact:
        judge, nlp = self.judge, self.plan.config
        spec: dict[str, Any] = judge.model_dump(exclude={"rung", "by"}, mode="json")
        spec |= {"balance": self.setting.balance, "seed": seed}
        parents: dict[str, Artifact] = {"data": self.plan.data(task, seed)}
        environment: Mapping[str, Any] = {}
        if judge.by in (CONFIDENCE, PROMPT):
            rung = self.plan.rung(judge.rung or nlp.ladder[-1].name)
            parents["model"] = self.plan.model(rung.name)
            training = nlp.training.model_dump(include={"answers", "max_length"}, mode="json")
            spec |= {"by": judge.by, **training} | computed(rung)
            environment = needed(rung)
            who = f"{rung.name}'s {judge.by}"
        else:
            identity, environment = self.plan.sources.code(judge.by)
            spec |= {"by": identity}
            who = judge.by
        message = f"questions of {task} judged by {who}, seed {seed}"
        return Artifact(JUDGE, f"nlp/{task}/elo", message, spec, parents, environment=environment, priority=100)

    @property
    def shares(self) -> list[int]:
        """Percent of the examples that are trained on, the easiest first, 100 last."""
        return sorted({*(round(100 * share) for share in self.judge.shares), 100})

    def easiest(self, task: str, student: str, share: int, seed: int) -> Run:
        """A run on the truth of the share (percent) of examples that are judged easiest; 100: of all."""
        if share not in self.shares:
            raise UserError(f"unknown share {share!r}; {allowed(share, map(str, self.shares))}")
        if share == 100:
            return self._all(task, student, seed)
        return self._on(task, student, seed, f"easiest-{share}", self.elo(task, seed), f"easiest_{share}")

    # -- runs ----------------------------------------------------------------------------------------------

    def _on(self, task: str, student: str, seed: int, method: str, subset: Artifact, column: str) -> Run:
        def make() -> Run:
            return variant(
                self.plan.truth(task, student, seed),
                message=f"finetune {student} on {task}: truth of both halves, {method}, seed {seed}",
                spec={"half": BOTH, "subset": column},
                parents={"subset": subset},
                method=method,
            )

        return self._once(("run", task, student, seed, method), make)

    def _all(self, task: str, student: str, seed: int) -> Run:
        def make() -> Run:
            message = f"finetune {student} on {task}: truth of both halves, seed {seed}"
            return variant(self.plan.truth(task, student, seed), message=message, spec={"half": BOTH}, method="all")

        return self._once(("all", task, student, seed), make)

    def every_run(self) -> Iterator[Run]:
        """All runs of Figures 21 and 22; the artifacts that say what is easy are their ancestors."""
        for task in self.tasks:
            for seed in self.seeds:
                for student in self.students:
                    yield from (self.up_to(task, student, cutoff, seed) for cutoff in self.cutoffs)
                    if self.setting.judge:
                        yield from (self.easiest(task, student, share, seed) for share in self.shares)
