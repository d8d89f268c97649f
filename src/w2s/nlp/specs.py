"""The specs of NLP stages that train or read with a model. Light: no torch."""

from __future__ import annotations

from typing import Any, Literal

from w2s.nlp.difficulty.config import CONFIDENCE, PROMPT
from w2s.nlp.probing.config import Recipe
from w2s.training.specs import MethodChanges, ModelSpec, Objective, Spec, Training


class NlpTraining(Training):
    """answers: of label 0 and 1; the head's rows start as their unembeddings.

    evaluation_examples: of the test set, at every evaluation during training; None: all. batches: of similar length, or
    random ones (None).
    """

    answers: tuple[str, str]
    evaluation_examples: int | None = None
    batches: Literal["by_length"] | None = None


class LabelHintSpec(Spec):
    """A hint at another model's label in every text: ``prompt`` with a ``{label}``, one of the two ``words``."""

    prompt: str
    words: tuple[str, str]
    place: Literal["end", "start"]


class DebateSpec(Spec):
    """A line in every text: ``prompt`` with the strength of the cases for class 0 (``{no}``) and class 1 (``{yes}``).

    strengths: words for probabilities, weakest first, each for an equal range.
    """

    prompt: str
    strengths: tuple[str, ...]
    place: Literal["end", "start"]


class FinetuneSpec(ModelSpec):
    """A finetuned classifier.

    half: trained on, or ``both``; subset: the column of a subset that says which examples are; share: of the half, and
    of the validation part, drawn by group, all by default; appended: the label hint, or the debate; agreement: whether
    the history separates right labels from wrong ones; predicts: parts, the usual ones by default.
    """

    half: str
    objective: Objective
    training: NlpTraining
    learning_rate: float
    selected: Literal["validation", "last"]
    seed: int
    method: MethodChanges = MethodChanges()
    subset: str | None = None
    share: float | None = None
    appended: LabelHintSpec | DebateSpec | None = None
    agreement: bool = False
    predicts: tuple[str, ...] | None = None


class PromptSpec(ModelSpec):
    """A prompted base model (Section 5.2.1). instruction: a text, or whether Table 2's is used; half: of the shots."""

    task: str
    instruction: bool | str
    answers: tuple[str, str]
    between: str | None
    shots: int
    draws: int
    half: str | None
    max_length: int | None
    seed: int
    predicts: tuple[str, ...] = ("test",)


class FeaturesSpec(ModelSpec):
    """Features of texts (Section 5.2.3)."""

    max_length: int


class ProbeSpec(Spec):
    """A linear probe on features."""

    half: str
    recipe: Recipe
    selected: Literal["validation", "last"]
    seed: int


class ErrorsSpec(Spec):
    """Simulated labels and students (Appendix E.1), as in ``w2s.nlp.probing.config.Errors``."""

    features: tuple[int, ...]
    noised: int
    noise: tuple[float, ...]
    draws: int
    seed: int


class LevelsSpec(Spec):
    """Difficulty by the rungs that get an example right (Appendix C.2)."""

    rungs: int
    balance: bool
    seed: int


class JudgeSpec(ModelSpec):
    """Difficulty by a judge (Appendix C.3). by: a built-in judge, or the identity of the user's own function."""

    by: str | dict[str, Any]
    rounds: int
    step: float
    shares: tuple[float, ...]
    balance: bool
    seed: int
    answers: tuple[str, str] = ("", "")
    max_length: int = 0

    @property
    def by_confidence(self) -> bool:
        """Whether a base model's confidence decides, not its answer to a prompt."""
        assert self.by in (CONFIDENCE, PROMPT)
        return self.by == CONFIDENCE
