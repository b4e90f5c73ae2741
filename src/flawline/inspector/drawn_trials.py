"""Draw defects into a good picture, inspect each, and tell which are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.self_test import DrawnTrial
from flawline.core.view.foreground import Foreground
from flawline.core.view.framing import scaled_size
from flawline.inspector.inspector import Inspector
from flawline.inspector.self_test_plan import DrawnDefect
from flawline.inspector.view import PreparedPicture, View
from flawline.synthetic.drawn_defects import draw_defect
from flawline.types import Picture


def inspect_drawn(
    picture: Picture,
    defects: Sequence[DrawnDefect],
    inspector: Inspector,
    view: View | None,
    part: Foreground,
    *,
    name: str,
    seed: int,
) -> list[DrawnTrial | None]:
    """Draw each defect alone into a picture and inspect it; None for those that no place has room for.

    A defect is found where the picture is not accepted and a marked place lies on the defect, as `evaluate` counts the
    regions of masks.
    """
    look = None if view is None else view.look(picture)
    inside = part_pixels(picture, look, part)
    return [_trial(picture, defect, inspector, look, inside, name, seed) for defect in defects]


def _trial(
    picture: Picture,
    defect: DrawnDefect,
    inspector: Inspector,
    look: PreparedPicture | None,
    inside: NDArray[np.bool_] | None,
    name: str,
    seed: int,
) -> DrawnTrial | None:
    """Draw one defect and inspect the picture; None where no place has room for it."""
    try:
        drawn, mask = drawn_into(picture, defect, inside, seed)
    except ValueError:
        return None
    inspection = inspector.inspect(drawn)
    noticed = inspection.verdict != "accept"
    found = noticed and bool((inspection.class_mask[mask] > 0).any())
    row, column = _place(mask, look)
    return DrawnTrial(
        defect.number,
        defect.kind,
        defect.contrast,
        defect.width,
        defect.length,
        name,
        row,
        column,
        noticed,
        found,
    )


def _place(mask: NDArray[np.bool_], look: PreparedPicture | None) -> tuple[float, float]:
    """Find the middle of a mask in the frame of the part, in shares of its height and width."""
    row, column = np.argwhere(mask).mean(axis=0)
    height, width = mask.shape
    if look is not None and look.pose is not None:
        column, row = look.pose.matrix @ np.array([column, row, 1.0])
        height, width = look.aligned
    inside = np.clip([(row + 0.5) / height, (column + 0.5) / width], 0, 1)
    return float(inside[0]), float(inside[1])


def drawn_into(
    picture: Picture,
    defect: DrawnDefect,
    inside: NDArray[np.bool_] | None,
    seed: int,
) -> tuple[Picture, NDArray[np.bool_]]:
    """Draw a defect of a plan into a picture; the same seed gives the same place and shape.

    Raises:
        ValueError: no place has room for it.
    """
    rng = np.random.default_rng((seed, defect.number))
    size = defect.width, defect.length
    pixels, mask = draw_defect(picture.pixels, inside, defect.kind, size, defect.contrast, rng)
    return replace(picture, pixels=pixels), mask


def part_pixels(
    picture: Picture, look: PreparedPicture | None, part: Foreground | None = None
) -> NDArray[np.bool_] | None:
    """Find the pixels that defects are drawn at, bool (H, W); None for all.

    These are the pixels of the part, as far as it stands clear of its ground, at which the recipe looks.

    Args:
        picture: the picture.
        look: the picture as the recipe prepares it; None of a segmenter.
        part: where the part lies in prepared pictures.
    """
    pixels = picture.pixels if look is None else look.pixels
    clear = None if part is None or part.kind == "none" else part.inside(pixels)
    if look is None:
        return clear
    seen = _looked_at(look)
    if clear is not None and (clear & seen).any():
        seen = clear & seen
    if seen.all() and look.pose is None:
        return None
    if look.pose is None:
        return seen
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    size = look.size[1], look.size[0]
    back = cv2.warpAffine(seen.astype(np.uint8), look.pose.matrix, size, flags=flags)
    return np.asarray(back > 0)


def _looked_at(look: PreparedPicture) -> NDArray[np.bool_]:
    """Find the pixels of the prepared picture whose cells count, bool (H, W)."""
    if look.inside is None:
        return np.ones(look.aligned, bool)
    framing = look.view.framing
    height, width = scaled_size(look.aligned, framing)
    cells = np.kron(look.inside, np.ones((framing.cell, framing.cell), np.uint8))
    seen = cv2.resize(
        cells[:height, :width].astype(np.uint8),
        (look.aligned[1], look.aligned[0]),
        interpolation=cv2.INTER_NEAREST,
    )
    return np.asarray(seen > 0)
