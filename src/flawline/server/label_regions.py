"""Regions for a page that draws masks: run lengths within a box, and outlines."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flawline.core.labelling.pieces import Box, Piece, pieces_of
from flawline.core.run_lengths import row_runs
from flawline.jobs.label.label_store import LabelStore
from flawline.server.state import ServerState

Region = tuple[Box, NDArray[np.bool_]]
MOST_PROPOSED = 300


def region_as_dict(box: Box, pixels: NDArray[np.bool_]) -> dict[str, Any]:
    """Convert a region to plain values: `runs` are lengths outside and inside in turn, along the rows of its box."""
    piece = Piece(1, box, pixels)
    return {
        "box": list(box),
        "runs": list(row_runs(pixels)),
        "area": piece.area,
        "outlines": [[round(value, 1) for value in line] for line in piece.outlines()],
    }


def proposed(state: ServerState, product: str, store: LabelStore, key: str) -> list[dict[str, Any]]:
    """Let the recipe of a product look at a picture: the regions that it marks, the largest first.

    Raises:
        ServerError: ("product-unknown") there is no such product.
        ImageError: the picture does not suit the recipe.
    """
    picture = store.picture(key)
    with state.products.using(product) as used:
        inspection = used.inspector.inspect(picture)
    peaks = {region.box: region.peak for region in inspection.regions}
    names = ("background", *store.settings.classes)
    found = []
    for piece in sorted(pieces_of(inspection.class_mask), key=lambda one: -one.area):
        label = inspection.classes[piece.number]
        found.append(
            {
                **region_as_dict(piece.box, piece.pixels),
                "class": names.index(label) if label in names[1:] else None,
                "label": label,
                "score": peaks.get(piece.box),
            }
        )
    return found[:MOST_PROPOSED]
