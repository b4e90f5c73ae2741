"""A small segmenter that is fast on CPUs: an encoder of strides 2 to 16, by default the embedded backbone.

The embedded backbone was distilled with full convolutions, which matrix units run faster than depthwise ones. In its
file the batch norms are folded into the convolutions; for training they are unfolded again (`LightUNet.unfold`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from flawline.errors import ModelError

STEM = 32
STAGES = ((48, 2), (64, 3), (128, 6))
"""Channels and blocks of the embedded backbone at strides 4, 8 and 16."""
WIDTHS = (32, 48, 64)
"""Channels of the decoder at strides 2, 4 and 8."""


class LightUNet(nn.Module):  # type: ignore[misc]
    """(N, 3, H, W) -> logits (N, classes, H, W), computed at stride 2; H and W are multiples of `multiple`."""

    multiple = 16

    def __init__(self, classes: int, encoder: Any, channels: Sequence[int]) -> None:
        """`encoder` gives maps of strides 2, 4, 8 and 16 with these `channels`."""
        super().__init__()
        self.encoder = encoder
        below = (*WIDTHS[1:], channels[3])
        self.join = nn.ModuleList(
            _normed(nn.Conv2d(deep + skip, width, 3, padding=1, bias=False), nn.ReLU)
            for deep, skip, width in zip(below, channels, WIDTHS, strict=False)
        )
        self.head = nn.Conv2d(WIDTHS[0], classes, 1)

    def forward(self, image: Any) -> Any:
        """Compute logits of prepared pictures."""
        *fine, x = self.encoder(image)[-4:]
        for join, skip in zip(reversed(self.join), reversed(fine), strict=True):
            x = join(torch.cat([functional.interpolate(x, scale_factor=2), skip], 1))
        # Bilinear only here: above it costs more than the convolution that smooths the nearest neighbours anyway.
        # The few channels are enlarged faster in float32 and as contiguous maps.
        logits = self.head(x).float().contiguous()
        return functional.interpolate(logits, scale_factor=2, mode="bilinear", align_corners=False)

    def unfold(self, images: Any) -> None:
        """Set the batch norms of the embedded encoder to the statistics of prepared pictures, (N, 3, H, W).

        Each is set to undo itself, so that the encoder gives the same maps as without them; training from there is
        normalised by batches.
        """

        def set_statistics(norm: Any, inputs: tuple[Any, ...]) -> None:
            mean, variance = inputs[0].mean((0, 2, 3)), inputs[0].var((0, 2, 3), unbiased=False)
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_((variance + norm.eps).sqrt())
            norm.bias.add_(mean)

        norms = [part for part in self.encoder.modules() if isinstance(part, nn.BatchNorm2d)]
        hooks = [norm.register_forward_pre_hook(set_statistics) for norm in norms]
        training = self.encoder.training
        try:
            with torch.no_grad():
                self.encoder.eval()(images)
        finally:
            self.encoder.train(training)
            for hook in hooks:
                hook.remove()


class EmbeddedEncoder(nn.Module):  # type: ignore[misc]
    """The layers of the embedded backbone: prepared pictures to maps of strides 2, 4, 8 and 16."""

    channels = (STEM, *(channels for channels, _ in STAGES))

    def __init__(self) -> None:
        super().__init__()
        self.stem = _convolution(3, STEM, 3, 2)
        self.stages = nn.ModuleList()
        inside = STEM
        for channels, blocks in STAGES:
            steps = []
            for block in range(blocks):
                steps.append(_Block(inside, channels, 1 if block else 2))
                inside = channels
            self.stages.append(nn.Sequential(*steps))

    def forward(self, image: Any) -> list[Any]:
        """Compute the maps, finest first."""
        maps = [self.stem(image)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps

    def load_folded(self, path: Path) -> None:
        """Load weights and biases from the file of the backbone; call `LightUNet.unfold` afterwards.

        Raises:
            ModelError: the file does not hold these convolutions.
        """
        folded = folded_convolutions(path)
        pairs = [
            (convolution, norm)
            for convolution, norm in zip(
                (part for part in self.modules() if isinstance(part, nn.Conv2d)),
                (part for part in self.modules() if isinstance(part, nn.BatchNorm2d)),
                strict=True,
            )
        ]
        if [tuple(weight.shape) for weight, _ in folded] != [
            tuple(c.weight.shape) for c, _ in pairs
        ]:
            raise ModelError(f"{path.name} does not hold the embedded backbone")
        with torch.no_grad():
            for (convolution, norm), (weight, bias) in zip(pairs, folded, strict=True):
                convolution.weight.copy_(weight)
                norm.weight.fill_(1)
                norm.bias.copy_(bias)


def folded_convolutions(path: Path) -> list[tuple[Any, Any]]:
    """Read weights and biases of the convolutions in an ONNX file in the order in which they run, without the heads."""
    import onnx

    graph = onnx.load(path).graph
    arrays = {each.name: onnx.numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "Cast" and node.input[0] in arrays:
            arrays[node.output[0]] = arrays[node.input[0]]
    return [
        tuple(torch.from_numpy(arrays[name].astype("float32")) for name in node.input[1:3])
        for node in graph.node
        if node.op_type == "Conv" and ".heads." not in node.input[1]
    ]


class _Block(nn.Module):  # type: ignore[misc]
    """A 3x3 convolution to twice the width and a 1x1 projection, added to the input where the shapes agree."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.widen = _convolution(inside, 2 * inside, 3, stride)
        project = nn.Conv2d(2 * inside, outside, 1, bias=False)
        self.project = nn.Sequential(project, nn.BatchNorm2d(outside))
        self.residual = stride == 1 and inside == outside

    def forward(self, x: Any) -> Any:
        change = self.project(self.widen(x))
        return x + change if self.residual else change


def _convolution(inside: int, outside: int, side: int, stride: int) -> Any:
    # Padded below and to the right only where the stride is 2, as the backbone was trained.
    edge = nn.ZeroPad2d((0, 1, 0, 1)) if stride == 2 else nn.Identity()
    padding = 0 if stride == 2 else side // 2
    convolution = nn.Conv2d(inside, outside, side, stride, padding, bias=False)
    return nn.Sequential(edge, *_normed(convolution, nn.ReLU6))


def _normed(convolution: Any, activation: Any) -> Any:
    return nn.Sequential(
        convolution, nn.BatchNorm2d(convolution.out_channels), activation(inplace=True)
    )
