"""Pictures per second from files to features, beside the bare network on ready tensors and decoding alone.

All three run on all cores, in turn, several times over; medians are compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from flawline.core.view.tiling import resize
from flawline.data.cores import cpu_count
from flawline.data.image import read_image
from flawline.data.source import open_source
from flawline.data.stream import map_pictures
from flawline.features.catalog import feature_set
from flawline.networks.backbone import EMBEDDED, open_backbone


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="any source of pictures")
    parser.add_argument("--backbone", default=EMBEDDED)
    parser.add_argument("--preparation")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--features", default="embedding")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    network = open_backbone(
        options.backbone,
        preparation=options.preparation,
        outputs=["embedding"],
        precision=options.precision,
    )
    features = feature_set(options.features.split(","), lambda: network)
    with open_source(options.data) as source:
        samples = list(source.samples())
        contents = [source.read(sample.name) for sample in samples]
        size = network.preparation.size
        ready = [np.ascontiguousarray(resize(read_image(c).pixels, size)) for c in contents]
        pool = ThreadPoolExecutor(cpu_count())
        stages: dict[str, Callable[[], object]] = {
            "decoding alone": lambda: list(pool.map(read_image, contents)),
            "bare network": lambda: list(pool.map(network, ready)),
            "files to features": lambda: list(map_pictures(source, samples, features.compute)),
        }
        rates = measure(stages, len(samples), options.rounds)
    for name, values in rates.items():
        spread = f"{min(values):.0f} to {max(values):.0f}"
        print(f"{name:18s} {statistics.median(values):7.0f} pictures/s  ({spread})")
    slower = [
        min(a, b) for a, b in zip(rates["decoding alone"], rates["bare network"], strict=True)
    ]
    both = [
        1 / (1 / a + 1 / b)
        for a, b in zip(rates["decoding alone"], rates["bare network"], strict=True)
    ]
    print(
        f"{'both in turn':18s} {statistics.median(both):7.0f} pictures/s, where each has all cores to itself"
    )
    ratios = [t / s for t, s in zip(rates["files to features"], slower, strict=True)]
    print(
        f"ratio to the slower of the two: median {statistics.median(ratios):.2f} "
        f"({min(ratios):.2f} to {max(ratios):.2f}); {network.name}, {network.precision}, "
        f"{size[0]} px, features {options.features}, {len(samples)} pictures, {cpu_count()} cores"
    )


def measure(
    stages: dict[str, Callable[[], object]], pictures: int, rounds: int
) -> dict[str, list[float]]:
    """Rates per stage and round; the stages take turns, so that a noisy minute hits all of them."""
    rates: dict[str, list[float]] = {name: [] for name in stages}
    for stage in stages.values():
        stage()
    for name, stage in [*stages.items()] * rounds:
        rates[name].append(pictures / timed(stage))
    return rates


def timed(stage: Callable[[], object]) -> float:
    started = time.perf_counter()
    stage()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
