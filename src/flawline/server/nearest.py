"""Find the accepted part that is most like another, to look at both side by side."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.core.likeness import most_alike
from flawline.data.image import read_image
from flawline.errors import FlawlineError
from flawline.records.record import StoredRecord
from flawline.records.where import Where
from flawline.server.pictures import value_range_of
from flawline.server.state import ServerState

AMONG = 24
"""The newest accepted parts that are looked at."""
_SIDE = 48


def nearest_good(state: ServerState, kept: StoredRecord) -> StoredRecord | None:
    """Find the accepted part, among the newest of the same recipe and size, whose picture is most alike; or None."""
    record = kept.record
    if record.picture is None:
        return None
    names = {"recipe": record.recipe} if record.recipe else {}
    page = state.store.page(Where(verdict=("accept",), names=names), count=AMONG)
    good = [
        one
        for one in page.items
        if one.verdict == "accept"
        and one.record.picture not in (None, record.picture)
        and one.record.size == record.size
    ]
    wanted = _small(state, record.picture, record.recipe)
    shown = [(one, _small(state, str(one.record.picture), record.recipe)) for one in good]
    known = [(one, small) for one, small in shown if small is not None]
    if wanted is None:
        return known[0][0] if known else None
    place = most_alike(wanted, [small for _, small in known])
    return None if place is None else known[place][0]


@lru_cache(maxsize=2048)
def _small(state: ServerState, name: str, recipe: str) -> NDArray[np.uint8] | None:
    """Read a stored picture small and grey; None where it cannot be read."""
    try:
        picture = read_image(
            state.pictures.get(name), value_range=value_range_of(state, recipe), limits=state.limits
        )
    except FlawlineError:
        return None
    small = thumbnail(picture.pixels, _SIDE)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
