"""The student: inverted residual blocks down to stride 16, and one linear read-out per map.

Down-sampling pads right and below only, as the teacher does: with even padding every map would sit
half a pixel beside its target.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class Stage:
    """A run of blocks: ``channels`` wide, ``repeats`` long, ``expansion`` inside, first ``stride``.

    ``dense`` replaces the expansion and depthwise pair by one full 3x3 convolution.
    """

    channels: int
    repeats: int
    stride: int
    expansion: int
    dense: bool = False


@dataclass(frozen=True)
class Plan:
    """Width of the stem (stride 2), the stages after it, and the channels of every map read out."""

    stem: int
    stages: tuple[Stage, ...]


PLANS: dict[str, Plan] = {
    "twin": Plan(32, (Stage(16, 1, 1, 1), Stage(24, 2, 2, 6), Stage(32, 3, 2, 6),
                      Stage(64, 4, 2, 6), Stage(96, 3, 1, 6))),
    "lean": Plan(32, (Stage(48, 2, 2, 2, True), Stage(64, 3, 2, 2, True),
                      Stage(128, 4, 2, 2, True))),
    "deep": Plan(32, (Stage(48, 2, 2, 2, True), Stage(64, 3, 2, 2, True),
                      Stage(128, 6, 2, 2, True))),
    "mixed": Plan(32, (Stage(48, 2, 2, 2, True), Stage(64, 3, 2, 2, True),
                       Stage(128, 6, 2, 4))),
    "light": Plan(32, (Stage(32, 2, 2, 2, True), Stage(64, 2, 2, 3, True),
                       Stage(128, 4, 2, 3))),
}  # fmt: skip


class Convolution(nn.Sequential):
    """Convolution and batch norm, then ReLU6 when ``active``; a size S becomes S // stride."""

    def __init__(
        self, inside: int, outside: int, size: int, stride: int = 1, groups: int = 1,
        active: bool = True,
    ) -> None:  # fmt: skip
        padding = size // 2 if stride == 1 else 0
        layers: list[nn.Module] = [nn.ZeroPad2d((0, 1, 0, 1))] if stride == 2 else []
        layers.append(nn.Conv2d(inside, outside, size, stride, padding, 1, groups, bias=False))
        layers.append(nn.BatchNorm2d(outside))
        if active:
            layers.append(nn.ReLU6())
        super().__init__(*layers)


class Block(nn.Module):
    """Expand, filter 3x3, project; added to its input where the shapes agree."""

    def __init__(self, inside: int, stage: Stage, stride: int) -> None:
        super().__init__()
        hidden, layers = inside * stage.expansion, []
        if stage.dense:
            layers.append(Convolution(inside, hidden, 3, stride))
        else:
            if stage.expansion > 1:
                layers.append(Convolution(inside, hidden, 1))
            layers.append(Convolution(hidden, hidden, 3, stride, groups=hidden))
        layers.append(Convolution(hidden, stage.channels, 1, active=False))
        self.body = nn.Sequential(*layers)
        self.residual = stride == 1 and inside == stage.channels

    def forward(self, x: Tensor) -> Tensor:
        """(N, inside, H, W) -> (N, channels, H/stride, W/stride)."""
        change: Tensor = self.body(x)
        return x + change if self.residual else change


class Student(nn.Module):
    """Maps of the picture at strides 4, 8 and 16 in the teacher's channels, standardised."""

    def __init__(self, plan: Plan, channels: dict[int, int]) -> None:
        super().__init__()
        self.stem = Convolution(3, plan.stem, 3, 2)
        self.steps, self.heads = nn.ModuleList(), nn.ModuleDict()
        self.read_after: list[int] = []
        inside, stride = plan.stem, 2
        for index, stage in enumerate(plan.stages):
            stride *= stage.stride
            blocks = []
            for repeat in range(stage.repeats):
                blocks.append(Block(inside, stage, stage.stride if repeat == 0 else 1))
                inside = stage.channels
            self.steps.append(nn.Sequential(*blocks))
            last = index + 1 == len(plan.stages) or plan.stages[index + 1].stride == 2
            self.read_after.append(stride if last and stride in channels else 0)
            if self.read_after[-1]:
                self.heads[str(stride)] = nn.Conv2d(inside, channels[stride], 1)

    def forward(self, x: Tensor) -> dict[int, Tensor]:
        """Prepared pictures (N, 3, H, W) -> stride: map (N, C, H/stride, W/stride)."""
        maps, x = {}, self.stem(x)
        for step, stride in zip(self.steps, self.read_after, strict=True):
            x = step(x)
            if stride:
                maps[stride] = self.heads[str(stride)](x)
        return maps


def parameter_count(module: nn.Module) -> int:
    """Trainable numbers in the module."""
    return sum(p.numel() for p in module.parameters())
