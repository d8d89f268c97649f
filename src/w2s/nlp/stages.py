"""The stages of the NLP setting."""

from __future__ import annotations

from w2s.graph.stage import Stage

WORLD_VERSION = 2  # of the micro-world's rows and corpus: they change without the stages that real data goes through
DATA = Stage("data", 3, "w2s.nlp.data", "environment", description="build data", kind="data")
CORPUS = Stage("corpus", 2, "w2s.nlp.corpus", "directories", description="write a corpus", kind="corpus")
FINETUNE = Stage(
    "finetune",
    3,
    "w2s.nlp.finetune",
    "data model labels? environment subset? assistant? parents",
    manifest="run.json",
    gpu=True,
    description="finetune a classifier",
)
LEVELS = Stage("levels", 1, "w2s.nlp.difficulty.levels", "parents", description="measure difficulty")
JUDGE = Stage(
    "judge", 1, "w2s.nlp.difficulty.judge", "data model? environment", gpu=True, description="judge difficulty"
)
FLIP = Stage("flip", 1, "w2s.nlp.errors.flips", "parents", description="flip labels")
ENSEMBLE = Stage("ensemble", 1, "w2s.nlp.ensemble", "directories", description="average supervisors' labels")
PROMPT = Stage(
    "prompt",
    1,
    "w2s.nlp.prompting.stage",
    "data model labels?",
    manifest="prompt.json",
    gpu=True,
    description="prompt a base model",
)
FEATURES = Stage(
    "features",
    1,
    "w2s.nlp.probing.features",
    "data model run? labels? environment",
    manifest="features.json",
    gpu=True,
    description="features of texts",
)
PROBE = Stage(
    "probe", 1, "w2s.nlp.probing.probes", "features labels?", manifest="probe.json", description="probe features"
)
ERRORS = Stage(
    "errors", 1, "w2s.nlp.probing.simulable", "features", manifest="errors.json", description="simulate errors"
)
STAGES = (DATA, CORPUS, FINETUNE, LEVELS, JUDGE, FLIP, ENSEMBLE, PROMPT, FEATURES, PROBE, ERRORS)
