"""The original U-Net with half its filters.

O. Ronneberger, P. Fischer and T. Brox, "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015,
figure 1 and section 2: two 3x3 convolutions with ReLU on each of five levels, 2x2 max pooling, 2x2 up-convolutions, the
skip connections on each level, a 1x1 convolution at the end; weights drawn with deviation sqrt(2 / inputs) and
drop-out at the end of the contracting path (section 3). There is no batch norm in it. Convolutions are padded here, so
that the map has the size of the picture and nothing is cropped.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import torch
from torch import nn

FILTERS = (32, 64, 128, 256, 512)
_DROPPED = 0.5


class OriginalUNet(nn.Module):  # type: ignore[misc]
    """(N, 3, H, W) -> logits (N, classes, H, W); H and W are multiples of `multiple`."""

    multiple = 16

    def __init__(self, classes: int) -> None:
        super().__init__()
        inside = (3, *FILTERS[:-1])
        self.down = nn.ModuleList(map(_pair, inside, FILTERS))
        upwards = FILTERS[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 2, 2) for a, b in pairwise(upwards))
        self.join = nn.ModuleList(_pair(2 * b, b) for b in upwards[1:])
        self.head = nn.Conv2d(FILTERS[0], classes, 1)
        self.drop = nn.Dropout(_DROPPED)
        self.pool = nn.MaxPool2d(2)
        for part in self.modules():
            if isinstance(part, nn.Conv2d | nn.ConvTranspose2d):
                nn.init.kaiming_normal_(part.weight, nonlinearity="relu")
                nn.init.zeros_(part.bias)

    def forward(self, x: Any) -> Any:
        """Compute logits of prepared pictures."""
        skips = []
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            if level >= len(FILTERS) - 2:
                x = self.drop(x)
            skips.append(x)
        for widen, join, skip in zip(self.up, self.join, skips[-2::-1], strict=True):
            x = join(torch.cat([skip, widen(x)], 1))
        return self.head(x)


def _pair(inside: int, outside: int) -> Any:
    layers: list[Any] = []
    for channels in (inside, outside):
        layers += [nn.Conv2d(channels, outside, 3, padding=1), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers)
