"""The vision_features stage: a frozen network's outputs for every image, computed once and stored (Appendix D.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from w2s.engine import artifacts
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.progress import Progress
from w2s.engine.space import room_for
from w2s.errors import UserError
from w2s.training.job import Job
from w2s.training.loop import EVALUATION
from w2s.vision import pretraining as vision_model
from w2s.vision.images import DIGITS, Pixels, check, chunks, read_index
from w2s.vision.networks import published
from w2s.vision.specs import FeaturesSpec

CHUNK = 256  # images that are decoded together, with a checkpoint after them at most
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, red, green, blue
SMALL = 4  # tokens of a micro-batch that a digit counts as


def make(build: artifacts.Build, images: Path, model: Path | None, environment: Mapping[str, Any]) -> None:
    """Write ``features.npy``: (images, width) float32, one row an image to probe or test on, in the index's order.

    For a supervisor its probabilities instead of features. environment: paths of ``images`` and ``weights``.
    """
    spec = FeaturesSpec.from_spec(build.identity.spec)
    job = Job(build)
    if model is not None:
        network, tokens = vision_model.load(model, images), SMALL
    else:
        name = build.name.rsplit("-", 1)[0]
        wanted_by = f"rung {name!r}"
        assert spec.weights is not None
        assert spec.architecture is not None
        file = published.file_of(spec.weights, environment, wanted_by)
        network, tokens = published.load(spec.architecture, file, wanted_by), published.TOKENS[spec.architecture]
    network.to(job.device)
    check(artifacts.read(images)["spec"]["images"], environment)
    rows = _all(job, network, images, environment, spec.preprocessing, tokens)
    if spec.output == "probabilities":
        rows = rows.softmax(-1)
    if not rows.isfinite().all():
        raise UserError(f"{spec.output}: contains values that are not numbers; the weights may be damaged")
    with room_for(build.folder / "features.npy", rows.nbytes):
        np.save(build.folder / "features.npy", rows.numpy())
    measured: dict[str, Any] = {
        "images": len(rows),
        "width": rows.shape[1],
        "parameters": sum(parameter.numel() for parameter in network.parameters()),
    }
    if spec.output == "probabilities":
        truth = torch.tensor(read_index(images).labels)
        measured["accuracy"] = (rows.argmax(-1) == truth).double().mean().item()
        print(f"accuracy on all {len(rows):,} images: {measured['accuracy']:.4f}")
    job.finish(measured)


@torch.no_grad()
def _all(
    job: Job,
    network: nn.Module,
    images: Path,
    environment: Mapping[str, Any],
    preprocessing: Mapping[str, Any],
    tokens: int,
) -> Tensor:
    """(images, width) on the CPU; a killed run resumes after the last chunk that was saved."""
    index, place = read_index(images), artifacts.read(images)["spec"]["images"]
    checkpoint = Checkpoint(job.build.work / "checkpoint.pt", {"budget": job.budget})
    first, gathered = checkpoint.resume({"rows": []})
    steps = -(-len(index) // CHUNK)
    progress = Progress(steps, "images", start=first)
    for step, pixels in enumerate(chunks(index, place, environment, preprocessing, CHUNK, first), start=first):

        def work(micro_batch: int, pixels: Pixels = pixels) -> Tensor:
            parts = torch.from_numpy(pixels).split(max(1, EVALUATION * micro_batch // tokens))
            return torch.cat([network(normalised(part.to(job.device))).float().cpu() for part in parts])

        gathered["rows"].append(job.budget.attempt(work))
        progress.update(step + 1, len(pixels))
        checkpoint.maybe_save(step + 1, lambda: gathered, last=step + 1 == steps)
    return torch.cat(gathered["rows"])


def normalised(pixels: Tensor) -> Tensor:
    """(n, channels, height, width) bytes as networks take them: digits in [0, 1], colours by ImageNet's statistics."""
    if pixels.shape[1] == 1:
        return pixels.float() / DIGITS
    mean, deviation = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return (pixels.float() / 255 - mean) / deviation
