"""Flawline's detectors of good parts beside those of anomalib: same weights, same pictures, one run, one machine.

    python benchmarks/anomaly_vs_anomalib.py --data magnetic_tile/samples.csv --weights FOLDER --work FOLDER

`--data` is a manifest with image, mask, label and split: the good pictures of train are learnt from, those of val
calibrate, every picture of test tests. `--weights` holds resnet18_to_layer3_imagenet.onnx and .safetensors and
mobilenet_v2_imagenet.onnx. anomalib 2.7 is installed into WORK/anomalib unless it is there. Every detector runs in a
process of its own, so that peak memory is its own. Maps of both are compared with the masks at 256 x 256 px.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from anomalib_run import run_anomalib
from flawline.core.metrics import auroc
from flawline.core.pixel_metrics import PixelCurve
from flawline.data.image import read_image
from flawline.data.source import Source, open_source
from flawline.inspector.inspection import Inspection
from flawline.types import Sample

SIDE = 256
CORESET = 0.002
RESNET = "resnet18_to_layer3_imagenet"
BACKBONES = {
    "resnet18": (f"{RESNET}.onnx", "imagenet"),
    "mobilenet_v2": ("mobilenet_v2_imagenet.onnx", "mean=128,std=128"),
    "flawline-small": ("flawline-small", None),
}
METHODS = ("patch-memory", "patch-gaussian", "fast")


def main() -> None:
    """Run what is asked for, or one detector in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", required=True, type=Path)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument(
        "--only", help="comma-separated detectors, such as anomalib:padim,resnet18:patch-memory"
    )
    parser.add_argument(
        "--split", default="test", help="split that is scored; val while methods are chosen"
    )
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    if options.one:
        print(json.dumps(run_ours(options)))
        return
    wanted = [f"anomalib:{name}" for name in ("padim", "patchcore")]
    wanted += [f"{backbone}:{method}" for backbone in BACKBONES for method in METHODS]
    if options.only:
        wanted = options.only.split(",")
    rows = {}
    for name in wanted:
        figures = (
            run_peer(options, name) if name.startswith("anomalib:") else in_process(options, name)
        )
        rows[name] = {**figures, **quality(options, name)}
        print(line(name, rows[name]), flush=True)
    (options.work / f"figures-{options.split}.json").write_text(json.dumps(rows, indent=1))


def chosen(source: Source, split: str) -> list[Sample]:
    """Pictures of a split, by name."""
    return sorted((s for s in source.samples() if s.split == split), key=lambda s: s.name)


def run_peer(options: argparse.Namespace, name: str) -> dict[str, float]:
    """Fit and score a detector of anomalib."""
    folder = Path(options.data).resolve().parent
    with open_source(options.data) as source:
        train = [s.name for s in chosen(source, "train") if s.defective is False]
        test = [s.name for s in chosen(source, options.split)]
    return run_anomalib(
        options.work,
        scores_file(options, name),
        name.partition(":")[2],
        options.weights / f"{RESNET}.safetensors",
        [str(folder / image) for image in train],
        [str(folder / image) for image in test],
        side=SIDE,
        coreset=CORESET,
    )


def in_process(options: argparse.Namespace, name: str) -> dict[str, float]:
    """Fit and score one of ours in a process of its own."""
    command = [sys.executable, __file__, "--one", name]
    for key in ("data", "weights", "work", "split", "precision"):
        command += [f"--{key}", str(getattr(options, key))]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    figures: dict[str, float] = json.loads(done.stdout.decode().splitlines()[-1])
    return figures


