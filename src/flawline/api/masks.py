"""Class masks as calls take them."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, cast

from flawline.api.settings import ClassNames, Ignore, Palette, ValueRange
from flawline.data.masks import MaskedSource, open_masks
from flawline.data.source import Source


def masks_of(
    source: Source | MaskedSource,
    annotations: str | os.PathLike[str] | None,
    classes: ClassNames,
    palette: Palette,
    ignore: Ignore,
    unlabelled: str,
    value_range: ValueRange = None,
) -> AbstractContextManager[MaskedSource]:
    """Open the class masks of an open source; masks that are open already stay so. Errors as for `open_masks`."""
    if isinstance(source, MaskedSource):
        return nullcontext(source)
    return open_masks(
        source,
        annotations=None if annotations is None else Path(annotations),
        classes=classes,
        palette=palette,
        ignore=ignore,
        unlabelled=cast(Literal["leave-out", "empty"], unlabelled),
        value_range=value_range,
    )
