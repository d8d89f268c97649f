"""Small networks for 8 x 8 images, and how an image is shifted, turned and scaled for learning without labels."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

SIDE = 8  # pixels
DEGREES, SHIFT, SCALE, NOISE = 15.0, 1.0, 0.1, 0.1  # at most: turned, pixels, stretched; noise's deviation


class Small(nn.Module):
    """Three convolutions, the last two of which halve the side; no state beside its weights."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = 2 * width * (SIDE // 4) ** 2
        self.layers = nn.Sequential(
            *_layer(1, width, stride=1),
            *_layer(width, 2 * width, stride=2),
            *_layer(2 * width, 2 * width, stride=2),
            nn.Flatten(),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 8, 8) in [0, 1] -> features (n, 8 times the width)."""
        features: Tensor = self.layers(images)
        return features


def _layer(channels: int, out: int, *, stride: int) -> list[nn.Module]:
    return [nn.Conv2d(channels, out, 3, stride=stride, padding=1), nn.GroupNorm(1, out), nn.ReLU()]


class Classifier(nn.Module):
    """A small network with a linear layer behind it: a supervisor."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.body = Small(width)
        self.head = nn.Linear(self.body.width, classes)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> logits (n, classes)."""
        logits: Tensor = self.head(self.body(images))
        return logits


class Twins(nn.Module):
    """A small network behind which two views of an image are compared (Zbontar et al. 2021, Barlow Twins)."""

    def __init__(self, width: int, projected: int = 64) -> None:
        super().__init__()
        self.body = Small(width)
        self.projector = nn.Sequential(
            nn.Linear(self.body.width, 2 * projected), nn.ReLU(), nn.Linear(2 * projected, projected)
        )

    def forward(self, images: Tensor) -> Tensor:
        """(n, 1, 8, 8) -> (n, projected), each column with mean 0 and deviation 1 over the batch."""
        projected: Tensor = self.projector(self.body(images))
        return (projected - projected.mean(0)) / (projected.std(0) + 1e-4)


def redundancy(one: Tensor, other: Tensor, weight: float = 0.02) -> Tensor:
    """The Barlow Twins loss of two views, (n, d) each: their correlations (d, d) should be the identity."""
    correlations = one.T @ other / len(one)
    same = correlations.diagonal()
    loss: Tensor = (1 - same).square().sum() + weight * (correlations.square().sum() - same.square().sum())
    return loss


def viewed(images: Tensor) -> Tensor:
    """The same images (n, 1, 8, 8), each turned, shifted and stretched a little at random, with noise."""

    def chance() -> Tensor:
        return torch.rand(len(images), device=images.device) * 2 - 1

    angle, scale = chance() * (DEGREES * math.pi / 180), 1 + SCALE * chance()
    rows = [scale * angle.cos(), -scale * angle.sin(), chance() * SHIFT * 2 / SIDE]
    rows += [scale * angle.sin(), scale * angle.cos(), chance() * SHIFT * 2 / SIDE]
    grid = affine_grid(torch.stack(rows, dim=1).view(-1, 2, 3), list(images.shape), align_corners=False)
    return grid_sample(images, grid, align_corners=False) + NOISE * torch.randn_like(images)
