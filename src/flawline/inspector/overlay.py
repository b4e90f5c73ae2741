"""Draw the overlay of an inspection."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import class_colour, class_overlay, heat_overlay, outline_regions
from flawline.inspector.inspection import Inspection


def inspection_overlay(pixels: NDArray[np.uint8], inspection: Inspection) -> NDArray[np.uint8]:
    """Outline the regions on a copy of the picture at any scale: over heat, or by class where there is no range for it.

    `pixels` are uint8 RGB (h, w, 3); so is what comes back.
    """
    scale = pixels.shape[0] / inspection.size[0]
    if inspection.heat_range is not None:
        drawn = np.ascontiguousarray(heat_overlay(pixels, inspection.map, *inspection.heat_range))
        outline_regions(drawn, inspection.regions, scale)
        return drawn
    drawn = class_overlay(pixels, inspection.class_mask)
    for number, name in enumerate(inspection.classes[1:], start=1):
        own = [region for region in inspection.regions if region.label == name]
        outline_regions(drawn, own, scale, class_colour(number))
    return drawn
