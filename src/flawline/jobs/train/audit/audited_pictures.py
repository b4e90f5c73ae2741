"""Draw audited pictures: the mask, the prediction, and where the two disagree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.core.segmentation_metrics import IGNORE
from flawline.data.masks.rle import paint_coco
from flawline.jobs.train.audit.label_audit import AuditedPicture
from flawline.jobs.train.audit.suspicious_regions import KINDS

SIDE = 420
Colour = tuple[int, int, int]
Pixels = NDArray[np.uint8]
Window = tuple[slice, slice]

# Okabe and Ito's palette, which colour-blind people can distinguish.
CLASS_COLOURS: tuple[Colour, ...] = (
    (86, 180, 233),
    (204, 121, 167),
    (230, 159, 0),
    (0, 114, 178),
    (240, 228, 66),
    (0, 158, 115),
)
KIND_COLOURS: dict[str, Colour] = {
    "missing": (213, 94, 0),
    "extra": (245, 245, 245),
    "class": (0, 158, 115),
    "border": (240, 228, 66),
}
_UNKNOWN: Colour = (128, 128, 128)
_LIES: Colour = (255, 255, 255)
_BELONGS: Colour = (0, 114, 178)


@dataclass(frozen=True, slots=True, eq=False)
class Panels:
    """Four pictures of one size: plain, with the mask, with the prediction, and grey with the suspicious regions.

    On the last one a shifted mark has two outlines, white as it lies and blue where it would meet the prediction.
    `place` names the part of a large picture that they show; empty where they show all.
    """

    images: tuple[Pixels, Pixels, Pixels, Pixels]
    place: str


def draw_panels(
    picture: AuditedPicture, pixels: Pixels, mask: Pixels, probabilities: NDArray[np.float32]
) -> Panels:
    """Draw an audited picture, uint8 RGB (H, W, 3), with its mask (H, W) and probabilities (C, H, W)."""
    rows, columns = window = _window(picture)
    part = np.ascontiguousarray(pixels[window])
    grey = np.repeat(cv2.cvtColor(part, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    predicted = probabilities[:, rows, columns].argmax(0).astype(np.uint8)
    kinds = _kinds(picture)[window]
    of_kind = tuple(KIND_COLOURS[kind] for kind in KINDS)
    suspicious = _laid_over(np.asarray(grey, np.uint8), kinds, of_kind, strength=0.75)
    for lies, belongs in _shifted_marks(picture, mask):
        _outline(suspicious, lies[window], _LIES)
        _outline(suspicious, belongs[window], _BELONGS)
    images = (
        part,
        _laid_over(part, mask[window], CLASS_COLOURS),
        _laid_over(part, predicted, CLASS_COLOURS),
        suspicious,
    )
    whole = part.shape[:2] == picture.size
    shown = f"{columns.start}, {rows.start} to {columns.stop}, {rows.stop} px"
    first, second, third, fourth = (thumbnail(image, SIDE) for image in images)
    return Panels((first, second, third, fourth), "" if whole else shown)


def _window(picture: AuditedPicture) -> Window:
    """Choose the rows and columns to show: all of a small picture, else a square around its first region."""
    height, width = picture.size
    if max(height, width) <= 2 * SIDE or not picture.regions:
        return slice(0, height), slice(0, width)
    left, top, across, down = picture.regions[0].box
    side = max(SIDE, round(1.5 * max(across, down)))
    return _span(top + down // 2, side, height), _span(left + across // 2, side, width)


def _span(centre: int, side: int, limit: int) -> slice:
    start = min(max(centre - side // 2, 0), max(limit - side, 0))
    return slice(start, min(start + side, limit))


def _kinds(picture: AuditedPicture) -> Pixels:
    """Draw the kinds of suspicious regions, uint8 (H, W), numbered from 1."""
    places = np.zeros(picture.size, np.uint8)
    for region in reversed(picture.regions):
        paint_coco(list(region.runs), list(picture.size), places, KINDS.index(region.kind) + 1)
    return places


def _shifted_marks(picture: AuditedPicture, mask: Pixels) -> Iterator[tuple[Pixels, Pixels]]:
    """Yield each shifted mark of a mask (H, W) as it lies and where it belongs, 0 or 1 in uint8 (H, W)."""
    for region in picture.regions:
        if region.shift is None:
            continue
        own = np.zeros(picture.size, np.uint8)
        paint_coco(list(region.runs), list(picture.size), own, 1)
        row, column = np.argwhere(own > 0)[0].tolist()
        # A shifted mark has a region on itself and one beside it; the first tells which mark it is.
        if not mask[row, column]:
            continue
        same = (mask == mask[row, column]).view(np.uint8)
        labels = cv2.connectedComponents(same, connectivity=8)[1]
        lies = (labels == labels[row, column]).astype(np.uint8)
        move = np.array([[1, 0, -region.shift[0]], [0, 1, -region.shift[1]]], np.float32)
        size = (mask.shape[1], mask.shape[0])
        yield lies, np.asarray(cv2.warpAffine(lies, move, size, flags=cv2.INTER_NEAREST), np.uint8)


def _outline(drawn: Pixels, places: Pixels, colour: Colour) -> None:
    """Draw the outlines of places, 1 in uint8 (h, w), 1 px wide on RGB (h, w, 3)."""
    found = cv2.findContours(
        np.ascontiguousarray(places), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE
    )[0]
    cv2.drawContours(drawn, found, -1, colour, 1)


def _laid_over(
    pixels: Pixels, classes: Pixels, colours: tuple[Colour, ...], *, strength: float = 0.4
) -> Pixels:
    """Fill classes above 0 with their colours, and outline them."""
    drawn = pixels.astype(np.float32)
    for number in np.unique(classes[classes > 0]).tolist():
        colour = _UNKNOWN if number == IGNORE else colours[(number - 1) % len(colours)]
        places = classes == number
        inside = cv2.erode(places.view(np.uint8), np.ones((3, 3), np.uint8)).view(np.bool_)
        weight = np.where(inside, strength, 0.95)[places][:, None]
        drawn[places] = drawn[places] * (1 - weight) + np.array(colour, np.float32) * weight
    return np.rint(drawn).astype(np.uint8)
