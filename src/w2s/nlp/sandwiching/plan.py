"""The run graph of sandwiching: assistants, non-experts with hints at their answers, and students. Light."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from w2s.errors import LackingError
from w2s.graph.artifact import Run
from w2s.nlp.plan import NlpPlan
from w2s.nlp.prompting.plan import EVERYWHERE
from w2s.nlp.sandwiching.config import DEBATE, PROMPTED, Sandwiching
from w2s.nlp.study import Study
from w2s.nlp.variant import variant, with_label_hint


class SandwichingPlan(Study[Sandwiching]):
    """Every run of the study, made on demand and remembered."""

    def __init__(self, plan: NlpPlan, setting: Sandwiching) -> None:
        super().__init__(plan, setting)
        nlp = plan.config
        self.methods: list[str] = list(setting.methods or nlp.methods[:1])

    @cached_property
    def pairs(self) -> list[tuple[str, str]]:
        """(non-expert, assistant's rung); LackingError if no supervisor is smaller than a rung with ground truth."""
        nlp = self.plan.config
        found = self.setting.chosen(nlp.growing_pairs())
        if not found:
            raise LackingError("nlp.sandwiching needs a supervisor that is smaller than a rung with ground truth")
        return found

    def assistant(self, task: str, weak: str, strong: str, kind: str, seed: int) -> Run:
        """A strong model's answers to every example; it was trained on the truth of none of them.

        kind: ``zero-shot``, the base model prompted without examples; ``student``, trained on the labels that the
        non-expert gives alone; or ``debate``, the one of them that argues for both answers. It answers everywhere:
        where the non-expert learns how far to trust it, where that one labels, and in tests.
        """
        if kind == DEBATE:
            kind = self.setting.debate.advocate
        if kind == PROMPTED:
            return self.plan.prompting.everywhere(task, strong, seed)

        def make() -> Run:
            run = self.plan.student(task, weak, strong, self.methods[0], seed)
            message = f"assistant {strong} on {task}: labels from {weak}, {self.methods[0]}, seed {seed}"
            return variant(run, message=message, spec={"predicts": list(EVERYWHERE)}, priority=100)

        return self._once(("assistant", task, weak, strong, kind, seed), make)

    def assisted(self, task: str, weak: str, strong: str, kind: str, seed: int) -> Run:
        """The non-expert trained on the truth of the weak half, every text with the assistant's answer (or case).

        So it learns how far to trust the assistant; its labels of the strong half are made with the answers there.
        """

        def make() -> Run:
            alone, told = self.plan.truth(task, weak, seed), self.setting.told
            spec = with_label_hint(alone, told)
            if kind == DEBATE:
                said = self.setting.debate.model_dump(include={"prompt", "strengths"}, mode="json")
                spec["appended"] = said | {"place": told.place}
            return variant(
                alone,
                message=f"finetune {weak} on {task}: truth, with hints from {strong} ({kind}), seed {seed}",
                spec=spec,
                parents={"assistant": self.assistant(task, weak, strong, kind, seed)},
                method=f"assisted-by-{strong}-{kind}",
                priority=100,
            )

        return self._once(("assisted", task, weak, strong, kind, seed), make)

    def student(self, task: str, weak: str, strong: str, kind: str, method: str, seed: int) -> Run:
        """A student of the assisted non-expert, of the assistant's size. Its own texts tell nothing."""

        def make() -> Run:
            by = self.plan.experiment.methods[method].relabelled_by
            assisted = self.assisted(task, weak, strong, kind, seed)
            labels = self.student(task, weak, strong, kind, by, seed) if by else assisted
            return variant(
                self.plan.student(task, weak, strong, method, seed),
                message=f"finetune {strong} on {task}: labels from {weak} with {kind} assistant, {method}, seed {seed}",
                spec={},
                parents={"labels": labels},
                labels=f"from-{weak}-{assisted.method}",
            )

        return self._once(("student", task, weak, strong, kind, method, seed), make)

    def every_run(self) -> Iterator[Run]:
        """All runs that no other study has; none where no supervisor is small enough."""
        try:
            _ = self.pairs
        except LackingError:
            return
        for task in self.tasks:
            for seed in self.seeds:
                for weak, strong in self.pairs:
                    for kind in self.setting.assistants:
                        yield self.assistant(task, weak, strong, kind, seed)
                        yield self.assisted(task, weak, strong, kind, seed)
                        for method in self.methods:
                            yield self.student(task, weak, strong, kind, method, seed)
