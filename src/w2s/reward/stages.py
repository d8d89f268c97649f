"""The stages of the reward setting."""

from __future__ import annotations

from w2s.graph.stage import Stage

PREFERENCES = Stage(
    "preferences", 2, "w2s.reward.data", "environment", description="build preference pairs", kind="data"
)
DIALOGUES = Stage("dialogues", 1, "w2s.reward.corpus", "directories", description="write dialogues", kind="corpus")
GENERATIVE_FINETUNING = Stage(
    "generative_finetuning",
    2,
    "w2s.reward.generative_finetuning",
    "data model environment",
    alias="writing",
    gpu=True,
    description="finetune generatively",
)
REWARD_MODEL = Stage(
    "reward_model",
    1,
    "w2s.reward.finetune",
    "data model labels? environment parents",
    manifest="run.json",
    alias="prefer",
    gpu=True,
    description="finetune a reward model",
)
STAGES = (PREFERENCES, DIALOGUES, GENERATIVE_FINETUNING, REWARD_MODEL)
