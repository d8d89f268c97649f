"""The part of the run graph that prompts NLP base models (Section 5.2.1). Pure and light."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from w2s.config.ladder import OpenRung, Rung
from w2s.graph.artifact import Artifact, Cached, Run
from w2s.models.plan import computed, needed
from w2s.nlp.stages import PROMPT
from w2s.nlp.tasks import TASKS
from w2s.nlp.variant import variant

if TYPE_CHECKING:
    from w2s.nlp.plan import NlpPlan

ZERO_SHOT = "zero-shot"  # method of a prompt without examples; with five it is 5-shot
EVERYWHERE = ("weak", "strong", "validation", "test")
BETWEEN = "\n\n"  # two examples for an open model; an own rung has the end token there, as its corpus has


class PromptingPlan(Cached):
    """Every prompted base model that an experiment can ask for, made on demand and remembered."""

    def __init__(self, plan: NlpPlan) -> None:
        super().__init__()
        self.plan = plan
        self.setting = plan.config.prompting
        self.seeds: tuple[int, ...] = self.setting.seeds or plan.experiment.seeds
        self.tasks: list[str] = self.setting.chosen(plan.config.all_tasks())

    @property
    def few_shot(self) -> str:
        """The method's name where examples stand in the prompt."""
        return f"{self.setting.shots}-shot"

    def supervisors(self) -> list[Rung]:
        """Rungs whose labels stand in prompts, weakest first."""
        supervising = self.plan.config.supervising()
        return [one for one in supervising if one.name in (self.setting.supervisors or [one.name])]

    def pairs(self) -> list[tuple[Rung, Rung]]:
        """(supervisor, prompted rung) for every rung at least as large."""
        chosen = self.supervisors()
        return [pair for pair in self.plan.config.pairs() if pair[0] in chosen]

    def zero_shot(self, task: str, rung: str, seed: int) -> Run:
        """A base model prompted without examples."""
        return self._run(task, rung, seed, ZERO_SHOT, None, 0)

    def everywhere(self, task: str, rung: str, seed: int) -> Run:
        """A base model prompted without examples, on all parts of the data: labels, or an assistant's answers."""

        def make() -> Run:
            message = f"prompt {rung} with {task}: {ZERO_SHOT}, all parts, seed {seed}"
            run, spec = self.zero_shot(task, rung, seed), {"predicts": list(EVERYWHERE)}
            return variant(run, message=message, spec=spec, priority=100)

        return self._once(("everywhere", task, rung, seed), make)

    def truth(self, task: str, rung: str, seed: int) -> Run:
        """A base model prompted with examples and their true labels, of the half that ceilings see."""
        return self._run(task, rung, seed, self.few_shot, None, self.setting.shots)

    def weak(self, task: str, weak: str, strong: str, seed: int) -> Run:
        """A base model prompted with examples of the strong half and a supervisor's hardened labels."""
        return self._run(task, strong, seed, self.few_shot, self.plan.truth(task, weak, seed), self.setting.shots)

    def _run(self, task: str, rung: str, seed: int, method: str, supervisor: Run | None, shots: int) -> Run:
        identity = (task, rung, seed, method, supervisor.rung if supervisor else None)
        return self._once(identity, lambda: self._new_run(task, rung, seed, method, supervisor, shots))

    def _new_run(self, task: str, rung: str, seed: int, method: str, supervisor: Run | None, shots: int) -> Run:
        setting, of = self.setting, self.plan.rung(rung)
        spec: dict[str, Any] = {
            "task": task,
            # True: the package's words, which it does not have for a user's own task.
            "instruction": setting.texts.get(task, setting.instructions and task in TASKS),
            "answers": list(setting.answers),
            "between": BETWEEN if isinstance(of, OpenRung) else None,
            "shots": shots,
            "draws": setting.draws if shots else 1,
            "half": ("strong" if supervisor else self.plan.experiment.ceiling_half) if shots else None,
            "max_length": setting.max_length,
            "seed": seed,
        } | computed(of)
        parents: dict[str, Artifact] = {"data": self.plan.data(task, seed), "model": self.plan.model(rung)}
        if supervisor:
            parents["labels"] = supervisor
        labels = f"from-{supervisor.rung}" if supervisor else "truth" if shots else "none"
        return Run(
            PROMPT,
            f"nlp/{task}/{rung}/{labels}/{method}/s{seed}",
            f"prompt {rung} with {task}: {method}, labels {labels}, seed {seed}",
            spec,
            parents,
            environment=needed(of),
            task=task,
            rung=rung,
            labels=labels,
            method=method,
            seed=seed,
        )

    def every_run(self) -> Iterator[Run]:
        """All prompted base models."""
        for task in self.tasks:
            for seed in self.seeds:
                for rung in self.plan.config.ladder:
                    yield self.zero_shot(task, rung.name, seed)
                    if self.setting.shots:
                        yield self.truth(task, rung.name, seed)
                for weak, strong in self.pairs() if self.setting.shots else ():
                    yield self.weak(task, weak.name, strong.name, seed)
