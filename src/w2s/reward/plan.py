"""The run graph of the reward setting (Section 5.2.2, Appendix A.3). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from w2s.config.ladder import Rung
from w2s.config.shift import OtherTest
from w2s.errors import LackingError, allowed
from w2s.graph.artifact import Artifact, Run, unique
from w2s.models.plan import NAIVE, LadderPlan, computed, needed
from w2s.models.shift import ShiftPlan
from w2s.reward import sources
from w2s.reward.config import DPO, PairTask, Reward, RewardPretraining
from w2s.reward.stages import DIALOGUES, GENERATIVE_FINETUNING, PREFERENCES, REWARD_MODEL

GENERATIVE = "+generative"  # behind a rung's name: the base model after generative finetuning


class RewardPlan(LadderPlan[Reward]):
    """Every reward run that an experiment can ask for, made on demand and remembered."""

    name = "reward"

    @property
    def tasks(self) -> list[str]:
        """Names of all tasks, in the config's order."""
        return self.config.all_tasks()

    @property
    def pretraining(self) -> RewardPretraining:
        """How rungs of an own ladder are pretrained."""
        return self.config.pretraining

    @cached_property
    def shift(self) -> ShiftPlan:
        """Other test sets; LackingError where the experiment has none."""
        return ShiftPlan(self, self.section("shift"), self.config.data_sets(), self.data_beside)

    # -- artifacts -----------------------------------------------------------------------------------------

    def data(self, task: str, seed: int) -> Artifact:
        """Preference pairs in parts, drawn separately for each seed."""
        (choice,) = (one for one in self.config.tasks if one.name == self.known(task))
        return self._once(("data", task, seed), lambda: self._new_data(choice, seed))

    def data_beside(self, test: OtherTest, seed: int) -> Artifact:
        """The pairs of another test set. The micro-world tests all tasks on people and words that no pair trains on."""
        return self._new_data(self.config.tested(test), seed)

    def _new_data(self, task: PairTask, seed: int) -> Artifact:
        setting = self.config
        rows: Any = {"world": setting.world.model_dump()}
        environment: Any = {}
        if setting.source != "world":
            rows, environment = sources.preferences(setting, task, self.sources.root)
        cuts_test = setting.source != "world" and "test" not in rows
        sizes = setting.sizes.model_dump(exclude=None if cuts_test else {"test_share"})
        spec = {"task": task.name, "rows": rows, "sizes": sizes, "seed": seed}
        message = f"preference pairs of {task.name}, seed {seed}"
        return Artifact(PREFERENCES, f"reward/{task.name}/data", message, spec, environment=environment)

    def corpus(self) -> Artifact:
        """Pretraining tokens and the tokenizer that own rungs share."""
        return self._once(("corpus",), self._new_corpus)

    def _new_corpus(self) -> Artifact:
        setting, pretraining = self.config, self.pretraining
        spec: dict[str, Any] = {"vocabulary": pretraining.vocabulary}
        parents: dict[str, Artifact] = {}
        if pretraining.corpus == "world":
            unused = {"pairs", "test", "noise"}  # the corpus states no preferences
            spec |= {"world": setting.world.model_dump(exclude=unused), "documents": pretraining.documents}
        else:
            parents = {task: self.data(task, pretraining.seed) for task in self.tasks}
        message = f"dialogues ({pretraining.corpus}) and tokenizer"
        return Artifact(DIALOGUES, "models/dialogues", message, spec, parents)

    def generative(self, task: str, rung: str, seed: int) -> Artifact:
        """The base model after generative finetuning: on all completions of both training halves, not of the test set.

        LackingError where the config has none.
        """
        return self._once(("generative", task, rung, seed), lambda: self._new_generative(task, self.rung(rung), seed))

    def _new_generative(self, task: str, rung: Rung, seed: int) -> Artifact:
        generative = self.config.generative
        if generative is None:
            raise LackingError("reward.generative is null, so no base model is finetuned generatively")
        if rung not in self.config.generative_rungs():
            named = [one.name for one in self.config.generative_rungs()]
            raise LackingError(f"reward.generative.rungs leaves {rung.name!r} out; {allowed(rung.name, named)}")
        training = generative.model_dump(mode="json", include={"epochs", "batch", "weight_decay"})
        spec = {
            "training": training | {"max_length": self.config.training.max_length},
            "learning_rate": rung.learning_rate * generative.rate,
            "seed": seed,
        } | computed(rung)
        return Artifact(
            GENERATIVE_FINETUNING,
            f"models/{rung.name}{GENERATIVE}",
            f"generative finetuning of {rung.name} on {task}, seed {seed}",
            spec,
            {"data": self.data(task, seed), "model": self.model(rung.name)},
            environment=needed(rung),
            priority=200,  # before the runs that start from it
        )

    # -- runs ----------------------------------------------------------------------------------------------

    def truth(self, task: str, rung: str, seed: int, half: str = "weak", *, generative: bool = False) -> Run:
        """A run on a half's true preferences: supervisor, and ceiling too unless ``ceiling_half`` says otherwise."""
        return self._run(task, rung, seed, "naive", half, generative, None)

    def ceiling(self, task: str, rung: str, seed: int, *, generative: bool = False) -> Run:
        """The ground-truth run that bounds students of this rung."""
        return self.truth(task, rung, seed, self.experiment.ceiling_half, generative=generative)

    def student(
        self,
        task: str,
        weak: str,
        strong: str,
        method: str,
        seed: int,
        *,
        generative: bool = False,
        generative_supervisor: bool = False,
    ) -> Run:
        """A run on the strong half with the soft labels of ``weak``.

        generative: it starts from the base model after generative finetuning (Figures 10, 17, 18), and so did its
        supervisor with ``generative_supervisor`` (Figure 18). LackingError for ``dpo`` where the config has none.
        """
        if method != DPO:
            self.method(method)
        elif self.config.dpo is None:
            raise LackingError("reward.dpo is null, so no student is trained by direct preference optimisation")
        supervisor = self.truth(task, weak, seed, generative=generative_supervisor)
        return self._run(task, strong, seed, method, "strong", generative, supervisor)

    def _run(
        self, task: str, rung: str, seed: int, method: str, half: str, generative: bool, supervisor: Run | None
    ) -> Run:
        labels = f"from-{supervisor.rung}" if supervisor else "truth"
        identity = ("run", task, rung, seed, labels, method, half, generative)
        return self._once(
            identity, lambda: self._new_run(task, self.rung(rung), seed, labels, method, half, generative, supervisor)
        )

    def _new_run(
        self,
        task: str,
        rung: Rung,
        seed: int,
        labels: str,
        method: str,
        half: str,
        generative: bool,
        supervisor: Run | None,
    ) -> Run:
        spec: dict[str, Any] = {
            "half": half,
            "objective": self.objective(method, rung) if supervisor and method != DPO else NAIVE,
            "training": self.config.training.model_dump(mode="json", exclude_none=True),
            "learning_rate": rung.learning_rate,
            "seed": seed,
        } | computed(rung)
        if method == DPO and self.config.dpo:
            del spec["training"]["head"]
            spec |= {"beta": self.config.dpo.beta, "learning_rate": rung.learning_rate * self.config.dpo.rate}
        model = self.generative(task, rung.name, seed) if generative else self.model(rung.name)
        parents: dict[str, Artifact] = {"data": self.data(task, seed), "model": model}
        if supervisor:
            parents["labels"] = supervisor
        name = f"{rung.name}{GENERATIVE}" if generative else rung.name
        source = f"labels from {supervisor.rung}, {method}" if supervisor else f"truth of the {half} half"
        return Run(
            REWARD_MODEL,
            f"reward/{task}/{name}/{labels}/{method}/s{seed}",
            f"reward model {name} on {task}: {source}, seed {seed}",
            spec,
            parents,
            environment=needed(rung),
            priority=0 if supervisor else 100,  # supervisors first: students wait for them
            task=task,
            rung=name,
            labels=labels,
            method=method,
            seed=seed,
        )

    # -- everything ----------------------------------------------------------------------------------------

    def every_run(self) -> Iterator[Run]:
        """All runs of the setting, whichever figure asks for them, each once."""
        yield from unique(self._every_run())
        if self.config.shift:
            yield from self.shift.every_run()

    def _every_run(self) -> Iterator[Run]:
        for task in self.tasks:
            for seed in self.seeds:
                for generative, rungs in ((False, self.config.ladder), (True, self.config.generative_rungs())):
                    for rung in rungs:
                        if rung.truth:
                            yield self.truth(task, rung.name, seed, generative=generative)
                            yield self.ceiling(task, rung.name, seed, generative=generative)
                for one, other in self.config.dpo_pairs():
                    yield self.student(task, one.name, other.name, DPO, seed)
                for weak, strong, generative, supervisor in self._students():
                    for method in self.config.methods:
                        yield self.student(
                            task, weak, strong, method, seed, generative=generative, generative_supervisor=supervisor
                        )

    def _students(self) -> Iterator[tuple[str, str, bool, bool]]:
        """(supervisor, student, whether the student is finetuned generatively first, whether its supervisor was)."""
        started = self.config.generative_rungs()
        for weak, strong in self.config.pairs():
            yield weak.name, strong.name, False, False
        for weak, strong in self.config.generative_pairs():
            yield weak.name, strong.name, True, False
            if weak in started:
                yield weak.name, strong.name, True, True
