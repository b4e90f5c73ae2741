"""A defect that repeats at one place: how many of 3 to 6 marked pictures among 105 lie within the top (number + 1).

One draw takes, with `numpy.random.default_rng(seed)`, 105 sound pictures and paints one mark (a pit, a spot, a
scratch, a dent, a ring or roughness; by the seed in turn) at one place of the last 3 to 6 of them, as a worn tool or a
dirty fixture would. Each copy is shifted by up to 1 % of the side and is up to a fifth stronger or weaker. Without
--data the pictures are synthetic castings.

"plain" lets every reference be a neighbour everywhere, also one that is odd at that place. "each mark alone" never
compares two marked pictures: what could be had if they did not hide each other.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import cv2
import numpy as np
from numpy.typing import NDArray

from draws import CHOOSE_SEEDS, REPORT_SEEDS
from flawline.core.metrics import found_within
from flawline.data.source import open_source
from flawline.data.stream import map_pictures
from flawline.features.map_rows import MapRows, map_rows
from flawline.jobs.rank import comparison
from flawline.jobs.rank.comparison import NEIGHBOURS, fit_references
from flawline.networks.backbone import open_backbone
from flawline.networks.map_choice import choose_maps
from flawline.synthetic.castings import draw_casting
from flawline.types import Picture, Unjudged
from ranking_methods import Backbone, backbones

Pixels = NDArray[np.uint8]
Mark = Callable[[np.random.Generator, NDArray[np.float32]], NDArray[np.float32]]

PICTURES = 105
SYNTHETIC = 120
COMPARED = (2, 6)


@dataclass(frozen=True)
class Repeated:
    """Rows of one draw, the marked ones last, and how many those are."""

    rows: NDArray[np.float32]
    marked: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="pictures, of which the sound ones are taken")
    parser.add_argument("--good", action="append", default=[], help="a label that means sound")
    parser.add_argument("--weights", type=Path, help="folder with the ImageNet backbones")
    parser.add_argument("--choose", action="store_true", help="seeds 1000-1049")
    options = parser.parse_args()
    seeds = CHOOSE_SEEDS if options.choose else REPORT_SEEDS
    pool = sound_pictures(options.data, options.good) if options.data else synthetic_pictures()
    print(
        f"{len(seeds)} draws, seeds {seeds[0]}-{seeds[-1]}, 3 to 6 of {PICTURES} marked at one "
        "place, share of them within the top (number + 1) (mean +- standard error)"
    )
    for backbone in backbones(options.weights):
        layout = opened(backbone)
        draws = repeated_draws(layout, pool, seeds)
        for count in COMPARED:
            with patch.object(comparison, "APART", np.inf):
                show(f"plain, {count} neighbours, {backbone.name}", draws, scorer(layout, count))
        show(f"ours (auto), {backbone.name}", draws, scorer(layout, NEIGHBOURS))
        show(f"each mark alone, {backbone.name}", draws, scorer(layout, NEIGHBOURS, alone=True))


def scorer(
    layout: MapRows, neighbours: int, *, alone: bool = False
) -> Callable[[Repeated], NDArray[np.floating]]:
    """Scores as the product gives them; with `alone`, as if it knew the marked pictures to be of one group."""

    def score(draw: Repeated) -> NDArray[np.floating]:
        marked = np.arange(PICTURES) >= PICTURES - draw.marked
        same = marked[:, None] & marked[None, :] if alone else None
        return fit_references(layout.maps(draw.rows), same, neighbours)[1].scores

    return score


def show(
    name: str, draws: Sequence[Repeated], score: Callable[[Repeated], NDArray[np.floating]]
) -> None:
    shares = np.array([share_found(score(draw), draw.marked) for draw in draws])
    marked = np.array([draw.marked for draw in draws])
    each = ", ".join(f"{n}: {shares[marked == n].mean():.2f}" for n in np.unique(marked))
    error = shares.std() / len(shares) ** 0.5
    print(f"{name:36s} {shares.mean():.3f} +- {error:.3f}   by number of marked {each}", flush=True)


def share_found(scores: NDArray[np.floating], marked: int) -> float:
    """Share of the last `marked` rows within the top marked + 1."""
    bad = np.arange(len(scores)) >= len(scores) - marked
    return float(found_within(bad[np.argsort(-scores, kind="stable")])[marked]) / marked


def opened(backbone: Backbone) -> MapRows:
    return map_rows(
        open_backbone(backbone.path, preparation=backbone.preparation, outputs=choose_maps)
    )


def sound_pictures(location: str, good: Sequence[str]) -> list[Pixels]:
    """Decoded pictures that are sound, one of each group where groups are known, in the order of their names."""
    with open_source(location, good=good) as source:
        sound = [s for s in source.samples() if s.defective is False]
        kept = {
            sample.group or sample.name: sample for sample in sorted(sound, key=lambda s: s.name)
        }
        results = map_pictures(source, list(kept.values()), lambda picture: picture.pixels)
        return [pixels for _, pixels in results if not isinstance(pixels, Unjudged)]


def synthetic_pictures() -> list[Pixels]:
    return [draw_casting(np.random.default_rng([7, index])).pixels for index in range(SYNTHETIC)]


def repeated_draws(layout: MapRows, pool: Sequence[Pixels], seeds: Sequence[int]) -> list[Repeated]:
    """Draws with their rows; pictures without a mark are computed once."""
    known = np.stack([row_of(layout, pixels) for pixels in pool])
    draws = []
    for seed in seeds:
        rng = np.random.default_rng(seed)
        chosen = rng.choice(len(pool), PICTURES, replace=False)
        marked = 3 + seed % 4
        rows = known[chosen]
        kind = MARKS[seed // 4 % len(MARKS)]
        for at, pixels in enumerate(marked_copies(rng, [pool[i] for i in chosen[-marked:]], kind)):
            rows[PICTURES - marked + at] = row_of(layout, pixels)
        draws.append(Repeated(rows, marked))
    return draws


def row_of(layout: MapRows, pixels: Pixels) -> NDArray[np.float32]:
    return layout.compute(Picture(pixels, pixels.shape[1], pixels.shape[0], "RGB", "PNG", 3, 0, ""))


def marked_copies(rng: np.random.Generator, pictures: Sequence[Pixels], kind: Mark) -> list[Pixels]:
    """The pictures with one and the same mark at one place, a little shifted and fainter or stronger in each."""
    turn, out = rng.uniform(0, 2 * np.pi), 0.36 * np.sqrt(rng.uniform())
    place = 0.5 + out * np.array([np.cos(turn), np.sin(turn)])
    radius, strength = rng.uniform(0.03, 0.07), rng.uniform(50, 110)
    shape = rng.integers(2**63)
    copies = []
    for pixels in pictures:
        height, width = pixels.shape[:2]
        x, y = place + rng.uniform(-0.01, 0.01, 2)
        side = min(height, width)
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        across = np.stack([columns - x * width, rows - y * height]) / np.float32(radius * side)
        change = kind(np.random.default_rng(shape), across) * strength * rng.uniform(0.8, 1.2)
        blurred = cv2.GaussianBlur(change.astype(np.float32), (0, 0), max(0.8, side / 300))
        noisy = pixels + blurred[:, :, None]
        copies.append(np.clip(np.round(noisy), 0, 255).astype(np.uint8))
    return copies


def pit(rng: np.random.Generator, across: NDArray[np.float32]) -> NDArray[np.float32]:
    return -(np.hypot(*across) < 1).astype(np.float32)


def spot(rng: np.random.Generator, across: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.exp(-2 * (across**2).sum(axis=0))


def scratch(rng: np.random.Generator, across: NDArray[np.float32]) -> NDArray[np.float32]:
    along, beside = turned(rng, across)
    return np.sign(rng.uniform(-1, 1)) * ((np.abs(along) < 1.6) & (np.abs(beside) < 0.15))


def dent(rng: np.random.Generator, across: NDArray[np.float32]) -> NDArray[np.float32]:
    along, _ = turned(rng, across)
    return 2 * along * np.exp(-2 * (across**2).sum(axis=0))


def ring(rng: np.random.Generator, across: NDArray[np.float32]) -> NDArray[np.float32]:
    return -(np.abs(np.hypot(*across) - 1) < 0.2).astype(np.float32)


def rough(rng: np.random.Generator, across: NDArray[np.float32]) -> NDArray[np.float32]:
    waves = sum(
        np.cos(np.tensordot(rng.normal(0, 6, 2), across, 1) + rng.uniform(0, 7)) for _ in range(6)
    )
    return 0.4 * waves * np.exp(-((across**2).sum(axis=0) ** 2))


def turned(
    rng: np.random.Generator, across: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    angle = rng.uniform(0, np.pi)
    cos, sin = np.cos(angle), np.sin(angle)
    return across[0] * cos + across[1] * sin, across[1] * cos - across[0] * sin


MARKS: tuple[Mark, ...] = (pit, spot, scratch, dent, ring, rough)


if __name__ == "__main__":
    main()