def run_ours(options: argparse.Namespace) -> dict[str, float]:
    """Train, write and read the recipe, score one by one and streamed; maps and scores go to a file."""
    from flawline.inspector import Inspector
    from flawline.jobs.train.anomaly_settings import AnomalySettings
    from flawline.jobs.train.train_anomaly import train_anomaly
    from flawline.jobs.train.view import ViewSettings
    from flawline.recipe import write_recipe

    backbone, method = options.one.split(":")
    file, preparation = BACKBONES[backbone]
    settings = AnomalySettings(
        method=method,
        backbone=file if file == backbone else str(options.weights / file),
        preparation=preparation,
        precision=options.precision,
        view=ViewSettings(window=(SIDE, SIDE)),
    )
    with open_source(options.data) as source:
        began = time.perf_counter()
        trained = train_anomaly(source, settings)
        fitted = time.perf_counter() - began
        recipe = write_recipe(trained.recipe, options.work / f"{backbone}-{method}.flaw")
        began = time.perf_counter()
        inspector = Inspector.open(recipe)
        loaded = time.perf_counter() - began
        samples = chosen(source, options.split)
        began = time.perf_counter()
        found = [inspector.inspect(read_image(source.read(s.name))) for s in samples]
        alone = time.perf_counter() - began
        rates = []
        for _ in range(3):
            began = time.perf_counter()
            streamed = [result for _, result in inspector.inspect_many(source, samples)]
            rates.append(len(samples) / (time.perf_counter() - began))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    maps = np.stack([cv2.resize(one.map, (SIDE, SIDE)) for one in found])
    np.savez(
        scores_file(options, options.one), maps=maps, scores=np.array([one.score for one in found])
    )
    same = max(
        abs(a.score - b.score)
        for a, b in zip(found, streamed, strict=True)
        if isinstance(b, Inspection)
    )
    stages = {k: statistics.median(one.timings[k] for one in found) for k in found[0].timings}
    print(f"median ms by stage: {stages}", file=sys.stderr)
    return {
        "fit": fitted,
        "load": loaded,
        "rate": len(samples) / alone,
        "streamed": statistics.median(rates),
        "peak": peak,
        "alone against streamed": same,
    }


def scores_file(options: argparse.Namespace, name: str) -> Path:
    """Where a detector's maps (N, 256, 256) and scores (N,) go."""
    return Path(options.work / f"scores-{options.split}-{name.replace(':', '-')}.npz")


def quality(options: argparse.Namespace, name: str) -> dict[str, Any]:
    """AUROC over all and by defect, and AUPRO, of a detector's maps and scores."""
    with open_source(options.data) as source:
        samples = chosen(source, options.split)
        masks = [small_mask(source, sample) for sample in samples]
    kept = np.load(scores_file(options, name))
    scores = kept["scores"]
    defective = np.array([bool(sample.defective) for sample in samples])
    curve = PixelCurve()
    for values, mask in zip(kept["maps"], masks, strict=True):
        curve.add(np.asarray(values, np.float32), mask)
    return {
        "auroc": auroc(defective, scores),
        "aupro": curve.aupro(0.3).value,
        "aupro5": curve.aupro(0.05).value,
        "pixels": curve.auroc().value,
        "defects": by_defect([sample.label or "" for sample in samples], defective, scores),
    }


def small_mask(source: Source, sample: Sample) -> NDArray[np.bool_]:
    """The mask of a picture at 256 x 256 px; a region stays where it covers a pixel."""
    if sample.mask is None or not sample.defective:
        return np.zeros((SIDE, SIDE), bool)
    mask = (read_image(source.read(sample.mask)).pixels.max(axis=2) > 0).astype(np.uint8)
    return np.asarray(cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST) > 0)


def by_defect(
    labels: Sequence[str], defective: NDArray[np.bool_], scores: NDArray[np.float64]
) -> dict[str, float]:
    """AUROC of each kind of defect against all good pictures."""
    found = {}
    for label in sorted({label for label, bad in zip(labels, defective, strict=True) if bad}):
        taken = ~defective | np.array([one == label for one in labels])
        found[label] = auroc(defective[taken], scores[taken])
    return found


def line(name: str, row: dict[str, Any]) -> str:
    """One detector as a line."""
    defects = " ".join(f"{label} {value:.3f}" for label, value in row["defects"].items())
    streamed = f"streamed {row['streamed']:5.0f}/s" if "streamed" in row else " " * 15
    return (
        f"{name:28} AUROC {row['auroc']:.3f}  AUPRO {row['aupro']:.3f} (0.05: {row['aupro5']:.3f})  "
        f"fit {row['fit']:6.1f} s  {row['rate']:5.0f}/s  {streamed}  {row['peak']:6.0f} MiB  [{defects}]"
    )


if __name__ == "__main__":
    main()
