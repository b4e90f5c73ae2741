"""Place defects on the part by the alignment of a recipe, whatever way each part lies in its picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.alignment import LEAST_QUALITY, Alignment, Pose, warp
from flawline.core.view.registration import rescaled
from flawline.data.stream import Readable, map_pictures
from flawline.errors import FlawlineError
from flawline.inspector.view import View
from flawline.jobs.study.inspected_parts import InspectedParts
from flawline.jobs.study.mean_picture import MOST, MeanPicture, mean_of, shrunk_size
from flawline.types import Picture, Sample, Track, Unjudged

Floats = NDArray[np.float64]
# Where fewer of the pictures show a place no defect is expected.
_SHOWN = 0.5


@dataclass(frozen=True, slots=True)
class AlignedBy:
    """How places came into the coordinates of the part: by the `method` of the alignment of `recipe`.

    `aligned` pictures with a defect were aligned; those in `lost` were not, and their parts are left out. `centre`
    (x, y) is that of the part, px of the aligned picture, where the alignment knows it.
    """

    recipe: str
    method: str
    aligned: int
    lost: tuple[Unjudged, ...]
    centre: tuple[float, float] | None


@dataclass(frozen=True, slots=True, eq=False)
class AlignedPlaces:
    """Inspections whose defects lie in px of the picture that a recipe aligns to, and the `seen` mean of the parts."""

    found: InspectedParts
    by: AlignedBy
    seen: MeanPicture


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """`matrix` (2, 3) from a picture to the aligned one, None with the `reason`; `small` shows the part aligned."""

    matrix: Floats | None
    reason: str
    small: NDArray[np.uint8]
    shown: NDArray[np.bool_]


def align_places(
    found: InspectedParts,
    view: View,
    recipe: str,
    pictures: Readable,
    names: Sequence[str | None],
    track: Track,
) -> AlignedPlaces:
    """Turn the places of defects, px of each picture, into those of the picture that the alignment of a view leads to.

    Only pictures with a defect are read. An inspection whose picture cannot be read or aligned is left out.

    Args:
        found: inspections, and defects with their places in their pictures.
        view: of the recipe; it has an alignment.
        recipe: how the recipe is called.
        pictures: where they are read.
        names: of the picture of each inspection, (N,).
        track: shows progress.

    Raises:
        FlawlineError: ("study-alignment") no picture can be aligned.
    """
    assert view.alignment is not None
    alignment = _lenient(view.alignment)
    known = np.isfinite(found.places).all(axis=1)
    rows = np.unique(found.owner[known])
    wanted = list(dict.fromkeys(names[row] or "" for row in rows))
    seen, lost, small = _looked_at(replace(view, alignment=alignment), pictures, wanted, track)
    images = found.columns.get("image", names)
    shown = {names[row] or "": images[row] or "" for row in rows}
    lost = [replace(one, image=shown[one.image] or one.image) for one in lost]
    if not seen:
        raise FlawlineError(
            f"none of {len(wanted)} pictures can be aligned: {lost[0].image}: {lost[0].reason}",
            hint="give the recipe of these parts, and their pictures as they were inspected",
            code="study-alignment",
        )
    kept = np.ones(found.count, bool)
    turned = np.zeros((found.count, 2, 3))
    for row in rows:
        matrix = seen.get(names[row] or "")
        kept[row] = matrix is not None
        turned[row] = 0 if matrix is None else matrix
    own = turned[found.owner]
    placed = np.einsum("dij,dj->di", own[:, :, :2], found.places) + own[:, :, 2]
    by = AlignedBy(recipe, alignment.method, len(seen), tuple(lost), _centre(alignment))
    mean = _mean(small, alignment.size)
    moved = replace(found, places=placed, extent=mean.extent, frame="px")
    return AlignedPlaces(moved.only(kept), by, mean)


def _lenient(alignment: Alignment) -> Alignment:
    """Ask for half of the usual likeness: what an inspection must not trust is a part with a defect here.

    The limit of inspections is that of good parts, and any large defect goes below it. The best pose stays the best;
    what has nothing to do with the part is far below.
    """
    return replace(alignment, limit=min(alignment.limit, (alignment.usual + LEAST_QUALITY) / 2))


def _looked_at(
    view: View, pictures: Readable, names: Sequence[str], track: Track
) -> tuple[dict[str, Floats], list[Unjudged], list[_Seen]]:
    """Align pictures: their matrices by name, those that were lost, and up to 200 small ones."""
    samples = [Sample(name) for name in names]
    results = map_pictures(pictures, samples, partial(_aligned, view))
    every = -(-len(names) // MOST)
    seen: dict[str, Floats] = {}
    lost: list[Unjudged] = []
    small: list[_Seen] = []
    for place, (sample, result) in enumerate(track(results, title="Pictures", total=len(samples))):
        if isinstance(result, Unjudged):
            lost.append(result)
        elif result.matrix is None:
            lost.append(Unjudged(sample.name, "not-aligned", result.reason))
        else:
            seen[sample.name] = result.matrix
            if place % every == 0 or not small:
                small.append(result)
    return seen, lost, small


def _aligned(view: View, picture: Picture) -> _Seen:
    alignment = view.alignment
    assert alignment is not None
    pixels = picture.pixels if view.light is None else view.light.apply(picture.pixels)
    pose = alignment.find(pixels)
    size = shrunk_size(alignment.size)
    factors = alignment.size[1] / pixels.shape[1], alignment.size[0] / pixels.shape[0]
    # The pose is in px of this picture, and the aligned one is as large as those that the recipe was trained on.
    scale = np.array([[factors[0], 0, (factors[0] - 1) / 2], [0, factors[1], (factors[1] - 1) / 2]])
    matrix = scale @ np.vstack([pose.matrix, [0, 0, 1]])
    shrunk = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA)
    across, down = size[1] / pixels.shape[1], size[0] / pixels.shape[0]
    motion = rescaled(np.vstack([pose.matrix, [0, 0, 1]]), across, down)[:2]
    small, shown = warp(np.asarray(shrunk, np.uint8), Pose(motion, pose.quality))
    return _Seen(matrix if pose.found else None, pose.reason, small, shown)


def _mean(small: Sequence[_Seen], size: tuple[int, int]) -> MeanPicture:
    """Average the aligned parts; where few of them are seen there is no part."""
    mean = mean_of([one.small for one in small], size)
    shown = np.mean([one.shown for one in small], axis=0) >= _SHOWN
    if shown.all():
        return mean
    return replace(mean, inside=shown if mean.inside is None else shown & mean.inside)


def _centre(alignment: Alignment) -> tuple[float, float] | None:
    """Return the centre of a round part, px of the aligned picture."""
    if alignment.method != "polar":
        return None
    height, width = alignment.reference.shape
    across, down = alignment.size[1] / width, alignment.size[0] / height
    x, y = alignment.centre
    return (x + 0.5) * across - 0.5, (y + 0.5) * down - 0.5
