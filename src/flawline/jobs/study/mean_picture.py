"""The mean picture of a part, and where the part is on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.thinning import thinned
from flawline.core.view.foreground import fit_foreground
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import SourceError
from flawline.types import Picture, Track, Unjudged

MOST = 200
_LONGER = 640


@dataclass(frozen=True, slots=True, eq=False)
class MeanPicture:
    """Mean grey `mean` uint8 (H, W), the part `inside` it (None: everywhere), and the extent of the pictures in px."""

    mean: NDArray[np.uint8]
    inside: NDArray[np.bool_] | None
    extent: tuple[float, float, float, float]
    note: str


def mean_picture(source: Source, track: Track) -> MeanPicture:
    """Average up to 200 pictures of one size.

    Raises:
        SourceError: none can be read, or they differ in size.
    """
    samples = thinned(source.samples(), MOST)
    results = map_pictures(source, samples, _small)
    small: list[NDArray[np.uint8]] = []
    sizes: set[tuple[int, int]] = set()
    for _, result in track(results, title="Pictures", total=len(samples)):
        if not isinstance(result, Unjudged):
            small.append(result[0])
            sizes.add(result[1])
    if not small:
        raise SourceError("none of the pictures can be read", hint="give pictures of the part")
    if len(sizes) > 1:
        raise SourceError(
            f"expected pictures of one size, got {len(sizes)} sizes",
            hint="places of defects can be laid over pictures of one framing alone",
        )
    ((height, width),) = sizes
    return mean_of(small, (height, width))


def mean_of(small: Sequence[NDArray[np.uint8]], size: tuple[int, int]) -> MeanPicture:
    """Average shrunk pictures (h, w, 3) of pictures of one `size` (height, width)."""
    ground = fit_foreground(small)
    grey = np.mean([cv2.cvtColor(one, cv2.COLOR_RGB2GRAY) for one in small], axis=0)
    inside = ground.inside(small[0]) if ground.kind == "fixed" else None
    return MeanPicture(
        np.asarray(np.round(grey), np.uint8),
        inside,
        (0.0, 0.0, float(size[1]), float(size[0])),
        f"the mean picture is that of {len(small)}; {ground.reason}",
    )


def shrunk_size(size: tuple[int, int]) -> tuple[int, int]:
    """Compute (height, width) of a shrunk picture of `size`."""
    factor = min(1.0, _LONGER / max(size))
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))


def _small(picture: Picture) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    pixels = picture.pixels
    height, width = shrunk_size((pixels.shape[0], pixels.shape[1]))
    shrunk = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(shrunk, np.uint8), (picture.height, picture.width)
