"""Networks of two libraries by their names: transformers' image models, and torchvision's classifiers.

The features of a classifier are what enters its last linear layer. Of a model without one they are what its library
calls pooled, or else its class token, or the mean over places.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from w2s.errors import UserError, allowed, first_line
from w2s.models import base
from w2s.vision.config import TORCHVISION
from w2s.vision.images import Pixels
from w2s.vision.networks import published

if TYPE_CHECKING:
    from PIL.Image import Image

CLASSIFIER = "ForImageClassification"  # ends the names of transformers' classes with classes
POOLER = "pooler."  # weights that models without a classifier may lack: then nothing is pooled


def folder_of(weights: Mapping[str, Any], place: Mapping[str, Any], wanted_by: str) -> Path:
    """The folder of a model in transformers' layout, fetched if it must be; UserError if it has changed."""
    if "hub" in weights:
        return base.fetch(weights["hub"], weights["revision"], wanted_by)
    folder = Path(place["weights"])
    base.check_content(folder, weights["files"], wanted_by)
    return folder


def from_transformers(folder: Path, wanted_by: str, *, classes: bool) -> tuple[nn.Module, Callable[[Image], Pixels]]:
    """(the network, its own preprocessing). classes: it gives logits in place of features.

    UserError for what is no image model, lacks weights, or has no classes where these are wanted.
    """
    from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoModelForImageClassification

    where = f"{wanted_by}: {folder}"
    options: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    try:
        named = (AutoConfig.from_pretrained(folder, **options).architectures or [""])[0]
        classifies = named.endswith(CLASSIFIER)
        kind: Any = AutoModelForImageClassification if classifies else AutoModel
        model, loaded = kind.from_pretrained(
            folder, **options, dtype=torch.float32, weights_only=True, output_loading_info=True
        )
        # Pillow alone, whether or not torchvision, which resizes a little differently, is installed.
        processor = AutoImageProcessor.from_pretrained(folder, **options, backend="pil")
    except Exception as error:  # whatever libraries say of files that are not what they should be
        raise UserError(f"{where} is not an image model that can be loaded ({first_line(error)})") from None
    if model.main_input_name != "pixel_values":
        raise UserError(f"{where}: {type(model).__name__} takes {model.main_input_name}, no images")
    absent = sorted(loaded["missing_keys"])
    if lacking := [name for name in absent if classifies or not name.startswith(POOLER)]:
        raise UserError(f"{where} lacks {len(lacking)} weights, first {lacking[0]}")
    if classes and not classifies:
        raise UserError(f"{where}: {named or type(model).__name__} has no classes to label with; give it a probe")
    if classifies:
        network = _Read(model if classes else without_classifier(model, where), lambda found: found.logits)
    else:
        tokens = any(name.rpartition(".")[2] == "cls_token" for name, _ in model.named_parameters())
        network = _Read(model, lambda found: _summary(found, pooled=not absent, class_token=tokens))

    def prepare(image: Image) -> Pixels:
        return np.asarray(processor(image, return_tensors="np")["pixel_values"][0], dtype=np.float32)

    return _frozen(network), prepare


def from_torchvision(name: str, file: Path, wanted_by: str, *, classes: bool) -> nn.Module:
    """A classifier of torchvision with the weights of a file. classes: it gives logits in place of features."""
    try:
        models: Any = importlib.import_module("torchvision").models  # by name: it may not be there
    except (ImportError, RuntimeError) as error:  # the latter where it was built for another torch
        raise UserError(
            f"{wanted_by}: torchvision cannot be imported ({first_line(error)}); install its build for this torch, "
            f"{torch.__version__}"
        ) from None
    known = models.list_models(models)
    if name not in known:
        raise UserError(f"{wanted_by}: torchvision has no classifier {name!r}; {allowed(name, known)[:200]}")
    network: nn.Module = models.get_model(name, weights=None)
    weights = published.read(file, wanted_by)
    network.load_state_dict(published.fitted(network, weights, f"{TORCHVISION}{name}", f"{wanted_by}: {file}"))
    return _frozen(network if classes else without_classifier(network, f"{wanted_by}: {name}"))


def without_classifier(network: nn.Module, where: str) -> nn.Module:
    """The same network without its last linear layer, so that it gives what enters it."""
    layers = [name for name, module in network.named_modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise UserError(f"{where} has no linear layer behind its features; use code of your own, module:function")
    parent, _, name = layers[-1].rpartition(".")
    setattr(network.get_submodule(parent), name, nn.Identity())
    return network


class _Read(nn.Module):
    """A model of transformers, and what is read of its outputs."""

    def __init__(self, model: nn.Module, read: Callable[[Any], Tensor]) -> None:
        super().__init__()
        self.model = model
        self.read = read

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, height, width) -> (n, width)."""
        return self.read(self.model(pixel_values=images))


def _summary(found: Any, *, pooled: bool, class_token: bool) -> Tensor:
    """(n, width): pooled, or of the last states (n, tokens, width) or (n, width, height, width)."""
    of_library = getattr(found, "pooler_output", None)
    if pooled and of_library is not None:
        summary: Tensor = of_library.flatten(1)
        return summary
    states: Tensor = found.last_hidden_state
    if states.ndim == 4:
        return states.mean((2, 3))
    return states[:, 0] if class_token else states.mean(1)


def _frozen(network: nn.Module) -> nn.Module:
    return network.eval().requires_grad_(requires_grad=False)
