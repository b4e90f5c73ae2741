"""Prepare a picture for a detector: even the light, align the part, cut windows, select the cells that count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.view.alignment import Alignment, Pose, warp
from flawline.core.view.foreground import Foreground
from flawline.core.view.framing import Framing, map_size, scaled_size
from flawline.core.view.illumination import Illumination
from flawline.core.view.region_of_interest import RegionOfInterest, cells_inside, pixels_inside
from flawline.core.view.tiling import Window, cell_share, cut, stitch, window_places
from flawline.types import Picture

Size = tuple[int, int]

WHOLE = 0.95
"""Share of a cell that an aligned picture must show for the cell to be judged: its edge, continued, is no part."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The preparation of every picture, the same in training and in inspection.

    None leaves a step out. The region of interest is in pixels of the aligned picture.
    """

    framing: Framing
    light: Illumination | None = None
    alignment: Alignment | None = None
    region: RegionOfInterest | None = None
    foreground: Foreground | None = None

    def look(self, picture: Picture, pose: Pose | None = None) -> PreparedPicture:
        """Prepare one picture; a `pose` that is known already is not searched."""
        pixels = picture.pixels if self.light is None else self.light.apply(picture.pixels)
        size = picture.pixels.shape[0], picture.pixels.shape[1]
        seen = None
        if self.alignment is not None and pose is None:
            pose = self.alignment.find(pixels)
        if pose is not None:
            pixels, seen = warp(pixels, pose)
        aligned = pixels.shape[0], pixels.shape[1]
        wanted = self._inside(pixels)
        if seen is None or seen.all():
            return PreparedPicture(self, pixels, size, aligned, pose, wanted, 0.0)
        there = cell_share(seen, self.framing) >= WHOLE
        inside = there if wanted is None else wanted & there
        unseen = self._unseen(inside, wanted, aligned)
        return PreparedPicture(self, pixels, size, aligned, pose, inside, unseen)

    def _unseen(
        self, inside: NDArray[np.bool_], wanted: NDArray[np.bool_] | None, aligned: Size
    ) -> float:
        """Compute the share of the places to look at, where most good pictures show something, that do not show.

        A turned square loses its corners, and a large part that is brought to the usual size shows less around it: what
        most good pictures do not show either is no loss.
        """
        asked = np.ones_like(inside) if wanted is None else wanted
        if self.alignment is not None:
            usual = cell_share(self.alignment.usually_shown(aligned), self.framing) >= WHOLE
            asked = asked & usual if (asked & usual).any() else asked
        return 1 - int((inside & asked).sum()) / max(int(asked.sum()), 1)

    def _inside(self, pixels: NDArray[np.uint8]) -> NDArray[np.bool_] | None:
        """Select the cells that count, bool (h, w); None where all do."""
        size = pixels.shape[0], pixels.shape[1]
        masks = []
        if self.region is not None:
            masks.append(pixels_inside(self.region, size))
        if self.foreground is not None:
            masks.append(self.foreground.inside(pixels))
        if not masks:
            return None
        inside: NDArray[np.bool_] = np.logical_and.reduce(masks)
        return (
            cells_inside(inside, self.framing)
            if inside.any()
            else np.zeros(map_size(size, self.framing), bool)
        )


@dataclass(frozen=True, slots=True, eq=False)
class PreparedPicture:
    """A prepared picture: `pixels` after light and alignment, `size` of the picture and `aligned` size (height, width).

    `inside` is bool (h, w), the cells of the map that count, None where all do; `pose` is how the part lies; `unseen`
    the share of the places to look at, of those that most good pictures show, that lie outside the picture as the part
    lies in it.
    """

    view: View
    pixels: NDArray[np.uint8]
    size: Size
    aligned: Size
    pose: Pose | None
    inside: NDArray[np.bool_] | None
    unseen: float

    def windows(self) -> Iterator[Window]:
        """Cut the windows that the detector scores, one after the other."""
        return cut(self.pixels, self.view.framing)

    def join(self, maps: Mapping[int, NDArray[np.float32]]) -> NDArray[np.float32]:
        """Join the maps of windows to one of the aligned picture, in the order of `windows`."""
        if len(maps) == 1:
            return maps[0]
        places = window_places(self.aligned, self.view.framing)
        return stitch(((places[k], maps[k]) for k in maps), self.view.framing, self.aligned)

    def counts_at(self, points: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Whether places (n, 2), x and y in px of the picture, lie where the picture is to be looked at, bool (n,)."""
        if self.inside is None:
            return np.ones(len(points), bool)
        matrix = np.eye(2, 3) if self.pose is None else self.pose.matrix
        aligned = points @ matrix[:, :2].T + matrix[:, 2]
        height, width = scaled_size(self.aligned, self.view.framing)
        factors = np.array([width / self.aligned[1], height / self.aligned[0]])
        columns, rows = (aligned * factors / self.view.framing.cell).astype(int).T
        there = (rows >= 0) & (rows < self.inside.shape[0])
        there &= (columns >= 0) & (columns < self.inside.shape[1])
        there[there] = self.inside[rows[there], columns[there]]
        return np.asarray(there, bool)

    def without_pixels(self) -> PreparedPicture:
        """Drop the pixels: what is left still joins maps, and takes little memory."""
        return replace(self, pixels=np.zeros((0, 0, 3), np.uint8))

    def in_picture(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """Transform a map of the aligned picture to one that covers the picture itself, at about as many cells.

        What does not count, and what alignment moved out of sight, has the lowest score of what counts.
        """
        floor = float(scores.min() if self.inside is None else scores[self.inside].min())
        if self.inside is not None:
            scores = np.where(self.inside, scores, np.float32(floor))
        framing = self.view.framing
        rows, columns = map_size(self.aligned, framing)
        if self.pose is None and scaled_size(self.aligned, framing) == (
            rows * framing.cell,
            columns * framing.cell,
        ):
            return scores
        across, down = self.size[1] / columns, self.size[0] / rows
        # From a cell of the result over picture and aligned picture to a cell of the map, all by their centres.
        result = _affine(across, down, (across - 1) / 2, (down - 1) / 2)
        pose = np.eye(3) if self.pose is None else np.vstack([self.pose.matrix, [0, 0, 1]])
        height, width = scaled_size(self.aligned, framing)
        x, y = width / self.aligned[1] / framing.cell, height / self.aligned[0] / framing.cell
        cells = _affine(x, y, x / 2 - 0.5, y / 2 - 0.5)
        matrix = (cells @ pose @ result)[:2]
        return np.asarray(
            cv2.warpAffine(
                scores,
                matrix,
                (columns, rows),
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_CONSTANT if self.pose is not None else cv2.BORDER_REPLICATE,
                borderValue=floor,
            ),
            np.float32,
        )


def _affine(x: float, y: float, right: float, down: float) -> NDArray[np.float64]:
    return np.array([[x, 0, right], [0, y, down], [0, 0, 1]])
