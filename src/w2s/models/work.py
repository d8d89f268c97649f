"""What jobs with a decoder compute: pretraining, finetuning, reading. Light: no torch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from w2s.graph.artifact import Artifact
from w2s.graph.stage import Stage
from w2s.graph.work import Work
from w2s.models.stages import OPEN_MODEL, PRETRAIN

HALVES = ("weak", "strong")
TRAINING, ADAPTING = 3, 2  # forward passes that a step of training is worth: of all weights, and with the base frozen
WEIGHT = 4.0  # bytes
TRAINED = 4 * WEIGHT  # a weight, its gradient and AdamW's two moments


def parameters(model: Artifact) -> float:
    """All weights of a base model: of an own one by its shape, of an open one as its rung declares."""
    if "model" in model.parents:  # finetuned further
        return parameters(model.parents["model"])
    if "shape" not in model.spec:
        return float(model.environment["parameters"])
    width, layers, intermediate = (model.spec["shape"][name] for name in ("width", "layers", "intermediate"))
    layer = 4 * width**2 + 3 * width * intermediate + 2 * width
    return float(model.parents["corpus"].spec["vocabulary"] * width + layers * layer + width)


def embedding(model: Artifact) -> float:
    """Weights of a base model's embedding, which are looked up; 0 for an open model, whose rung does not say."""
    if "model" in model.parents:
        return embedding(model.parents["model"])
    if "shape" not in model.spec:
        return 0.0
    return float(model.parents["corpus"].spec["vocabulary"] * model.spec["shape"]["width"])


def pretraining(model: Artifact) -> Work:
    """Every token once."""
    return Work(parameters(model), tokens=TRAINING * model.spec["tokens"], memory=TRAINED, host=WEIGHT)


def finetuning(
    run: Artifact,
    parts: Iterable[str],
    evaluated: Iterable[str] = ("test",),
    host: float = WEIGHT,
    *,
    unembeds: bool = False,
) -> Work:
    """Epochs over some parts of the data, and evaluations of others. unembeds: whether logits are computed."""
    recipe, frozen = run.spec["training"], "adapters" in run.spec
    passes = dict.fromkeys(evaluated, recipe["epochs"] * recipe.get("evaluations_per_epoch", 0))
    passes |= dict.fromkeys(parts, recipe["epochs"] * (ADAPTING if frozen else TRAINING))
    memory, looked_up = _weight(run) if frozen else TRAINED, 0.0 if unembeds else embedding(run.parents["model"])
    return Work(parameters(run.parents["model"]), passes, memory=memory, host=host, looked_up=looked_up)


def reading(run: Artifact, passes: Mapping[str, float]) -> Work:
    """Nothing but forward passes, with logits of a few tokens at most."""
    model = run.parents["model"]
    return Work(parameters(model), passes, memory=_weight(run), host=WEIGHT, looked_up=embedding(model))


def _weight(run: Artifact) -> float:
    """Bytes: frozen base weights under adapters have the rung's precision, all others are float32."""
    return WEIGHT / 2 if "adapters" in run.spec and run.spec["precision"] == "bfloat16" else WEIGHT


WORK: dict[Stage, Callable[[Artifact], Work]] = {
    PRETRAIN: pretraining,
    # It is only looked up, unless it is converted: what was read and what is written are then in memory at once.
    OPEN_MODEL: lambda model: Work(parameters(model), host=2 * WEIGHT if "gguf" in model.spec["source"] else 0.0),
}
