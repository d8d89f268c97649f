"""The vision_model stage: a small network trained here, on truth (a supervisor) or without labels (a student)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from w2s.engine import artifacts
from w2s.engine.space import room_for
from w2s.training.job import Job
from w2s.training.loop import Evaluation, Runtime, Schedule, optimise
from w2s.vision.images import DIGITS, PRETRAINING, read_index
from w2s.vision.networks.small import Classifier, Small, Twins, redundancy, viewed
from w2s.vision.specs import NetworkSpec

WEIGHTS = "model.safetensors"


def make(build: artifacts.Build, images: Path) -> None:
    """Train on the pretraining images and write ``model.safetensors``."""
    spec = NetworkSpec.from_spec(build.identity.spec)
    job = Job(build)
    index = read_index(images, PRETRAINING)
    torch.manual_seed(spec.seed)
    chosen = torch.randperm(len(index))[: spec.images or len(index)]
    pixels = (torch.from_numpy(index.pixels)[chosen].float() / DIGITS).to(job.device)
    labels = torch.tensor(index.labels)[chosen].to(job.device)
    supervises = spec.labels == "truth"
    network: nn.Module = Twins(spec.width)
    if supervises:
        network = Classifier(spec.width, artifacts.read(images)["measured"]["classes"])
    network.to(job.device)
    step = partial(_supervised, network, pixels, labels) if supervises else partial(_unlabelled, network, pixels)
    schedule = Schedule(spec.epochs, spec.batch, spec.learning_rate, 0.0, 0, spec.seed)
    runtime = Runtime(job.checkpoint(), reporter=build.reporter)
    history, _ = optimise(network, len(pixels), step, schedule, Evaluation(), runtime)
    kept = network if supervises else network.get_submodule("body")
    weights = {name: value.cpu() for name, value in kept.state_dict().items()}
    with room_for(build.folder / WEIGHTS, sum(value.nbytes for value in weights.values())):
        save_file(weights, build.folder / WEIGHTS)
    measured = {
        "parameters": sum(value.numel() for value in kept.parameters()),
        "images": len(pixels),
        "final_loss": round(history[-1]["train_loss"], 4),
    }
    job.finish(measured)
    print(f"loss {history[-1]['train_loss']:.4f} over {len(pixels)} images")


def _supervised(network: nn.Module, pixels: Tensor, labels: Tensor, batch: Sequence[int], *_: Any) -> Tensor:
    """Adds the gradient of the mean cross entropy to truth."""
    loss = cross_entropy(network(pixels[batch]), labels[batch])
    loss.backward()
    return loss.detach()


def _unlabelled(network: nn.Module, pixels: Tensor, batch: Sequence[int], *_: Any) -> Tensor:
    """Adds the gradient of the Barlow Twins loss of two views of each image."""
    chosen = pixels[batch]
    loss = redundancy(network(viewed(chosen)), network(viewed(chosen)))
    loss.backward()
    return loss.detach()


def load(model: Path, images: Path) -> nn.Module:
    """The trained network of an artifact: a classifier of these images, or a feature extractor."""
    spec = NetworkSpec.from_spec(artifacts.read(model)["spec"])
    network: nn.Module = Small(spec.width)
    if spec.labels == "truth":
        network = Classifier(spec.width, artifacts.read(images)["measured"]["classes"])
    network.load_state_dict(load_file(model / WEIGHTS))
    return network.eval().requires_grad_(requires_grad=False)
