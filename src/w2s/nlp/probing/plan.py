"""The part of the run graph that trains linear probes on frozen features (Section 5.2.3, Appendices D.2, E.1).

Pure and light.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from w2s.config.ladder import OwnRung
from w2s.errors import LackingError
from w2s.graph.artifact import Artifact, Cached, Run
from w2s.models.plan import computed, needed
from w2s.nlp.probing.config import Recipe
from w2s.nlp.stages import ERRORS, FEATURES, PROBE

if TYPE_CHECKING:
    from w2s.nlp.plan import NlpPlan

SCIQ = "sciq"  # the paper's task in Appendix E.1


class ProbingPlan(Cached):
    """Features, and probes on them, that an experiment can ask for, made on demand and remembered."""

    def __init__(self, plan: NlpPlan) -> None:
        super().__init__()
        self.plan = plan
        self.setting = plan.config.probing
        self.seeds: tuple[int, ...] = self.setting.seeds or plan.experiment.seeds
        self.tasks: list[str] = list(self.setting.tasks or plan.config.representative_tasks())

    def pair(self) -> tuple[str, str]:
        """(supervisor, student) of Figure 11: unless named, the weakest and the largest with truth."""
        nlp, named = self.plan.config, self.setting.pair
        largest = [rung.name for rung in nlp.ladder if rung.truth][-1]
        return named.supervisor or nlp.supervising()[0].name, named.student or largest

    # -- features ------------------------------------------------------------------------------------------

    def features(self, task: str, rung: str, seed: int) -> Run:
        """What a base model sees of a task's texts."""
        return self._once(("features", task, rung, seed), lambda: self._new_features(task, rung, seed, None))

    def features_of(self, run: Run) -> Run:
        """The same of a finetuned run, which is finetuned again for it and stays as it is."""
        return self._once(("features of", run.key), lambda: self._new_features(run.task, run.rung, run.seed, run))

    def _new_features(self, task: str, rung: str, seed: int, run: Run | None) -> Run:
        of = self.plan.rung(rung)
        spec = {"max_length": self.plan.config.training.max_length} | computed(of)
        parents: dict[str, Artifact] = {"data": self.plan.data(task, seed), "model": self.plan.model(rung)}
        labels, method, whose = "none", "features", f"base model {rung}"
        if run:
            parents |= {"run": run} | ({"labels": run.parents["labels"]} if "labels" in run.parents else {})
            labels, method, whose = run.labels, f"features-{run.method}", f"{rung} finetuned {run.labels}, {run.method}"
        return Run(
            FEATURES,
            f"nlp/{task}/{rung}/{labels}/{method}/s{seed}",
            f"features of {task}: {whose}, seed {seed}",
            spec,
            parents,
            environment=needed(of),
            priority=50,
            task=task,
            rung=rung,
            labels=labels,
            method=method,
            seed=seed,
        )

    # -- probes --------------------------------------------------------------------------------------------

    def truth(self, task: str, rung: str, seed: int, recipe: Recipe, half: str = "weak") -> Run:
        """A probe on a base model, trained on a half's truth."""
        return self._probe(self.features(task, rung, seed), recipe, half)

    def ceiling(self, task: str, rung: str, seed: int, recipe: Recipe) -> Run:
        """The same on the half that ceilings see."""
        return self.truth(task, rung, seed, recipe, self.plan.experiment.ceiling_half)

    def student(self, task: str, weak: str, strong: str, seed: int, recipe: Recipe) -> Run:
        """A probe on a base model, trained on the soft labels of a weaker model's probe."""
        supervisor = self.truth(task, weak, seed, recipe)
        return self._probe(self.features(task, strong, seed), recipe, "strong", supervisor)

    def on_weak_labels(self, task: str, weak: str, strong: str, seed: int, recipe: Recipe) -> Run:
        """lp(weak): a probe on a base model, trained on the soft labels of a finetuned supervisor."""
        supervisor = self.plan.truth(task, weak, seed)
        return self._probe(self.features(task, strong, seed), recipe, "strong", supervisor)

    def after(self, run: Run, recipe: Recipe) -> Run:
        """ft(weak) + lp(gt): a probe on a finetuned run's features, trained on the truth that ceilings see."""
        half = self.plan.experiment.ceiling_half
        return self._probe(self.features_of(run), recipe, half, after=run)

    def _probe(
        self, features: Run, recipe: Recipe, half: str, supervisor: Run | None = None, after: Run | None = None
    ) -> Run:
        identity = ("probe", features.key, str(recipe.settings()), half, supervisor.key if supervisor else None)
        return self._once(identity, lambda: self._new_probe(features, recipe, half, supervisor, after))

    def _new_probe(self, features: Run, recipe: Recipe, half: str, supervisor: Run | None, after: Run | None) -> Run:
        task, rung, seed = features.task, features.rung, features.seed
        method = f"probe-{recipe.by}" + (f"-after-{after.labels}-{after.method}" if after else "")
        labels = f"from-{supervisor.rung}" if supervisor else "truth"
        if supervisor and supervisor.stage is PROBE:
            labels += f"-{supervisor.method}"
        stops = supervisor is not None and recipe.by == "adam"
        spec = {
            "half": half,
            "recipe": recipe.settings(),
            "selected": "validation" if stops else "last",
            "seed": seed,
        }
        return Run(
            PROBE,
            f"nlp/{task}/{rung}/{labels}/{method}/s{seed}",
            f"probe {rung} on {task}: labels {labels}, {method}, seed {seed}",
            spec,
            {"features": features} | ({"labels": supervisor} if supervisor else {}),
            priority=0 if supervisor else 40,
            task=task,
            rung=rung,
            labels=labels,
            method=method,
            seed=seed,
        )

    # -- error structure -----------------------------------------------------------------------------------

    def errors(self, seed: int) -> Run:
        """Students of simulable, unsimulable and mixed errors on one rung's features of one task (Appendix E.1)."""
        return self._once(("errors", seed), lambda: self._new_errors(seed))

    def _new_errors(self, seed: int) -> Run:
        setting, nlp = self.setting.errors, self.plan.config
        task = setting.task or (SCIQ if SCIQ in nlp.all_tasks() else nlp.all_tasks()[0])
        rung = setting.rung or nlp.ladder[-1].name
        of = self.plan.rung(rung)
        if isinstance(of, OwnRung) and setting.noised >= of.width:
            raise LackingError(
                f"fig24: nlp.probing.errors.noised is {setting.noised}, and {rung} has {of.width} features in all; "
                f"allowed: fewer"
            )
        spec = setting.model_dump(mode="json", exclude={"task", "rung"}) | {"seed": seed}
        return Run(
            ERRORS,
            f"nlp/{task}/{rung}/none/errors/s{seed}",
            f"errors that students of {rung}'s features can simulate, {task}, seed {seed}",
            spec,
            {"features": self.features(task, rung, seed)},
            task=task,
            rung=rung,
            labels="none",
            method="errors",
            seed=seed,
        )

    # -- everything ----------------------------------------------------------------------------------------

    def everything(self) -> Iterator[Run]:
        """All that the figures of probes ask for."""
        nlp, (weak, strong) = self.plan.config, self.pair()
        recipe, students = self.setting.recipe, self.setting.students
        for seed in self.seeds:
            with suppress(LackingError):
                yield self.errors(seed)
            for task in self.tasks:
                yield self.on_weak_labels(task, weak, strong, seed, recipe)
                yield self.ceiling(task, strong, seed, recipe)
                if "naive" in nlp.methods:
                    yield self.after(self.plan.student(task, weak, strong, "naive", seed), recipe)
                for rung in nlp.ladder:
                    if rung.truth:
                        yield self.truth(task, rung.name, seed, students)
                        yield self.ceiling(task, rung.name, seed, students)
                for lower, upper in nlp.pairs():
                    if lower is not upper:
                        yield self.student(task, lower.name, upper.name, seed, students)
