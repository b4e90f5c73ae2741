"""Speed of training and inspecting with segmenters, beside plain PyTorch with the same networks in the same run.

Training: patches per second, cut and augmented included, batch 8 at 256 px, against a loop in float32 with the same
patches, the usual memory layout, cross-entropy and AdamW, in a process of its own, so that nothing of how ours sets up
the machine is there. Two epochs of ours and one of the other are taken in turns; ours writes a checkpoint after each,
the first while the second begins, and all of it counts. Inspecting: pictures of one window per second through the
exported network on OpenVINO, on all cores, against eager PyTorch in float32 with one picture at a time. Weights are
random; the best of `--rounds` counts, and the medians are told too.

python benchmarks/segment_speed.py --data PATH/neu_seg/samples.csv --work PATH/work
"""

from __future__ import annotations

import argparse
import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
import torch

from flawline.data.cores import cpu_count
from flawline.data.masks import MaskedSource, open_masks
from flawline.jobs.train.segment.architectures import build_network
from flawline.jobs.train.segment.export import export_segmenter
from flawline.jobs.train.segment.loop import Training
from flawline.jobs.train.segment.losses import cross_entropy
from flawline.jobs.train.segment.pairs import Pairs, find_defects
from flawline.jobs.train.segment.patches import Patches, batches
from flawline.jobs.train.segment.prediction import prepared
from flawline.jobs.train.segment.segment_settings import NetworkSettings, SegmentSettings
from flawline.jobs.train.segment.torch_settings import Machine
from flawline.jobs.train.segment.trained import load_trained
from flawline.networks.segmenter import open_segmenter
from flawline.types import no_track

CONTENDERS = {
    "light": NetworkSettings(),
    "resnet18": NetworkSettings("unet", "resnet18"),
    "resnet50": NetworkSettings("unet", "resnet50"),
    "vgg16": NetworkSettings("unet", "vgg16"),
    "unet-original": NetworkSettings("unet-original"),
}
PLAIN = Machine("cpu", "f32")
EPOCHS = 2


def main() -> None:
    """Print both speeds of each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", required=True)
    parser.add_argument("--work", required=True, type=Path)
    parser.add_argument("--only", default=",".join(CONTENDERS))
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with open_masks(options.data) as source:
        for name in options.only.split(","):
            settings = SegmentSettings(
                network=CONTENDERS[name],
                loss="cross-entropy",
                patches=8 * options.steps,
                epochs=EPOCHS * (1 + options.rounds),
            )
            folder = options.work / name
            ours, plain = trained(options.data, source, folder, settings, options.rounds)
            print(f"{name:<14} training {told(ours)} against {told(plain)} patches/s: ", end="")
            print(
                f"{max(ours) / max(plain):.1f}x, medians {median(ours) / median(plain):.1f}x",
                flush=True,
            )
            ours, plain = inspected(source, folder, options)
            print(
                f"{name:<14} inspecting {ours:6.1f} against {plain:5.1f} pictures/s: {ours / plain:.1f}x",
                flush=True,
            )


def trained(
    data: str, source: MaskedSource, folder: Path, settings: SegmentSettings, rounds: int
) -> tuple[list[float], list[float]]:
    """Patches per second of our loop and of a plain one in each round after the first."""
    samples = source.samples()[:100]
    training = Training.start(source, samples, [], folder, settings, no_track)
    patches, ours, plain = settings.patches or 0, [], []

    def epochs() -> None:
        for _ in range(EPOCHS):
            training.epoch()
        training.saved()

    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as alone:
        for number in range(1 + rounds):
            ours.append(EPOCHS * patches / best_of(1, epochs))
            submitted = alone.submit(plain_epoch, data, settings, number)
            plain.append(patches / best_of(1, submitted.result))
    return ours[1:], plain[1:]


def plain_epoch(data: str, settings: SegmentSettings, number: int) -> None:
    """An epoch of a plain loop, in the process where the others before it were run."""
    plain_loop(data, settings)(number)


@cache
def plain_loop(data: str, settings: SegmentSettings) -> Callable[[int], None]:
    """What runs an epoch of a plain loop."""
    source = open_masks(data)
    pairs = Pairs(source, source.samples()[:100], lean=True)
    patches = Patches(pairs, find_defects(pairs), settings)
    built = build_network(settings.network, len(source.classes))
    network = built.network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4)
    steps = (settings.patches or 0) // settings.batch

    def epoch(number: int) -> None:
        for pixels, mask in batches(patches, number, range(steps), settings.batch):
            images = prepared(pixels, built.preparation, PLAIN).contiguous()
            loss = cross_entropy(network(images), torch.from_numpy(mask).long())
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    return epoch


def told(speeds: list[float]) -> str:
    """The best, and from which to which all are."""
    return f"{max(speeds):.1f} ({min(speeds):.1f} to {max(speeds):.1f})"


def inspected(
    source: MaskedSource, folder: Path, options: argparse.Namespace
) -> tuple[float, float]:
    """Pictures per second of the exported network and of eager PyTorch."""
    found = load_trained(folder)
    export_segmenter(
        replace(found, settings=replace(found.settings, resolution="fit")), folder / "model.onnx"
    )
    segmenter = open_segmenter(folder / "model.onnx")
    window = segmenter.framing.window
    pixels = [
        np.resize(source.pair(sample)[0].pixels, (*window, 3)) for sample in source.samples()[:32]
    ]
    network = load_trained(folder).built.network

    def eager() -> None:
        with torch.inference_mode():
            for one in pixels:
                torch.softmax(network(prepared(one[None], found.built.preparation, PLAIN)), 1)

    with ThreadPoolExecutor(cpu_count()) as pool:
        list(pool.map(segmenter, pixels[:4]))
        seconds = best_of(options.rounds, lambda: list(pool.map(segmenter, pixels)))
    return len(pixels) / seconds, len(pixels) / best_of(options.rounds, eager)


def best_of(rounds: int, run: Callable[[], object]) -> float:
    """The seconds of the fastest of some runs."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        run()
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    main()
