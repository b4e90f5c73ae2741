"""How well `flawline groups` finds the pictures of one part. Prints figures; keeps nothing.

    python benchmarks/groups.py [DATA]

DATA (default: the variable FLAWLINE_TEST_DATA) holds `magnetic_tile/samples.csv` and `casting.zip`; what is missing is
left out. Three questions:

1. Magnetic tiles, each taken under up to six lights. Two references: the `group` column of the table, found by
   correlation, and shots: the file names count exposures and lights (exp3_num_108757), so one tile is a run of rising
   lights close in number and of similar size. The threshold is chosen on half of the shots and reported on the other.
2. Castings out of the archive, where the truth is not known: a hundred copies are made - turned by any angle, perhaps
   mirrored, shifted, scaled by 3 %, under other light, saved as JPEG - and looked for.
3. Drawn castings, all different parts of one design, with a hundred such copies: what is joined wrongly, and missed.
"""

from __future__ import annotations

import csv
import os
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.image import read_image
from flawline.data.source import open_source
from flawline.jobs.groups.group import NEIGHBOURS, THRESHOLD
from flawline.jobs.groups.linking import link
from flawline.jobs.groups.matching import Comparisons, candidates
from flawline.jobs.groups.partitions import compare_partitions
from flawline.jobs.groups.signature import Signature, signature
from flawline.synthetic.castings import write_castings

THRESHOLDS = np.round(np.arange(0.5, 0.951, 0.05), 2).tolist()
COPIES = 100


def main() -> None:
    data = Path(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("FLAWLINE_TEST_DATA", "."))
    if (data / "magnetic_tile" / "samples.csv").is_file():
        tiles(data / "magnetic_tile")
    if (data / "casting.zip").is_file():
        copies(data / "casting.zip", "castings of the archive")
    with tempfile.TemporaryDirectory() as folder:
        write_castings(Path(folder), good=300, bad=60, seed=7)
        copies(Path(folder), "drawn castings")


def tiles(folder: Path) -> None:
    """Question 1."""
    names, signatures = described(folder / "samples.csv")
    with (folder / "samples.csv").open(encoding="utf-8") as file:
        table = {row["image"]: row["group"] for row in csv.DictReader(file)}
    shots = shot_of_each(names, signatures)
    rng = np.random.default_rng(0)
    tuning = rng.random(max(shots) + 1) < 0.5
    halves = {
        "tuning": [place for place, shot in enumerate(shots) if tuning[shot]],
        "held out": [place for place, shot in enumerate(shots) if not tuning[shot]],
    }
    compared = all_compared(signatures)
    print(
        f"\nmagnetic tiles: {len(names)} pictures, {max(shots) + 1} shots, {compared.likeness=:.3f}"
    )
    for half, places in halves.items():
        for threshold in THRESHOLDS:
            found = partition(compared, len(names), threshold)
            mine = [found[place] for place in places]
            shot = agreement(mine, [shots[place] for place in places])
            column = agreement(mine, [table[names[place]] for place in places])
            print(f"{half:9} {threshold:.2f}  shots: {shot}  group column: {column}")
    column = agreement([table[name] for name in names], shots)
    print(f"for comparison, the group column against the shots: {column}")


def copies(source: Path, title: str) -> None:
    """Questions 2 and 3."""
    names, signatures = described(source)
    rng = np.random.default_rng(3)
    chosen = rng.permutation(len(names))[:COPIES].tolist()
    with open_source(source) as opened:
        for place in chosen:
            pixels = copy_of(rng, read_image(opened.read(names[place])).pixels)
            _, data = cv2.imencode(
                ".jpg", pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 95))]
            )
            signatures.append(signature(read_image(data.tobytes())))
    compared = all_compared(signatures)
    print(f"\n{title}: {len(names)} pictures and {COPIES} copies, {compared.likeness=:.3f}")
    for threshold in THRESHOLDS:
        found = partition(compared, len(signatures), threshold)
        hits = sum(found[place] == found[len(names) + k] for k, place in enumerate(chosen))
        sizes = np.unique(found[: len(names)], return_counts=True)[1]
        several = sizes[sizes > 1]
        print(
            f"threshold {threshold:.2f}  copies found {hits}/{COPIES}  originals joined with each other: "
            f"{several.sum()} in {len(several)} groups, largest {sizes.max()}"
        )


