"""The vision_features stage: a frozen network's outputs for every image, computed once and stored (Appendix D.1)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from w2s.engine import artifacts
from w2s.engine.checkpoints import Checkpoint
from w2s.engine.progress import Progress
from w2s.engine.space import room_for
from w2s.errors import UserError
from w2s.training.job import Job
from w2s.training.loop import EVALUATION
from w2s.vision import fitted
from w2s.vision import pretraining as vision_model
from w2s.vision.images import DIGITS, Index, Pixels, check, chunks, read_index
from w2s.vision.networks import frozen
from w2s.vision.networks.frozen import Frozen
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
        used = Frozen(vision_model.load(model, images), None, SMALL)
    else:
        used = frozen.load(spec, environment, f"rung {build.name.rsplit('-', 1)[0]!r}")
    used.network.to(job.device)
    check(artifacts.read(images)["spec"]["images"], environment)
    index = read_index(images, part=None) if spec.probe else read_index(images)
    rows = _all(job, used, index, artifacts.read(images)["spec"]["images"], environment)
    if not rows.isfinite().all():
        raise UserError(f"{spec.output}: contains values that are not numbers; the weights may be damaged")
    truth = torch.tensor(read_index(images).labels)
    measured: dict[str, Any] = {}
    if spec.probe:
        rows, measured["probe"] = fitted.probabilities(rows, index, artifacts.read(images)["measured"], spec.probe)
    elif spec.output == "probabilities":
        rows = rows.softmax(-1)
    with room_for(build.folder / "features.npy", rows.nbytes):
        np.save(build.folder / "features.npy", rows.numpy())
    parameters = sum(parameter.numel() for parameter in used.network.parameters())
    measured |= {"images": len(rows), "width": rows.shape[1], "parameters": parameters}
    if spec.output == "probabilities":
        measured["accuracy"] = (rows.argmax(-1) == truth).double().mean().item()
        print(f"accuracy on all {len(rows):,} images: {measured['accuracy']:.4f}")
    job.finish(measured)


@torch.no_grad()
def _all(job: Job, used: Frozen, index: Index, place: Mapping[str, Any], environment: Mapping[str, Any]) -> Tensor:
    """(images, width) on the CPU; a killed run resumes after the last chunk that was saved."""
    checkpoint = Checkpoint(job.build.work / "checkpoint.pt", {"budget": job.budget})
    first, gathered = checkpoint.resume({"rows": []})
    steps = -(-len(index) // CHUNK)
    progress = Progress(steps, "images", start=first)
    for step, pixels in enumerate(chunks(index, place, environment, used.prepare, CHUNK, first), start=first):

        def work(micro_batch: int, pixels: Pixels = pixels) -> Tensor:
            parts = torch.from_numpy(pixels).split(max(1, EVALUATION * micro_batch // used.tokens))
            return torch.cat([_outputs(used, part.to(job.device)) for part in parts])

        gathered["rows"].append(job.budget.attempt(work))
        progress.update(step + 1, len(pixels))
        checkpoint.maybe_save(step + 1, lambda: gathered, last=step + 1 == steps)
    return torch.cat(gathered["rows"])


def _outputs(used: Frozen, pixels: Tensor) -> Tensor:
    """(n, width) on the CPU. UserError for a user's own network that gives something else."""
    found = used.network(normalised(pixels))
    if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != len(pixels):
        shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise UserError(f"the network returned {shape} for {len(pixels)} images; expected ({len(pixels)}, width)")
    return found.float().cpu()


def normalised(pixels: Tensor) -> Tensor:
    """(n, channels, height, width) as networks take them: digits in [0, 1], colours by ImageNet's statistics.

    What is not bytes was prepared by the network's own preprocessing, and stays as it is.
    """
    if pixels.dtype != torch.uint8:
        return pixels
    if pixels.shape[1] == 1:
        return pixels.float() / DIGITS
    mean, deviation = (torch.tensor(values, device=pixels.device).view(3, 1, 1) for values in (MEAN, DEVIATION))
    return (pixels.float() / 255 - mean) / deviation
