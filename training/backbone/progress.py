"""What bounds a run, how far it has come, and its checkpoint on disk."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch


@dataclass(frozen=True)
class Settings:
    """What decides the result of a run.

    ``crops`` (seen, repeats included) and active ``minutes`` bound it, whichever ends first;
    ``fresh`` pictures of the pool are replaced for every batch made, and ``twice`` shows each
    batch again a little later.
    """

    plan: str = "deep"
    optimiser: str = "muon"
    rate: float = 4e-3
    batch: int = 32
    side: int = 128
    crops: int = 150_000
    minutes: float = 600.0
    pool: int = 16_000
    fresh: int = 1
    twice: int = 1
    seed: int = 1


@dataclass
class Progress:
    """How far a run has come. Active time leaves out steps during which the process was paused."""

    crops: int = 0
    active: float = 0.0
    wall: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    def share(self, settings: Settings) -> float:
        """Done part of the run, 0..1."""
        return max(self.crops / settings.crops, self.active / 60 / settings.minutes)


def say(text: str) -> None:
    """A line on standard error, with the time."""
    print(time.strftime("%H:%M:%S"), text, file=sys.stderr, flush=True)


def rate_share(share: float, warm: float = 0.02) -> float:
    """Part of the peak rate: a short rise, then half a cosine down to nothing."""
    if share < warm:
        return share / warm + 0.01
    return 0.5 + 0.5 * math.cos(math.pi * min(1.0, (share - warm) / (1 - warm)))


def save(path: Path, **content: Any) -> None:
    """Write a checkpoint so that a reader never meets half of one."""
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.rename(path)


def load(path: Path) -> dict[str, Any]:
    """A checkpoint that this module wrote: tensors and plain values only."""
    content: dict[str, Any] = torch.load(path, weights_only=True)
    return content
