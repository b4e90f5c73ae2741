"""Draw defects into a good picture, inspect each, and tell which are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.self_test import DrawnTrial
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
    *,
    name: str,
    seed: int,
) -> list[DrawnTrial | None]:
    """Draw each defect alone into a picture and inspect it; None for those that no place has room for.

    A defect is found where the picture is not accepted and a marked place lies on the defect, as `evaluate` counts the
    regions of masks.
    """
    look = None if view is None else view.look(picture)
    inside = None if look is None else part_pixels(look)
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


def part_pixels(look: PreparedPicture) -> NDArray[np.bool_] | None:
    """Find the pixels of a picture that its recipe looks at, bool (H, W); None where it looks at all."""
    if look.inside is None:
        return None
    framing = look.view.framing
    height, width = scaled_size(look.aligned, framing)
    cells = np.kron(look.inside, np.ones((framing.cell, framing.cell), np.uint8))
    seen = cv2.resize(
        cells[:height, :width].astype(np.uint8),
        (look.aligned[1], look.aligned[0]),
        interpolation=cv2.INTER_NEAREST,
    )
    if look.pose is None:
        return np.asarray(seen > 0)
    flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
    back = cv2.warpAffine(seen, look.pose.matrix, (look.size[1], look.size[0]), flags=flags)
    return np.asarray(back > 0)
