"""Prompting of NLP base models: its section of the config (Section 5.2.1, Table 2)."""

from __future__ import annotations

from collections.abc import Collection

from pydantic import Field, model_validator

from w2s.config.schema import Entries, Positive, Seed, Strict
from w2s.config.section import NotNegative, refuse_twice, refuse_unknown

PAPERS = (  # tasks that the paper prompts, in the order of its Table 2
    "cosmos_qa",
    "ethics_deontology",
    "ethics_justice",
    "quail",
    "sciq",
    "social_i_qa",
    "ethics_virtue",
)


class Prompting(Strict):
    """How base models are prompted with a task (Figure 9)."""

    tasks: tuple[str, ...] | None = Field(None, min_length=1)  # those of Table 2 by default
    seeds: tuple[Seed, ...] | None = Field(None, min_length=1)  # those of the experiment by default
    supervisors: tuple[str, ...] | None = Field(None, min_length=1)  # whose labels stand in prompts; all by default
    shots: NotNegative = 5  # labelled examples before the question
    draws: Positive = 3  # choices of examples; accuracies are their mean
    instructions: bool = True  # whether prompts begin with Table 2's words (ours for the other tasks)
    texts: Entries[str, str] = Field(default_factory=dict)  # the user's own instead, by task
    answers: tuple[str, str] = (" 0", " 1")  # label 0, label 1: what stands behind examples, and is scored
    max_length: Positive | None = None  # tokens of a prompt; None: as many as the model takes

    @model_validator(mode="after")
    def _answers_differ(self) -> Prompting:
        if self.answers[0].strip() == self.answers[1].strip():
            raise ValueError(f"answers: {self.answers[0]!r} is named twice, allowed once")
        for key in ("tasks", "seeds", "supervisors"):
            refuse_twice(key, getattr(self, key) or ())
        return self

    def chosen(self, there: Collection[str]) -> list[str]:
        """The tasks that are prompted; of an experiment without the paper's, all that it has."""
        return list(self.tasks or [name for name in PAPERS if name in there] or there)

    def refuse(self, tasks: Collection[str], supervising: Collection[str]) -> None:
        """ValueError if it names what the experiment does not have."""
        for key, names in (("tasks", self.tasks or ()), ("texts", tuple(self.texts))):
            for name in names:
                refuse_unknown(f"prompting.{key}", name, tasks)
        for name in self.supervisors or ():
            refuse_unknown("prompting.supervisors", name, supervising)
