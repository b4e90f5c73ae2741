"""What several calls take in the same way."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from flawline.errors import UsageError
from flawline.features.compute import FeatureSettings

FEATURES = "histogram_of_gradients,embedding"
"""Features of a picture where none are named."""

ValueRange: TypeAlias = tuple[float, float] | None
Window: TypeAlias = int | str | tuple[int, int]
ClassNames: TypeAlias = Sequence[str] | Mapping[int, str] | None
Ignore: TypeAlias = int | str | tuple[int, int, int] | None
Palette: TypeAlias = Mapping[str, tuple[int, int, int]] | None


def feature_settings(
    features: str | Sequence[str],
    backbone: str,
    preparation: str | None,
    size: int | None,
    precision: str,
    value_range: ValueRange,
    weights: str | os.PathLike[str] | None,
) -> FeatureSettings:
    """Gather what features are computed with; `features` may be a text with commas."""
    names = features.split(",") if isinstance(features, str) else features
    return FeatureSettings(
        features=tuple(name.strip() for name in names if name.strip()),
        backbone=os.fspath(backbone),
        preparation=preparation,
        size=size,
        precision=precision,
        value_range=value_range,
        weights=path_text(weights),
    )


def path_text(path: str | os.PathLike[str] | None) -> str | None:
    """Give a path as text, None as None."""
    return None if path is None else os.fspath(path)


def window_of(window: Window, what: str = "window") -> tuple[int, int]:
    """Read (height, width) in px from one number, two, or a text such as "256x512"."""
    if isinstance(window, tuple) and len(window) == 2:
        return int(window[0]), int(window[1])
    sides = str(window).lower().split("x")
    if len(sides) not in (1, 2) or not all(side.strip().isdecimal() for side in sides):
        raise UsageError(
            f'`{what}` takes 256, "HEIGHTxWIDTH" or (height, width) in px, got {window!r}'
        )
    return int(sides[0]), int(sides[-1])