def described(source: Path) -> tuple[list[str], list[Signature]]:
    """Names in order, and their signatures."""
    start = time.perf_counter()
    with open_source(source) as opened:
        names = sorted(sample.name for sample in opened.samples())
        signatures = [signature(read_image(opened.read(name), target=224)) for name in names]
    print(f"{source.name}: {1000 * (time.perf_counter() - start) / len(names):.1f} ms per picture")
    return names, signatures


def all_compared(signatures: Sequence[Signature]) -> Comparisons:
    """Every candidate compared, so that any threshold can be tried afterwards."""
    start = time.perf_counter()
    compared = Comparisons(signatures)
    compared.measure_likeness()
    compared.compare(candidates(signatures, NEIGHBOURS))
    seconds = time.perf_counter() - start
    print(f"{len(compared.made)} pairs, {1000 * seconds / len(compared.made):.1f} ms per pair")
    return compared


def partition(compared: Comparisons, count: int, threshold: float) -> list[int]:
    """The group of each place."""
    groups = link(count, compared, threshold).groups
    return [groups.of(place) for place in range(count)]


def agreement(found: Sequence[object], truth: Sequence[object]) -> str:
    """Pair precision, pair recall and adjusted Rand index."""
    both, extra, missed, index = compare_partitions(list(map(str, found)), list(map(str, truth)))
    precision, recall = both / max(both + extra, 1), both / max(both + missed, 1)
    return f"precision {precision:.3f} recall {recall:.3f} ARI {index:.3f}"


def shot_of_each(names: Sequence[str], signatures: Sequence[Signature]) -> list[int]:
    """The run of exposures that each tile picture belongs to, read off file names and sizes."""
    listed = []
    for place, name in enumerate(names):
        match = re.search(r"_exp(\d)_num_(\d+)", name)
        assert match, f"not a name of the magnetic tile set: {name}"
        height, width = signatures[place].steps.shape
        scale = signatures[place].longer_side / max(height, width)
        listed.append((int(match[2]), int(match[1]), (height * scale, width * scale), place))
    runs: list[list[tuple[int, int, tuple[float, float], int]]] = []
    for one in sorted(listed):
        run = next((run for run in reversed(runs[-6:]) if _follows(run[-1], one)), None)
        if run is None:
            runs.append([one])
        else:
            run.append(one)
    shot = {one[3]: number for number, run in enumerate(runs) for one in run}
    return [shot[place] for place in range(len(names))]


def _follows(
    last: tuple[int, int, tuple[float, float], int], one: tuple[int, int, tuple[float, float], int]
) -> bool:
    alike = all(abs(a - b) < 0.2 * max(a, b) for a, b in zip(last[2], one[2], strict=True))
    return last[1] < one[1] and one[0] - last[0] < 400 and alike


def copy_of(rng: np.random.Generator, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The same part again: turned, perhaps mirrored, moved, scaled and under other light."""
    height, width = pixels.shape[:2]
    middle = ((width - 1) / 2, (height - 1) / 2)
    warp = cv2.getRotationMatrix2D(middle, rng.uniform(0, 360), rng.uniform(0.97, 1.03))
    warp[:, 2] += rng.uniform(-0.02, 0.02, 2) * width
    side = pixels[:, ::-1] if rng.random() < 0.5 else pixels
    turned = cv2.warpAffine(
        np.ascontiguousarray(side), warp, (width, height), borderMode=cv2.BORDER_REPLICATE
    )
    down, across = np.mgrid[:height, :width]
    way = rng.uniform(0, 2 * np.pi)
    slope = (across / width - 0.5) * np.cos(way) + (down / height - 0.5) * np.sin(way)
    light = rng.uniform(0.7, 1.2) * (1 + rng.uniform(0.1, 0.4) * slope)
    lit = turned * light[..., None] + rng.uniform(-15, 15)
    copied: NDArray[np.uint8] = np.clip(lit, 0, 255).astype(np.uint8)
    return copied


if __name__ == "__main__":
    print(f"default threshold {THRESHOLD}")
    main()
