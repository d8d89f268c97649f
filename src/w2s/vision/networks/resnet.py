"""ResNet-50 without its classifier, as DINO published it: a student of Appendix D.1. Names are torchvision's."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

EXPANSION = 4  # channels that leave a bottleneck, of those inside


class Bottleneck(nn.Module):
    """1x1, 3x3 (which carries the stride) and 1x1 convolutions around a shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        out = width * EXPANSION
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, out, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(out)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1 or channels != out:
            self.downsample = nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))

    def forward(self, x: Tensor) -> Tensor:
        """(n, channels, h, w) -> (n, 4 width, h / stride, w / stride)."""
        inside = torch.relu(self.bn1(self.conv1(x)))
        inside = torch.relu(self.bn2(self.conv2(inside)))
        out: Tensor = self.bn3(self.conv3(inside)) + self.downsample(x)
        return torch.relu(out)


class ResNet(nn.Module):
    """Four stages of bottlenecks; (3, 4, 6, 3) of width 64 are ResNet-50."""

    def __init__(self, blocks: Sequence[int] = (3, 4, 6, 3), width: int = 64) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        channels = width
        for number, count in enumerate(blocks):
            inner, stride = width * 2**number, 1 if number == 0 else 2
            stage = [Bottleneck(channels, inner, stride)]
            channels = inner * EXPANSION
            stage += [Bottleneck(channels, inner, 1) for _ in range(count - 1)]
            self.add_module(f"layer{number + 1}", nn.Sequential(*stage))
        self.stages = len(blocks)

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, height, width), normalised -> features (n, 2048), averaged over places."""
        x = self.maxpool(torch.relu(self.bn1(self.conv1(images))))
        for number in range(self.stages):
            x = self.get_submodule(f"layer{number + 1}")(x)
        features: Tensor = x.mean((2, 3))
        return features
