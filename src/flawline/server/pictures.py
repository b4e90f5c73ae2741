"""Pictures of records for a browser: small or whole, and their heat as a layer."""

from __future__ import annotations

import io
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from flawline.core.drawing import thumbnail
from flawline.data.array_file import npy_array
from flawline.data.image import read_image
from flawline.errors import StoreError
from flawline.inspector.parts import calibration_of, heat_range_of
from flawline.records.record import StoredRecord
from flawline.server.state import ServerState
from flawline.station.stored_recipe import stored_recipe

_QUALITY = 90


def picture_file(
    state: ServerState, name: str, side: int | None, kept: StoredRecord | None = None
) -> bytes:
    """Read a stored picture (SHA-256, hex) as JPEG, upright, at most `side` px on the longer side.

    Raises:
        StoreError: it is not there or was altered.
        ImageError: it cannot be read.
    """
    value_range = None if kept is None else value_range_of(state, kept.record.recipe)
    picture = read_image(state.pictures.get(name), value_range=value_range, limits=state.limits)
    pixels = picture.pixels if side is None else thumbnail(picture.pixels, side)
    return jpeg(pixels)


def jpeg(pixels: NDArray[np.uint8]) -> bytes:
    """Encode uint8 RGB (h, w, 3) as JPEG."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=_QUALITY)
    return buffer.getvalue()


def heat_png(state: ServerState, name: str, recipe: str) -> bytes:
    """Draw a stored map (SHA-256, hex) as PNG: magma over what its recipe takes as usual, clear below.

    Raises:
        StoreError: the map or recipe is not there or was altered.
    """
    scores = npy_array(state.pictures.get(name))
    return heat_layer(scores, *_heat_range(state, recipe))


def heat_layer(scores: NDArray[np.floating], low: float, high: float) -> bytes:
    """Draw scores (h, w) as PNG in colours of magma: clear at `low` and below, full at `high` and above."""
    level = np.clip((scores.astype(np.float32) - low) / max(high - low, 1e-12), 0, 1)
    codes = (level * 255).astype(np.uint8)
    colours = cv2.applyColorMap(codes, cv2.COLORMAP_MAGMA)
    clear = np.rint(255 * np.minimum(1, 1.6 * level)).astype(np.uint8)
    ok, data = cv2.imencode(".png", np.dstack([colours, clear]))
    assert ok
    return bytes(data.tobytes())


def value_range_of(state: ServerState, recipe: str) -> tuple[float, float] | None:
    """Return the range of values that a recipe reads deep pictures with."""
    return _facts(state, recipe)[1]


def limits_of(state: ServerState, recipe: str) -> dict[str, float]:
    """Return the scores from which a recipe reviews and rejects; empty where it has no such limits."""
    return dict(_facts(state, recipe)[2])


def _heat_range(state: ServerState, recipe: str) -> tuple[float, float]:
    return _facts(state, recipe)[0]


@lru_cache(maxsize=256)
def _facts(
    state: ServerState, recipe: str
) -> tuple[tuple[float, float], tuple[float, float] | None, dict[str, float]]:
    """Heat range, value range and limits of scores of a stored recipe, which never change."""
    try:
        found = stored_recipe(state.store, state.pictures, recipe)
    except StoreError:
        return (0.0, 1.0), None, {}
    if found.settings.task != "anomaly":
        return (0.0, 1.0), found.manifest.value_range, {}
    limit = found.settings.threshold
    limits = {} if limit is None else {"review": limit.review, "reject": limit.reject}
    return heat_range_of(found, calibration_of(found)), found.manifest.value_range, limits
