"""Parts of large pictures for the viewer, cut when they are looked at."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.data.image import read_image
from flawline.records.record import StoredRecord
from flawline.server.errors import ServerError
from flawline.server.pictures import jpeg, value_range_of
from flawline.server.state import ServerState

SIDE = 512
"""Pixels of a tile on either side."""
DEEPEST = 8
MOST_BYTES = 200 * 1024**2
"""Decoded pictures that are kept for the next tiles, in bytes."""


class _Decoded:
    """The pictures that were looked at last, decoded; safe from several threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: OrderedDict[tuple[int, str], NDArray[np.uint8]] = OrderedDict()

    def get(self, state: ServerState, name: str, kept: StoredRecord) -> NDArray[np.uint8]:
        """Return the pixels of a stored picture (SHA-256, hex), upright RGB."""
        key = id(state), name
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
            # Under the lock: the tiles of a picture are asked for together, and one decodes for all.
            value_range = value_range_of(state, kept.record.recipe)
            data = state.pictures.get(name)
            pixels = read_image(data, value_range=value_range, limits=state.limits).pixels
            self._kept[key] = pixels
            while (
                sum(one.nbytes for one in self._kept.values()) > MOST_BYTES and len(self._kept) > 1
            ):
                self._kept.popitem(last=False)
            return pixels


_DECODED = _Decoded()


def tile(
    state: ServerState, name: str, kept: StoredRecord, level: int, column: int, row: int
) -> bytes:
    """Cut a tile of a picture as JPEG: `level` 0 is full size, and each further one half of it.

    Raises:
        ServerError: ("not-found") the picture has no such tile.
        StoreError: the picture is not there or was altered.
    """
    if not (0 <= level <= DEEPEST and column >= 0 and row >= 0):
        raise ServerError("there is no such tile", code="not-found")
    pixels = _DECODED.get(state, name, kept)
    step = SIDE << level
    part = pixels[row * step : (row + 1) * step, column * step : (column + 1) * step]
    if not part.size:
        raise ServerError("there is no such tile", code="not-found")
    if level:
        size = (max(1, part.shape[1] >> level), max(1, part.shape[0] >> level))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return jpeg(np.ascontiguousarray(part))
