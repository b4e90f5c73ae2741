"""Measure finished backbones on real pictures given by path.

``python -m training.backbone.check --samples samples.csv A.onnx B.onnx``: patch memory of the good
training pictures, AUROC on the validation pictures, and pictures per second. Never trains.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnx
import openvino as ov
import torch
from numpy.typing import NDArray
from torch.nn import functional

from .teacher import prepare

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Labelled:
    """Prepared pictures (N, 3, S, S) and whether each shows a defect (N,)."""

    pictures: Floats
    defective: NDArray[np.bool_]


def read(samples: Path, split: str, side: int, good: str) -> Labelled:
    """Pictures of one split of a table with columns image, label and split."""
    with samples.open() as handle:
        rows = [row for row in csv.DictReader(handle) if row["split"] == split]
    pictures = []
    for row in rows:
        picture = cv2.imread(str(samples.parent / row["image"]), cv2.IMREAD_COLOR)
        if picture is None:
            raise FileNotFoundError(row["image"])
        pictures.append(cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA))
    return Labelled(prepare(np.stack(pictures)), np.array([r["label"] != good for r in rows]))


def auroc(scores: Floats, defective: NDArray[np.bool_]) -> float:
    """Chance that a defective picture scores above a good one; ties count half."""
    bad, good = scores[defective][:, None], scores[~defective][None, :]
    return float(np.mean((bad > good) + 0.5 * (bad == good)))


class Backbone:
    """An ONNX file with outputs stride8, stride16 and embedding, run by OpenVINO on two threads."""

    def __init__(self, path: Path, precision: str = "bf16") -> None:
        self.name = path.stem
        model = onnx.load(path)
        self.input = model.graph.input[0].name
        self._compiled = ov.Core().compile_model(
            path, "CPU",
            {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": 2,
             "PERFORMANCE_HINT": "LATENCY"},
        )  # fmt: skip

    def __call__(self, prepared: Floats) -> dict[str, Floats]:
        """Prepared pictures, one at a time -> output name: array."""
        answers = [self._compiled(picture[None]) for picture in prepared]
        names = ("stride8", "stride16", "embedding")
        return {name: np.concatenate([np.array(a[name]) for a in answers]) for name in names}


def patches(maps: dict[str, Floats], which: tuple[str, ...]) -> torch.Tensor:
    """Smoothed and joined maps on the finest of their grids, (N, places, C)."""
    joined = []
    for name in which:
        grid = functional.avg_pool2d(torch.from_numpy(maps[name]), 3, 1, 1)
        size = maps[which[0]].shape[2:]
        joined.append(functional.interpolate(grid, size, mode="bilinear", align_corners=False))
    return torch.cat(joined, dim=1).flatten(2).transpose(1, 2)


def memory_scores(train: torch.Tensor, test: torch.Tensor, size: int = 5000) -> Floats:
    """Greatest distance of a picture's patches to the nearest remembered one, (N,)."""
    flat = train.reshape(-1, train.shape[2])
    mean, deviation = flat.mean(0), flat.std(0) + 1e-6
    kept = torch.from_numpy(np.random.default_rng(0).choice(len(flat), size, replace=False))
    memory = (flat[kept] - mean) / deviation
    nearest = [
        torch.cdist((p - mean) / deviation, memory).min(dim=1).values.topk(5).values.mean()
        for p in test
    ]
    return torch.stack(nearest).numpy()


def embedding_scores(train: Floats, test: Floats, neighbours: int = 5) -> Floats:
    """Mean distance to the nearest good descriptors, (N,)."""
    mean, deviation = train.mean(0), train.std(0) + 1e-6
    distance = torch.cdist(
        torch.from_numpy((test - mean) / deviation), torch.from_numpy((train - mean) / deviation)
    )
    return distance.topk(neighbours, largest=False).values.mean(dim=1).numpy()


def quality(backbone: Backbone, train: Labelled, test: Labelled) -> dict[str, float]:
    """AUROC by kind of feature."""
    good, seen = backbone(train.pictures[~train.defective]), backbone(test.pictures)
    found = {}
    for which in (("stride8",), ("stride16",), ("stride8", "stride16")):
        scores = memory_scores(patches(good, which), patches(seen, which))
        found["+".join(which)] = round(auroc(scores, test.defective), 4)
    scores = embedding_scores(good["embedding"], seen["embedding"])
    return found | {"embedding": round(auroc(scores, test.defective), 4)}


def rates(paths: list[Path], precision: str, side: int = 224, rounds: int = 12) -> dict[str, float]:
    """Pictures per second of each file, batch 1, in turns so that all meet the same machine."""
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, side, side)).astype(np.float32)
    backbones = [Backbone(path, precision) for path in paths]
    best = {b.name: float("inf") for b in backbones}
    for _ in range(rounds):
        for backbone in backbones:
            for _ in range(10):
                began = time.perf_counter()
                backbone._compiled(picture)
                best[backbone.name] = min(best[backbone.name], time.perf_counter() - began)
    return {name: round(1 / seconds) for name, seconds in best.items()}


def main() -> None:
    """Print one JSON document."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--samples", type=Path, required=True)
    parser.add_argument("--good", default="free", help="label of good pictures")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--skip-rates", action="store_true")
    given = parser.parse_args()
    torch.set_num_threads(2)
    train = read(given.samples, "train", given.side, given.good)
    test = read(given.samples, "val", given.side, given.good)
    report: dict[str, object] = {}
    for path in given.models:
        report[path.stem] = quality(Backbone(path), train, test)
        print(path.stem, report[path.stem], file=sys.stderr)
    if not given.skip_rates:
        report["rates"] = {p: rates(given.models, p) for p in ("bf16", "f32")}
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
