"""Check the shape of pictures: a whole picture squeezed into one window loses its own."""

from __future__ import annotations

from collections.abc import Iterable

from flawline.errors import ImageError
from flawline.recipe import Recipe, RecipeManifest

TOLERANCE = 1.1
"""A picture may be so many times wider or narrower than any that was learnt from."""


def shape_settings(
    resolution: float | str,
    sizes: Iterable[tuple[int, int]],
    known: RecipeManifest | None = None,
) -> dict[str, list[float]]:
    """List the shapes of the training and calibration pictures for the manifest; empty unless pictures are squeezed.

    Args:
        resolution: that of the recipe, "fit" where pictures are squeezed into one window.
        sizes: (height, width) of the pictures, px.
        known: manifest of a recipe whose range they widen; without a range in it none is begun, since the earlier
            pictures are not known.
    """
    earlier = None if known is None else known.aspect_ratios
    if resolution != "fit" or (known is not None and earlier is None):
        return {}
    aspects = [*(width / height for height, width in sizes), *(earlier or ())]
    return {"aspect_ratios": [min(aspects), max(aspects)]} if aspects else {}


def check_shape(recipe: Recipe, size: tuple[int, int]) -> None:
    """Refuse a picture whose `size` (height, width) has another shape than the training pictures.

    Raises:
        ImageError: ("image-view") its width/height lies more than a tenth outside the range of theirs.
        ModelError: ("model-damaged") the recipe does not hold their range as two numbers.
    """
    known = recipe.manifest.aspect_ratios
    if known is None:
        return
    (height, width), (low, high) = size, known
    if low / TOLERANCE <= width / height <= high * TOLERANCE:
        return
    # What lists many pictures has room for the message alone, so the way out stands in it.
    raise ImageError(
        f"expected a picture of width/height {low:#.3g} to {high:#.3g} as in training, got {width} x {height} px "
        f"({width / height:#.3g}); crop it as for training, or train again with such pictures",
        hint="a detector learns further good pictures by `flawline update`",
        code="image-view",
    )
