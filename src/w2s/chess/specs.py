"""The spec of a chess run. Light: no torch."""

from __future__ import annotations

from w2s.training.specs import ModelSpec, Spec, Training


class PromptTraining(Spec):
    """What of the training section a prompted base model needs."""

    max_length: int


class GenerateSpec(ModelSpec):
    """A model that writes moves (Appendix A.2).

    part: trained on; None: the base model is prompted with ``shots`` worked examples. predicts: parts to answer.
    """

    part: str | None
    predicts: tuple[str, ...]
    notation: str
    training: Training | PromptTraining
    seed: int
    learning_rate: float = 0
    shots: int = 0
