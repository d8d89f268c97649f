"""AlexNet as torchvision has it: the supervisor of Appendix D.1. Names are those of its published weights."""

from __future__ import annotations

from torch import Tensor, nn

CLASSES = 1000


class AlexNet(nn.Module):
    """Five convolutions and three linear layers; dropout, since it is never trained here, does nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 64, 11, stride=4, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(64, 192, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
            nn.Conv2d(192, 384, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(384, 256, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(256, 256, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(3, stride=2),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(6)
        self.classifier = nn.Sequential(
            nn.Dropout(),
            nn.Linear(256 * 6 * 6, 4096),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(4096, 4096),
            nn.ReLU(),
            nn.Linear(4096, CLASSES),
        )

    def forward(self, images: Tensor) -> Tensor:
        """(n, 3, height, width), normalised, 63 pixels a side at least -> logits (n, 1000)."""
        logits: Tensor = self.classifier(self.avgpool(self.features(images)).flatten(1))
        return logits
