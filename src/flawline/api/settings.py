"""What several calls take in the same way, and what they make of it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Literal, TypeAlias, Union, cast

from flawline.data.masks import MaskedSource, open_masks
from flawline.data.source import Source
from flawline.errors import UsageError
from flawline.features.compute import FeatureSettings
from flawline.inspector import Inspector
from flawline.recipe import Recipe, read_recipe

FEATURES = "histogram_of_gradients,embedding"
"""Features of a picture where none are named."""

RecipeLike: TypeAlias = Union[Recipe, str, "os.PathLike[str]"]
InspectorLike: TypeAlias = Inspector | RecipeLike
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


def recipe_of(recipe: RecipeLike) -> Recipe:
    """Give a recipe, read from its path where it is one; errors as for `read_recipe`."""
    return recipe if isinstance(recipe, Recipe) else read_recipe(Path(recipe))


def inspector_of(recipe: InspectorLike, precision: str | None = None) -> Inspector:
    """Make a recipe or the path of one ready; an `Inspector` stays as it is.

    Raises:
        UsageError: it is none of these, or a precision is given for an `Inspector`, which has one.
        ModelError: the recipe or its model cannot be used.
    """
    if isinstance(recipe, Recipe):
        return Inspector(recipe, precision=precision)
    if isinstance(recipe, str | os.PathLike):
        return Inspector.open(Path(recipe), precision=precision)
    if not hasattr(recipe, "inspect"):
        raise UsageError(
            f"expected a recipe, its path or an Inspector, got {type(recipe).__name__}",
            hint="the recipe comes first, then the source",
        )
    if precision is not None:
        raise UsageError("an Inspector has its precision already", hint="give the recipe instead")
    return recipe


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


def part_name(part: str, source: Source) -> str:
    """Name a part by its source where it has no name."""
    return part or Path(source.location).stem


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
