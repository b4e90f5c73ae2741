"""What even light, alignment and more pictures bring to a detector of good parts.

    python benchmarks/detector_options.py --tiles magnetic_tile/samples.csv --castings casting.zip

Each in three folds by part: learnt from the good pictures of two folds, tested on all of the third.
Light: tiles of the splits train and val; once as they are, once with a gain of 0.7 to 1.3 and a shading of up to 30 %
drawn for each tested picture.
Alignment: castings, parts as `flawline groups` finds them (the archive holds turned copies, which would be recognised
rather than judged); once as they are, once shifted by up to 8 % of a side, once turned by any angle within 10 degrees
as well, and once turned by any angle.
Number of pictures: the same castings, learnt from 1, 5, 20, 50 and all of them.
The test split of the tiles is never touched.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.metrics import auroc
from flawline.core.view.alignment import METHODS as ALIGNMENTS
from flawline.core.view.illumination import METHODS as LIGHTS
from flawline.core.view.tiling import resize
from flawline.data.image import read_image
from flawline.data.source import Source, open_source
from flawline.inspector import Inspector
from flawline.inspector.inspection import Inspection
from flawline.jobs.groups.group import group
from flawline.jobs.train.anomaly_settings import AnomalySettings
from flawline.jobs.train.train_anomaly import train_anomaly
from flawline.jobs.train.view import ViewSettings
from flawline.types import Sample

SIDE = 256
FOLDS = 3
NUMBERS = (1, 5, 20, 50, 1000)

Pixels = NDArray[np.uint8]
Change = Callable[[Pixels, np.random.Generator], Pixels]


def main() -> None:
    """Print a line for each condition and method."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--tiles", help="manifest of magnetic tiles")
    parser.add_argument("--castings", help="zip with folders good and bad")
    parser.add_argument("--backbone", default="flawline-small")
    parser.add_argument("--preparation")
    options = parser.parse_args()
    if options.tiles:
        light(options)
    if options.castings:
        alignment(options)
        numbers(options)


def light(options: argparse.Namespace) -> None:
    """Every method of evening out the light, tiles as they are and in drawn light."""
    with open_source(options.tiles) as source:
        samples = [s for s in source.samples() if s.split in ("train", "val")]
        pictures = {s.name: small(source, s) for s in samples}
    fold = folds([s.group or s.name for s in samples])
    for name, change in (("as they are", unchanged), ("drawn light", drawn_light)):
        for method in LIGHTS:
            found = []
            for held in range(FOLDS):
                learn = [s for s, f in zip(samples, fold, strict=True) if f != held]
                learn = [s for s in learn if not s.defective]
                test = [s for s, f in zip(samples, fold, strict=True) if f == held]
                view = ViewSettings(window=(SIDE, SIDE), light=method)
                found.append(tested(pictures, learn, test, unchanged, change, view, options))
            print(f"tiles, {name:12} light {method:9} AUROC {shown(found)}", flush=True)


def alignment(options: argparse.Namespace) -> None:
    """Every method of alignment, castings as they are, shifted, turned a little and turned at will."""
    pictures, parts = castings(options)
    changes = {
        "as they are": unchanged,
        "shifted": moved(0.08, 0),
        "shifted and turned by 10": moved(0.08, 10),
        "turned at will": moved(0, 180),
    }
    for name, change in changes.items():
        for method in ("none", *ALIGNMENTS):
            view = ViewSettings(window=(SIDE, SIDE), alignment=method)
            found = [tested(pictures, *pair, change, change, view, options) for pair in parts]
            print(f"castings, {name:25} alignment {method:6} AUROC {shown(found)}", flush=True)


def numbers(options: argparse.Namespace) -> None:
    """From a single picture on."""
    pictures, parts = castings(options)
    for method in ("none", "polar"):
        view = ViewSettings(window=(SIDE, SIDE), alignment=method)
        for count in NUMBERS:
            found = [
                tested(pictures, some(learn, count), test, unchanged, unchanged, view, options)
                for learn, test in parts
            ]
            print(f"castings, alignment {method:5} learnt from {count}: AUROC {shown(found)}")
            sys.stdout.flush()


