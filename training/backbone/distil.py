"""Train the student: ``python -m training.backbone.distil --teacher FILE``."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from .feed import Batch, Source, ahead, repeated, statistics_of
from .optimisers import Average, optimisers_for
from .progress import Progress, Settings, load, rate_share, save, say
from .quality import Quality, explained, held_out_targets
from .student import PLANS, Student, parameter_count
from .teacher import CHANNELS, Statistics, Teacher, prepare

WEIGHTS = {4: 0.5, 8: 1.0, 16: 1.0}


def loss_of(maps: dict[int, Tensor], targets: dict[int, np.ndarray]) -> Tensor:
    """Weighted mean squared error over the maps."""
    parts = [
        WEIGHTS[s] * nn.functional.mse_loss(m.float(), torch.from_numpy(targets[s]).float())
        for s, m in maps.items()
    ]
    return torch.stack(parts).sum()


def learn(
    network: nn.Module, optimisers: list[Optimizer], crops: np.ndarray, targets: Any, rate: float
) -> float:
    """One optimiser step on prepared crops (N, 3, S, S); returns the loss."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group.setdefault("peak", group["lr"]) * rate
        optimiser.zero_grad(set_to_none=True)
    pictures = torch.from_numpy(crops).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        maps = network(pictures)
    loss = loss_of(maps, targets)
    loss.backward()
    for optimiser in optimisers:
        optimiser.step()
    return float(loss.detach())


class Run:
    """A training run in a folder: checkpoint.pt, curve.json and the pool of pictures."""

    def __init__(self, settings: Settings, teacher: Path, folder: Path, pool: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(settings.seed)
        self.settings, self.folder, self.progress = settings, folder, Progress()
        self.teacher = Teacher(teacher, tuple(CHANNELS))
        self.source = Source(
            teacher, pool, settings.pool, settings.batch, settings.side, settings.fresh,
            settings.seed,
        )  # fmt: skip
        self.network = Student(PLANS[settings.plan], CHANNELS).to(memory_format=torch.channels_last)
        self.optimisers = optimisers_for(self.network, settings.optimiser, settings.rate)
        self.average = Average(self.network)
        self.statistics = statistics_of(self.source, self.teacher)
        self.tests = held_out_targets(self.teacher, self.statistics)
        say(f"{settings} {parameter_count(self.network):,} parameters")

    def _step(self, feed: Iterator[Batch]) -> float:
        crops, targets = next(feed)
        rate = rate_share(self.progress.share(self.settings))
        loss = learn(self.network, self.optimisers, prepare(crops), targets, rate)
        self.average.update(self.network)
        self.progress.crops += len(crops)
        return loss

    def train(self, report_every: float) -> None:
        """Step until the budget is spent, with a report and a checkpoint every so many minutes."""
        losses: list[float] = []
        feed = ahead(self.source, self.statistics, self.progress.crops)
        feed = repeated(feed) if self.settings.twice else feed
        usual, reported = 1.0, self.progress.active
        while self.progress.share(self.settings) < 1:
            began = time.monotonic()
            losses.append(self._step(feed))
            took = time.monotonic() - began
            usual += 0.05 * (min(took, 4 * usual) - usual)
            self.progress.active += min(took, 4 * usual)
            self.progress.wall += took
            if self.progress.active - reported > 60 * report_every:
                self.report(float(np.mean(losses)))
                losses, reported = [], self.progress.active
        self.report(float(np.mean(losses or [0.0])))

    def report(self, loss: float) -> None:
        """Measure the averaged weights on held-out pictures, print, save."""
        student = Student(PLANS[self.settings.plan], CHANNELS)
        student.load_state_dict(self.average.state)
        scores: Quality = explained(student, self.tests)
        row = {
            "crops": self.progress.crops,
            "minutes": round(self.progress.active / 60, 2),
            "wall": round(self.progress.wall / 60, 2),
            "loss": round(loss, 4),
            **scores,
        }
        self.progress.curve.append(row)
        say(json.dumps(row))
        (self.folder / "curve.json").write_text(json.dumps(self.progress.curve, indent=1))
        save(
            self.folder / "checkpoint.pt", settings=asdict(self.settings),
            progress=asdict(self.progress), teacher=self.teacher.digest,
            student=self.network.state_dict(), average=self.average.state,
            averaged=self.average.count, optimisers=[o.state_dict() for o in self.optimisers],
            mean={s: torch.from_numpy(v) for s, v in self.statistics.mean.items()},
            deviation={s: torch.from_numpy(v) for s, v in self.statistics.deviation.items()},
        )  # fmt: skip

    def resume(self) -> None:
        """Go on from the folder's checkpoint, under the present crops and minutes."""
        content = load(self.folder / "checkpoint.pt")
        self.progress = Progress(**content["progress"])
        self.network.load_state_dict(content["student"])
        self.average.state, self.average.count = content["average"], content["averaged"]
        for optimiser, state in zip(self.optimisers, content["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        self.statistics = Statistics(
            {s: v.numpy() for s, v in content["mean"].items()},
            {s: v.numpy() for s, v in content["deviation"].items()},
        )
        self.tests = held_out_targets(self.teacher, self.statistics)


def main() -> None:
    """Parse the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--teacher", type=Path, required=True)
    parser.add_argument("--folder", type=Path, default=Path("run"))
    parser.add_argument("--pool-file", type=Path, default=Path("pool.npy"))
    parser.add_argument("--report-every", type=float, default=4.0, help="minutes")
    parser.add_argument("--pid-file", type=Path)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true")
    for name, value in asdict(Settings()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    given = parser.parse_args()
    if given.pid_file:
        given.pid_file.write_text(str(os.getpid()))
    torch.set_num_threads(given.threads)
    settings = Settings(**{name: getattr(given, name) for name in asdict(Settings())})
    run = Run(settings, given.teacher, given.folder, given.pool_file)
    if given.resume:
        run.resume()
    run.train(given.report_every)


if __name__ == "__main__":
    main()
