"""A frozen network as the features stage uses it: how it is loaded, and how images are prepared for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from w2s.config import user_code
from w2s.errors import UserError, first_line
from w2s.vision.config import PAPERS, TORCHVISION, TRANSFORMERS
from w2s.vision.images import Pixels, cut
from w2s.vision.networks import libraries, published
from w2s.vision.specs import FeaturesSpec

if TYPE_CHECKING:
    from PIL.Image import Image

TOKENS = 256  # that one image counts for when memory is shared out, where the network is not known


@dataclass(frozen=True)
class Frozen:
    """A network that is not trained.

    network: (n, channels, height, width) -> (n, width), features or logits. prepare: an RGB image -> (3, height,
    width); bytes are normalised by ImageNet's statistics, other numbers are left as they are. None: the network takes
    digits of 8 x 8 pixels. tokens: that one image counts for when memory is shared out.
    """

    network: nn.Module
    prepare: Callable[[Image], Pixels] | None
    tokens: int = TOKENS


def load(spec: FeaturesSpec, environment: Mapping[str, Any], wanted_by: str) -> Frozen:
    """The published network of a spec; UserError in one line where it cannot be had. environment: where it lies."""
    assert spec.architecture is not None
    assert spec.weights is not None
    classes = spec.output == "probabilities" and spec.probe is None
    if spec.architecture == TRANSFORMERS:
        folder = libraries.folder_of(spec.weights, environment, wanted_by)
        return Frozen(*libraries.from_transformers(folder, wanted_by, classes=classes))
    if spec.code is not None:
        return _own(spec, environment, wanted_by)
    file = published.file_of(spec.weights, environment, wanted_by)
    prepare = partial(cut, resize=spec.preprocessing["resize"], crop=spec.preprocessing["crop"])
    if spec.architecture in PAPERS:
        network = published.load(spec.architecture, file, wanted_by)
        return Frozen(network, prepare, published.TOKENS[spec.architecture])
    name = spec.architecture.removeprefix(TORCHVISION)
    return Frozen(libraries.from_torchvision(name, file, wanted_by, classes=classes), prepare)


def _own(spec: FeaturesSpec, environment: Mapping[str, Any], wanted_by: str) -> Frozen:
    """What a user's own function makes of its weights: a network, and how it takes an image."""
    assert spec.code is not None
    make = user_code.load({"code": spec.code}, {"reference": spec.architecture})
    weights: dict[str, Tensor] = {}
    if spec.weights:
        weights = published.read(published.file_of(spec.weights, environment, wanted_by), wanted_by)
    try:
        made = make(weights)
    except UserError:
        raise
    except Exception as error:
        raise UserError(f"{wanted_by}: {spec.architecture}: {type(error).__name__}: {first_line(error)}") from None
    fits = isinstance(made, tuple) and len(made) == 2 and isinstance(made[0], nn.Module) and callable(made[1])
    if not fits:
        raise UserError(
            f"{wanted_by}: {spec.architecture} returned {type(made).__name__}; expected a pair: a torch module, and a "
            "function from an RGB image of PIL to what the module takes, (3, height, width)"
        )
    return Frozen(made[0].eval().requires_grad_(requires_grad=False), made[1])
