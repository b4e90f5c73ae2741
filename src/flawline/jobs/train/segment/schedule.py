"""How far a training has come, its learning rate, and the moving average of its weights."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from flawline.jobs.train.segment.segment_settings import SegmentSettings

_FLOOR = 0.01


@dataclass(slots=True)
class Clock:
    """Seconds spent on a training, those before it was resumed included."""

    before: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        """Seconds so far."""
        return self.before + time.monotonic() - self.began


def progress(
    settings: SegmentSettings, step: int, steps: int, seconds: float, reserve: float
) -> float:
    """The done share of a training, 0 to 1, by steps or by time, whichever is further.

    `step` of all epochs, `steps` in an epoch, `reserve` seconds to be left for the last validation.
    """
    shares = [0.0]
    if settings.epochs is not None:
        shares.append(step / (settings.epochs * steps))
    if settings.minutes is not None:
        shares.append(seconds / max(60 * settings.minutes - reserve, 1e-9))
    return min(1.0, max(shares))


def learning_rate(settings: SegmentSettings, share: float) -> float:
    """A linear rise over the share `warm_up`, then half a cosine down to a hundredth of the highest rate.

    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq. 5, without
    restarts.
    """
    if share < settings.warm_up:
        return settings.rate * max(share / settings.warm_up, _FLOOR)
    along = (share - settings.warm_up) / max(1 - settings.warm_up, 1e-9)
    return settings.rate * (_FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * along)))


class Average:
    """An exponential moving average of the weights of a network, and of the statistics of its batch norms.

    The decay rises to its full value as (1 + n) / (10 + n) with the steps n, so that the first weights fade soon.
    """

    def __init__(self, network: Any, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay = decay
        # Gathered once: in a small network that takes as long as the average itself.
        kept, new = self.network.state_dict(), network.state_dict()
        self._pairs = [(kept[name], new[name]) for name in new]

    def update(self, step: int) -> None:
        """Take in the weights of the network after a step, counted from 1; they are changed in place only."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for kept, new in self._pairs:
                if kept.dtype.is_floating_point:
                    kept.lerp_(new, share)
                else:
                    kept.copy_(new)
