"""Networks with published weights: where these lie, and how they are loaded.

AlexNet has torchvision's names, ResNet-50 torchvision's, ViT-B/8 DINO's (which are timm's) or transformers'. Weights
are data: files of safetensors, or pickles of tensors that are read without executing anything.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from w2s.engine import hub, space
from w2s.engine.sources import unchanged
from w2s.errors import UserError, allowed, first_line
from w2s.vision.networks import vit
from w2s.vision.networks.alexnet import AlexNet
from w2s.vision.networks.resnet import ResNet
from w2s.vision.networks.vit import ViT

ARCHITECTURES: dict[str, Callable[[], nn.Module]] = {"alexnet": AlexNet, "resnet50": ResNet, "vit_b8": ViT}
PARAMETERS = {"alexnet": 61_100_840, "resnet50": 23_508_032, "vit_b8": 85_807_872}
TOKENS = {"alexnet": 64, "resnet50": 256, "vit_b8": 785}  # that one image counts for when memory is shared out
WITHOUT_CLASSIFIER = ("resnet50", "vit_b8")
LEFT_OUT = ("fc.", "head.", "pooler.", "classifier.")  # of these: only what is before the classifier is used
NOT_LEARNED = "num_batches_tracked"
FILES = ("model.safetensors", "pytorch_model.bin")  # of a folder or a hub repository, the first that is there
PREFETCH = "on a machine with network and the same TORCH_HOME, run `w2s fetch [EXPERIMENT]`"


def load(architecture: str, file: Path, wanted_by: str) -> nn.Module:
    """The network with its weights, ready to be used; UserError in one line where they do not fit it."""
    with torch.device("meta"):
        network = ARCHITECTURES[architecture]()
    network.load_state_dict(fitted(network, read(file, wanted_by), architecture, f"{wanted_by}: {file}"), assign=True)
    return network.eval().requires_grad_(requires_grad=False)


def fitted(network: nn.Module, weights: Mapping[str, Tensor], architecture: str, where: str) -> dict[str, Tensor]:
    """The weights that a network has, float32; UserError for one that is missing, of another shape, or too many."""
    if architecture in WITHOUT_CLASSIFIER:
        weights = vit.renamed(weights)
        weights = {name: value for name, value in weights.items() if not name.startswith(LEFT_OUT)}
    found = {}
    for name, mine in network.state_dict().items():
        if name.endswith(NOT_LEARNED):
            found[name] = torch.zeros((), dtype=torch.long)
        elif name not in weights:
            raise UserError(f"{where}: no weights {name!r} in it; {allowed(name, weights, what='available')[:200]}")
        elif weights[name].shape != mine.shape:
            there, right = tuple(weights[name].shape), tuple(mine.shape)
            raise UserError(f"{where}: {name!r} has shape {there}, expected {right} for {architecture}")
        else:
            found[name] = weights[name].float()
    more = [name for name in weights if name not in found and not name.endswith(NOT_LEARNED)]
    if more:
        raise UserError(f"{where}: {len(more)} weights that {architecture} does not have, first {more[0]!r}")
    return found


def read(file: Path, wanted_by: str) -> dict[str, Tensor]:
    """Name -> weights of a file, without the wrappings that some have; UserError if it cannot be read as such."""
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return dict(load_file(file))
        content: Any = torch.load(file, map_location="cpu", weights_only=True, mmap=False)
    except (OSError, RuntimeError, ValueError, EOFError, SafetensorError, pickle.UnpicklingError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else first_line(error)
        raise UserError(f"{wanted_by}: {file} cannot be read as weights ({reason})") from None
    for name in ("state_dict", "model"):
        if isinstance(content, Mapping) and isinstance(content.get(name), Mapping):
            content = content[name]
    if not isinstance(content, Mapping) or not all(isinstance(value, Tensor) for value in content.values()):
        raise UserError(f"{wanted_by}: {file} is not a state dict (weights by name)")
    return {str(name).removeprefix("module."): value for name, value in content.items()}


def file_of(weights: Mapping[str, Any], place: Mapping[str, Any], wanted_by: str) -> Path:
    """The file of the weights that a spec names, fetched if it must be. place: ``weights``, a local one's path."""
    if "hub" in weights:
        return fetch_from_hub(weights["hub"], weights["revision"], wanted_by)
    if "address" in weights:
        return fetch_from_address(weights["address"], wanted_by)
    unchanged([place["weights"]], weights["file"], wanted_by)
    return Path(place["weights"])


def fetch_from_hub(repository: str, revision: str, wanted_by: str) -> Path:
    """The weights of a hub repository: safetensors, or where it has none the older kind."""
    for name in FILES:
        path = hub.snapshot(repository, "model", revision, [name, "config.json"], wanted_by=wanted_by) / name
        if path.is_file():
            return path
    raise UserError(f"{wanted_by}: {repository!r} at {revision} has no weights ({' or '.join(FILES)})")


def fetch_from_address(address: str, wanted_by: str) -> Path:
    """A file of the web in torch's own cache, where torchvision and torch.hub keep theirs.

    A name that ends in a dash and eight or more hex digits, as torchvision's do, is checked against the content.
    """
    name = address.rsplit("/", 1)[-1]
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    if path.is_file():
        return path
    digest = re.search(r"-([0-9a-f]{8,})\.", name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(address, str(path), digest.group(1) if digest else None, progress=False)
    except (OSError, RuntimeError) as error:  # urllib's errors are OSErrors; a wrong hash is a RuntimeError
        if space.is_full(error):
            raise UserError(f"{wanted_by}: {space.said(path)}") from None
        raise UserError(
            f"{wanted_by}: {address} is not at {path} and cannot be fetched ({first_line(error)}); {PREFETCH}, "
            "or put the file there"
        ) from None
    return path
