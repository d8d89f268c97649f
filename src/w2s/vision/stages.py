"""The stages of the vision setting."""

from __future__ import annotations

from w2s.graph.stage import Stage

IMAGES = Stage("images", 1, "w2s.vision.images", "environment", description="load images", kind="data")
MODEL = Stage(
    "vision_model", 1, "w2s.vision.pretraining", "images", gpu=True, description="train a vision network", kind="model"
)
FEATURES = Stage(
    "vision_features", 1, "w2s.vision.features", "images model? environment", gpu=True, description="features of images"
)
PROBE = Stage(
    "vision_probe",
    1,
    "w2s.vision.probe",
    "images features labels?",
    manifest="run.json",
    gpu=True,
    description="probe vision features",
)
STAGES = (IMAGES, MODEL, FEATURES, PROBE)
