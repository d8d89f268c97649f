"""The specs of reward stages that train. Light: no torch."""

from __future__ import annotations

from typing import Literal

from w2s.training.specs import ModelSpec, Objective, Training


class RewardTraining(Training):
    """cue: text after every completion, where the reward is read; head: a word whose unembedding initialises it.

    head: empty where the reward is a language model's own. batches: of pairs of similar length, or random ones (None).
    """

    cue: str
    head: str = ""
    batches: Literal["by_length"] | None = None


class RewardModelSpec(ModelSpec):
    """A reward model (Appendix A.3).

    beta: of a language model whose reward is its own (``w2s.reward.policy``); None for a reward model with a head.
    """

    half: str
    objective: Objective
    training: RewardTraining
    learning_rate: float
    seed: int
    beta: float | None = None


class GenerativeFinetuningSpec(ModelSpec):
    """A base model finetuned generatively (Section 5.2.2)."""

    training: Training
    learning_rate: float
    seed: int
