"""The stages that make base models, for every setting with a ladder."""

from __future__ import annotations

from w2s.graph.stage import Stage

PRETRAIN = Stage(
    "pretrain", 2, "w2s.models.pretraining", "corpus", gpu=True, description="pretrain a base model", kind="model"
)
OPEN_MODEL = Stage(
    "open_model",
    2,
    "w2s.models.opening",
    "environment",
    manifest="source.json",
    alias="open",
    description="load a pretrained model",
    kind="model",
)
STAGES = (PRETRAIN, OPEN_MODEL)
