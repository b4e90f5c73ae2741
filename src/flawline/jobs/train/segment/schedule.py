"""Progress of a training, its learning rate, and the moving average of its weights."""

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
    """Seconds spent on a training, including those before it was resumed."""

    before: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def seconds(self) -> float:
        """Return the seconds so far."""
        return self.before + time.monotonic() - self.began


def progress(
    settings: SegmentSettings, step: int, steps: int, seconds: float, reserve: float
) -> float:
    """Compute the finished share of a training, 0 to 1, by steps or by time, whichever is further.

    `step` counts over all epochs, `steps` are in an epoch, `reserve` seconds are left for the last validation.
    """
    shares = [0.0]
    if settings.epochs is not None:
        shares.append(step / (settings.epochs * steps))
    if settings.minutes is not None:
        shares.append(seconds / max(60 * settings.minutes - reserve, 1e-9))
    return min(1.0, max(shares))


def learning_rate(settings: SegmentSettings, share: float) -> float:
    """Compute the learning rate: a linear rise over the share `warm_up`, then half a cosine down to a hundredth.

    I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017, eq. 5, without
    restarts.
    """
    if share < settings.warm_up:
        return settings.rate * max(share / settings.warm_up, _FLOOR)
    along = (share - settings.warm_up) / max(1 - settings.warm_up, 1e-9)
    return settings.rate * (_FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * along)))


class Average:
    """Exponential moving average of the weights of a network, and of the statistics of its batch norms.

    The decay rises to its full value as (1 + n) / (10 + n) with the steps n, so that the first weights fade soon.
    """

    def __init__(self, network: Any, decay: float) -> None:
        self.network = copy.deepcopy(network).requires_grad_(False).eval()
        self._decay = decay
        # Collected once: in a small network that takes as long as the average itself.
        averaged, new = self.network.state_dict(), network.state_dict()
        self._pairs = [(averaged[name], new[name]) for name in new]

    def update(self, step: int) -> None:
        """Add the weights of the network after a step, counted from 1; they must change in place only."""
        share = 1 - min(self._decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for averaged, new in self._pairs:
                if averaged.dtype.is_floating_point:
                    averaged.lerp_(new, share)
                else:
                    averaged.copy_(new)
