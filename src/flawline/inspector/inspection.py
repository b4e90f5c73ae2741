"""The inspection of one picture: regions, measures, score and verdict."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from flawline.errors import UsageError
from flawline.types import EMPTY, Picture, Region, Verdict

if TYPE_CHECKING:
    import polars
    from PIL.Image import Image

    from flawline.data.as_picture import PictureLike

OUTLINE = 200
"""Most points of a contour that are written out; longer ones are thinned evenly."""
SIDE = 1024
"""Longer side of an overlay at most, px."""


@dataclass(frozen=True, slots=True, eq=False)
class Inspection:
    """The inspection of one picture: regions, measures, score and verdict.

    `score` is raw and unclamped. `p_value` is the share of good parts that score as high, by the held-out good
    pictures, None where there are none. `map` is float32 (h, w) of raw scores over the whole picture, at most as fine
    as it; NaN-free, with the lowest score of the map outside the region of interest. `recipe` is the recipe's hash,
    `sha256` that of the picture file, `timings` milliseconds by stage. `class_mask` is uint8 (H, W), the class of each
    pixel of the picture, 0 where there is no defect; `measures` are those of the whole part by the names of its table,
    and `spec` the hash of the specification that it was judged by, empty where there is none.

    `classes` are the names of all classes, background first, `columns` those of what was measured of each defect, and
    `heat_range` the scores between which an overlay glows, None where it shows classes. `picture` reads the picture
    again for an overlay; None where the inspection must not keep it alive.
    """

    image: str
    sha256: str
    size: tuple[int, int]
    score: float
    p_value: float | None
    verdict: Verdict
    reasons: tuple[str, ...]
    regions: tuple[Region, ...]
    map: NDArray[np.float32]
    class_mask: NDArray[np.uint8]
    recipe: str
    timings: Mapping[str, float]
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)
    spec: str = ""
    classes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    heat_range: tuple[float, float] | None = None
    picture: Callable[[], Picture] | None = None

    def defects(self) -> polars.DataFrame:
        """List the defects as a table: one row each, with the same columns and types where there is none.

        Columns are the image's name, the defect's number from 1, its label, its box and area in px, its peak and
        p-value, then everything that was measured, as docs/reference/measurements.md names it.
        """
        from flawline.inspector.defects_frame import defects_frame

        return defects_frame(self.image, self.regions, self.columns)

    def overlay(
        self,
        picture: PictureLike | None = None,
        *,
        value_range: tuple[float, float] | None = None,
        side: int = SIDE,
    ) -> Image:
        """Draw the overlay of the inspection as a Pillow picture.

        Args:
            picture: the picture that was inspected, as `Inspector.inspect` takes it; needed only where the
                inspection has not kept it.
            value_range: of a given picture of more than 8 bits.
            side: longer side of the overlay at most, px.

        Raises:
            UsageError: the picture was not kept and is not given ("overlay-picture"), or another one is given.
            ImageError: it can no longer be read.
        """
        from PIL import Image

        from flawline.core.drawing import thumbnail
        from flawline.inspector.overlay import inspection_overlay

        pixels = self._pixels(picture, value_range)
        return Image.fromarray(inspection_overlay(thumbnail(pixels, side), self))

    def as_dict(self) -> dict[str, Any]:
        """Give everything but the map, the class mask and the timings as plain values, as JSON documents do."""
        height, width = self.size
        return {
            "image": self.image,
            "score": self.score,
            "p_value": self.p_value,
            "verdict": self.verdict,
            "reasons": list(self.reasons),
            "defects": [_defect(region) for region in self.regions],
            "width": width,
            "height": height,
            "sha256": self.sha256,
            "recipe": self.recipe,
            "spec": self.spec,
            "measures": dict(self.measures),
        }

    def _repr_html_(self) -> str:
        """Show the inspection in a notebook: the verdict and why, the defects, and the overlay where there is one."""
        from flawline.inspector.inspection_html import inspection_html

        return inspection_html(self)

    def _pixels(
        self, given: PictureLike | None, value_range: tuple[float, float] | None
    ) -> NDArray[np.uint8]:
        from flawline.data.as_picture import as_picture

        if given is not None:
            pixels = as_picture(given, value_range).pixels
        elif self.picture is not None:
            pixels = self.picture().pixels
        else:
            raise UsageError(
                "the inspection has not kept its picture",
                hint="give it: found.overlay(picture)",
                code="overlay-picture",
            )
        if pixels.shape[:2] != self.size:
            raise UsageError(
                f"expected the picture that was inspected, {self.size[1]} x {self.size[0]} px, got one of "
                f"{pixels.shape[1]} x {pixels.shape[0]} px",
                hint="give the picture that this inspection is of",
                code="overlay-picture",
            )
        return pixels


def _defect(region: Region) -> dict[str, Any]:
    step = max(1, -(-len(region.contour) // OUTLINE))
    return {
        "label": region.label,
        "box": list(region.box),
        "area": round(region.area, 2),
        "peak": region.peak,
        "p_value": region.p_value,
        "contour": [[round(float(x), 2), round(float(y), 2)] for x, y in region.contour[::step]],
        "measures": {name: nine_digits(value) for name, value in region.measures.items()},
    }


def nine_digits(value: float) -> float:
    """Round a measure of a defect as documents and tables hold it."""
    return float(f"{value:.9g}")
