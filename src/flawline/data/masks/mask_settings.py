"""Settings of the class masks of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from flawline.data.masks.class_names import Classes, Ignore
from flawline.data.masks.pixels import Colour
from flawline.data.masks.shapes import Boxes

Unlabelled: TypeAlias = Literal["leave-out", "empty"]


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """Where class masks are and what they mean; `open_masks` describes each setting."""

    annotations: Path | None = None
    classes: Classes | None = None
    palette: Mapping[str, Colour] | None = None
    ignore: Ignore | None = None
    unlabelled: Unlabelled = "leave-out"
    threshold: float | None = None
    boxes: Boxes = "refuse"
