"""Read small copies of pictures, for pages that show them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import SIDE, thumbnail
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.types import Sample, Unjudged


def read_thumbnails(
    source: Source,
    samples: Sequence[Sample],
    *,
    side: int = SIDE,
    value_range: tuple[float, float] | None = None,
) -> dict[str, NDArray[np.uint8]]:
    """Read thumbnails (uint8 RGB, at most `side` px) of samples by name; those that cannot be read are missing."""
    read = map_pictures(
        source, samples, lambda p: thumbnail(p.pixels, side), target=side, value_range=value_range
    )
    return {s.name: small for s, small in read if not isinstance(small, Unjudged)}
