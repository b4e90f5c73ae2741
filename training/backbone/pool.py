"""A pool of generated pictures on disk, and augmented crops drawn out of it.

Making a picture costs about 8 ms and drawing a crop 0.1 ms, so each picture is cut many times while
the trainer replaces a few of them at every step.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from .generate import Picture, generated, photographed
from .scenes import HELD_OUT, TRAINING, load_scenes

SIDE = 192
PHOTOGRAPHED_SHARE = 0.4
Pool = NDArray[Any]
Rng = np.random.Generator


def one(rng: Rng, scenes: list[Picture]) -> Picture:
    """One training picture, (SIDE, SIDE, 3)."""
    make = photographed if rng.random() < PHOTOGRAPHED_SHARE else generated
    return make(rng, SIDE, scenes)


def _batch(seed: tuple[int, int], count: int) -> Pool:
    cv2.setNumThreads(1)
    rng, scenes = np.random.default_rng(seed), load_scenes(TRAINING)
    return np.stack([one(rng, scenes) for _ in range(count)])


def fill(path: Path, count: int, seed: int, workers: int = 2) -> Pool:
    """The pool (count, SIDE, SIDE, 3) at ``path``, made there first where it is missing."""
    shape = (count, SIDE, SIDE, 3)
    if not path.exists():
        part = path.with_suffix(".part")
        pool = np.lib.format.open_memmap(part, "w+", np.uint8, shape)
        step = 250
        starts = range(0, count, step)
        with ProcessPoolExecutor(workers) as executor:
            sizes = [min(step, count - start) for start in starts]
            batches = executor.map(_batch, [(seed, start) for start in starts], sizes)
            for start, batch in zip(starts, batches, strict=True):
                pool[start : start + len(batch)] = batch
        pool.flush()
        part.rename(path)
    pool = np.lib.format.open_memmap(path, "r+")
    if pool.shape != shape:
        raise ValueError(f"{path} holds {pool.shape}, expected {shape}; remove it to make it anew")
    return pool


def _turned(rng: Rng, crop: Picture) -> Picture:
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return np.rot90(crop, int(rng.integers(4)))


def _mixed(rng: Rng, crops: NDArray[np.float32]) -> NDArray[np.float32]:
    """Crops of which a part is blended, or cut and pasted, with another crop of the batch."""
    count, side = crops.shape[:2]
    mixed = crops.copy()
    for i in np.flatnonzero(rng.random(count) < 0.3):
        other = crops[rng.integers(count)]
        if rng.random() < 0.5:
            mixed[i] += (other - mixed[i]) * np.float32(rng.beta(1, 1))
        else:
            (top, bottom), (left, right) = np.sort(rng.integers(0, side + 1, (2, 2)), axis=1)
            mixed[i, top:bottom, left:right] = other[top:bottom, left:right]
    return mixed


def draw(rng: Rng, pool: Pool, count: int, side: int) -> NDArray[np.uint8]:
    """Augmented crops (count, side, side, 3) of random pictures of the pool."""
    crops = np.empty((count, side, side, 3), np.float32)
    for i in range(count):
        top, left = rng.integers(0, SIDE - side + 1, 2)
        picture = pool[rng.integers(len(pool))]
        crops[i] = _turned(rng, picture[top : top + side, left : left + side])
    crops = _mixed(rng, crops)
    gain = np.exp(rng.normal(0, 0.2, (count, 1, 1, 1))).astype(np.float32)
    offset = rng.normal(0, 14, (count, 1, 1, 1)).astype(np.float32)
    return np.clip((crops - 128) * gain + (128 + offset), 0, 255).astype(np.uint8)


def held_out(kind: str, count: int, side: int) -> NDArray[np.uint8]:
    """Fixed pictures (count, side, side, 3) that no training crop shares a source with.

    ``generated`` uses other seeds and no scenes at all; ``photographed`` uses scenes kept apart.
    """
    rng = np.random.default_rng((99, len(kind)))
    if kind == "generated":
        return np.stack([generated(rng, side, []) for _ in range(count)])
    scenes = load_scenes(HELD_OUT)
    return np.stack([photographed(rng, side, scenes) for _ in range(count)])
