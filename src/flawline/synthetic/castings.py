"""Draw pictures of cast pump impellers: sound ones, and ones with a known defect and its mask."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.synthetic.defects import DAMAGES
from flawline.synthetic.shading import draw_lamps, photograph, shade
from flawline.synthetic.surface import draw_pose, draw_surface

DEFECTS: tuple[str, ...] = tuple(DAMAGES)
SIZES = (128, 2048)
JPEG_QUALITY = 90
# Drawn at 1.5 times the picture's resolution, so that thin edges have no stairs.
_OVERSAMPLING = 1.5


@dataclass(frozen=True, slots=True)
class SyntheticPart:
    """One drawn part: `pixels` uint8 (H, W, 3), RGB with grey content, and its `mask` uint8 (H, W).

    The mask is 0 where sound, and 1 + the place of `defect` in `DEFECTS` on the defect.
    """

    pixels: NDArray[np.uint8]
    mask: NDArray[np.uint8]
    defect: str | None


def draw_casting(
    rng: np.random.Generator, *, size: int = 300, defect: str | None = None
) -> SyntheticPart:
    """Draw one part from above, `size` pixels square, with one of `DEFECTS` or sound (None).

    The part, the lamps, the defect and the camera draw from generators of their own, so two calls
    with equal `rng` states show the same part in the same light, with and without its defect.
    Raises UsageError for an unknown defect or a size outside `SIZES`.
    """
    _check(size, defect)
    part_rng, light_rng, texture_rng, defect_rng, camera_rng = (
        np.random.default_rng(int(seed)) for seed in rng.integers(2**63, size=5)
    )
    side = round(size * _OVERSAMPLING)
    surface = draw_surface(part_rng, side, draw_pose(part_rng, side))
    covered = np.zeros((side, side), np.bool_)
    if defect is not None:
        surface, covered = DAMAGES[defect](defect_rng, surface)
    lit = shade(texture_rng, surface, draw_lamps(light_rng))
    grey = np.round(photograph(camera_rng, lit, size) * 255).astype(np.uint8)
    return SyntheticPart(
        np.repeat(grey[:, :, None], 3, axis=2), _mask(covered, size, defect), defect
    )


def write_castings(
    folder: Path,
    *,
    good: int = 106,
    bad: int = 6,
    size: int = 300,
    seed: int = 0,
    masks: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Write folder/good/casting_0000.jpg ... and folder/bad/casting_0000.jpg ...; return the paths.

    Bad parts take the defects of `DEFECTS` in turn. With `masks`, the mask of each bad part goes to
    masks/bad/<stem>.png, 8-bit, class index as the value; keep that folder outside `folder`, where
    it would be listed as pictures. A picture depends on `seed`, its label and its number, not on
    how many others there are; its bytes are the same in every run with the same versions of
    Flawline, NumPy and OpenCV. Files of these names are replaced, others are left.
    `progress` is called with (done, total) after each picture.
    Raises UsageError for a negative count or seed, a size outside `SIZES`, or a folder that cannot
    be written.
    """
    if min(good, bad, seed) < 0:
        raise UsageError(
            f"expected counts and a seed of 0 or more, got good={good}, bad={bad}, seed={seed}",
            hint="give whole numbers from 0 up",
        )
    _check(size, None)
    written: list[Path] = []
    for label, index, defect in _plan(good, bad):
        rng = np.random.default_rng([seed, int(label == "bad"), index])
        part = draw_casting(rng, size=size, defect=defect)
        name = f"casting_{index:04d}"
        written.append(write_picture(folder / label / f"{name}.jpg", part.pixels))
        if masks is not None and defect is not None:
            write_picture(masks / label / f"{name}.png", part.mask)
        if progress is not None:
            progress(len(written), good + bad)
    return written


def _plan(good: int, bad: int) -> Iterator[tuple[str, int, str | None]]:
    yield from (("good", index, None) for index in range(good))
    yield from (("bad", index, DEFECTS[index % len(DEFECTS)]) for index in range(bad))


def _check(size: int, defect: str | None) -> None:
    if not SIZES[0] <= size <= SIZES[1]:
        raise UsageError(
            f"expected a size from {SIZES[0]} to {SIZES[1]} pixels, got {size}",
            hint="300 is the size of the sample set",
        )
    if defect is not None and defect not in DAMAGES:
        raise UsageError(
            f"expected one of {', '.join(DEFECTS)} or None, got {defect!r}",
            hint="leave the defect out for a sound part",
        )


def _mask(covered: NDArray[np.bool_], size: int, defect: str | None) -> NDArray[np.uint8]:
    if defect is None:
        return np.zeros((size, size), np.uint8)
    share = np.asarray(
        cv2.resize(covered.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    )
    # A thin burr in a small picture may cover no pixel by half; it still gets a mask.
    enough = np.clip(share.max(), 1e-3, 0.5)
    return np.where(share >= enough, DEFECTS.index(defect) + 1, 0).astype(np.uint8)


def write_picture(path: Path, pixels: NDArray[np.uint8]) -> Path:
    """Write grey or RGB pixels as JPEG or PNG, by the name; raises UsageError for a folder that cannot be written."""
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY] if path.suffix == ".jpg" else []
    _, data = cv2.imencode(path.suffix, pixels, options)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise UsageError(
            f"expected a folder that can be written, got {path.parent}: {error.strerror}",
            hint="choose another folder",
        ) from error
    return path