def some(samples: list[Sample], count: int) -> list[Sample]:
    """A few of the samples, drawn; all where there are no more."""
    order = np.random.default_rng(0).permutation(len(samples))[:count]
    return [samples[place] for place in sorted(order)]


def shown(found: Sequence[float]) -> str:
    """The mean and each fold."""
    return f"{np.mean(found):.3f} (" + " ".join(f"{value:.3f}" for value in found) + ")"


def castings(
    options: argparse.Namespace,
) -> tuple[dict[str, Pixels], list[tuple[list[Sample], list[Sample]]]]:
    """The pictures, and for each fold those to learn from and those to test on."""
    with open_source(options.castings) as source:
        samples = sorted(source.samples(), key=lambda s: s.name)
        pictures = {s.name: small(source, s) for s in samples}
        part = {one.sample.name: one.group for one in group(source).pictures}
    fold = folds([part[s.name] for s in samples])
    return pictures, [
        (
            [s for s, f in zip(samples, fold, strict=True) if f != held and not s.defective],
            [s for s, f in zip(samples, fold, strict=True) if f == held],
        )
        for held in range(FOLDS)
    ]


def tested(
    pictures: dict[str, Pixels],
    learn: Sequence[Sample],
    test: Sequence[Sample],
    change_learnt: Change,
    change_tested: Change,
    view: ViewSettings,
    options: argparse.Namespace,
) -> float:
    """Area under the ROC curve of a detector that learnt from some pictures, over others."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder, "learn"), pictures, learn, change_learnt, 1)
        write(Path(folder, "test"), pictures, test, change_tested, 2)
        settings = AnomalySettings(
            backbone=options.backbone,
            preparation=options.preparation,
            view=view,
            set_aside=False,
            held_out=0.02 if len(learn) >= 50 else None,
        )
        with open_source(Path(folder, "learn")) as source:
            inspector = Inspector(train_anomaly(source, settings).recipe)
        with open_source(Path(folder, "test")) as source:
            return auroc(*scored(inspector, source))


def scored(inspector: Inspector, source: Source) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """What is bad, and its score; what is not found in its place counts as the oddest, as it goes to a person."""
    found = list(inspector.inspect_many(source))
    scores = [one.score if isinstance(one, Inspection) else np.inf for _, one in found]
    return np.array([bool(sample.defective) for sample, _ in found]), np.array(scores)


def write(
    folder: Path, pictures: dict[str, Pixels], samples: Sequence[Sample], change: Change, seed: int
) -> None:
    """Changed pictures as PNG, in folders good and bad."""
    for place, sample in enumerate(samples):
        path = folder / ("bad" if sample.defective else "good") / f"{place:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = change(pictures[sample.name], np.random.default_rng((seed, place)))
        cv2.imwrite(str(path), pixels[..., ::-1])


def small(source: Source, sample: Sample) -> Pixels:
    """A picture at 256 x 256 px."""
    return resize(read_image(source.read(sample.name)).pixels, (SIDE, SIDE))


def folds(groups: Sequence[str]) -> list[int]:
    """A fold for each group, drawn once."""
    names = np.random.default_rng(7).permutation(np.unique(groups))
    place = {str(name): index % FOLDS for index, name in enumerate(names)}
    return [place[group] for group in groups]


def unchanged(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The picture itself."""
    return pixels


def drawn_light(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A gain of 0.7 to 1.3, and a ramp in any direction that dims one side by up to 30 %."""
    angle, depth = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.3)
    rows, columns = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    ramp = 1 - depth * (1 + np.cos(angle) * columns + np.sin(angle) * rows) / 2
    return np.clip(pixels * (rng.uniform(0.7, 1.3) * ramp)[..., None], 0, 255).astype(np.uint8)


def moved(shift: float, degrees: float) -> Change:
    """A shift of up to a share of a side and a turn, what was outside continued from the edge."""

    def change(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        right, down = rng.uniform(-shift, shift, 2) * SIDE
        turn = cv2.getRotationMatrix2D((SIDE / 2, SIDE / 2), rng.uniform(-degrees, degrees), 1)
        turn[:, 2] += right, down
        warped = cv2.warpAffine(pixels, turn, (SIDE, SIDE), borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(warped, np.uint8)

    return change


if __name__ == "__main__":
    main()
