"""What jobs of the NLP setting compute. Light: no torch."""

from __future__ import annotations

from w2s.graph.artifact import Artifact
from w2s.graph.work import Work
from w2s.models.work import HALVES, finetuning, reading
from w2s.nlp.difficulty.config import PROMPT as BY_PROMPT
from w2s.nlp.stages import FEATURES, FINETUNE, JUDGE, PROMPT

EVALUATED = ("validation", "test")


def finetune(run: Artifact) -> Work:
    """On a half or a share of it, or on both, or on a subset of both that is as large as one.

    Evaluations read the whole validation part, and of the test set what the recipe says.
    """
    half = run.spec["half"]
    work = finetuning(run, (half,) if half in HALVES else HALVES, EVALUATED)
    shares = dict.fromkeys(HALVES, 0.5 if "subset" in run.spec else run.spec.get("share", 1.0))
    asked, size = run.spec["training"].get("evaluation_examples"), run.parents["data"].spec["sizes"].get("test")
    if asked and size and not run.spec.get("agreement"):
        shares["test"] = min(1.0, asked / size)
    return work._replace(passes={part: shares.get(part, 1.0) * count for part, count in work.passes.items()})


def prompt(run: Artifact) -> Work:
    """All questions in every draw; the examples before them are read once."""
    return reading(run, dict.fromkeys(run.spec.get("predicts", ("test",)), run.spec["draws"]))


def features(run: Artifact) -> Work:
    """All texts once; a finetuned run's network is trained again first."""
    once = dict.fromkeys((*HALVES, *EVALUATED), 1.0)
    if "run" not in run.parents:
        return reading(run, once)
    again = finetune(run.parents["run"])
    return again._replace(passes={part: 1.0 + again.passes.get(part, 0.0) for part in once})


def judge(elo: Artifact) -> Work:
    """Every question once, or every round's pairs in both orders; nothing where a function of the user's judges."""
    if "model" not in elo.parents:
        return Work()
    return reading(elo, dict.fromkeys(HALVES, 2 * elo.spec["rounds"] if elo.spec["by"] == BY_PROMPT else 1.0))


WORK = {FINETUNE: finetune, PROMPT: prompt, FEATURES: features, JUDGE: judge}
