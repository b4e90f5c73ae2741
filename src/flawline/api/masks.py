"""Class masks as calls take them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import cast

from flawline.api.settings import ClassNames, Ignore, Palette, ValueRange
from flawline.data.masks import MaskedSource, MaskSettings, open_masked
from flawline.data.masks.mask_settings import Unlabelled
from flawline.data.masks.shapes import Boxes
from flawline.data.source import Source


def mask_settings(
    annotations: str | os.PathLike[str] | None,
    classes: ClassNames,
    palette: Palette,
    ignore: Ignore,
    unlabelled: str = "leave-out",
    threshold: float | None = None,
    boxes: str = "refuse",
) -> MaskSettings:
    """Gather where class masks are and what they hold."""
    place = None if annotations is None else Path(annotations)
    return MaskSettings(
        place,
        classes,
        palette,
        ignore,
        cast(Unlabelled, unlabelled),
        threshold,
        cast(Boxes, boxes),
    )


def masks_of(
    source: Source | MaskedSource,
    settings: MaskSettings,
    value_range: ValueRange = None,
    *,
    measuring: bool = False,
) -> AbstractContextManager[MaskedSource]:
    """Open the class masks of an open source; masks that are open already stay so. Errors as for `open_masks`."""
    if isinstance(source, MaskedSource):
        return nullcontext(source)
    return open_masked(source, settings, value_range=value_range, measuring=measuring)
