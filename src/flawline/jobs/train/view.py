"""Learn the view of the pictures of a part: resolution, illumination, alignment and region of interest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from flawline.core.thinning import thinned
from flawline.core.view.alignment import METHODS as ALIGNMENTS
from flawline.core.view.alignment import AlignmentMethod
from flawline.core.view.alignment_training import fit_alignment
from flawline.core.view.foreground import fit_foreground
from flawline.core.view.framing import Framing, choose_framing, window_count
from flawline.core.view.illumination import METHODS as LIGHTS
from flawline.core.view.illumination import IlluminationMethod, fit_illumination
from flawline.core.view.region_of_interest import (
    SAME_ASPECT,
    RegionOfInterest,
    from_mask,
    from_polygons,
)
from flawline.data.image import read_image
from flawline.data.stream import in_order
from flawline.errors import UsageError
from flawline.inspector.view import View
from flawline.recipe import RegionSettings
from flawline.recipe.checks import size_of
from flawline.types import Sample

MASK = "region.png"
COARSEST = 4
"""A mask may be this many times smaller than the pictures along a side."""
MOST_PICTURES = 200
"""Most good pictures to learn illumination, alignment and foreground from; they are drawn evenly."""


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """Settings of a view.

    `window` (height, width) is the input of the detector, px; `min_defect` the smallest defect that must stay
    visible, as "3 px" or "0.3 mm" (which needs `mm_per_px`). `region` is the region of interest; `mask` the content of
    a picture file that is white there. `light` (illumination) and `alignment` name a method or "none".
    """

    window: tuple[int, int] = (256, 256)
    mm_per_px: float | None = None
    min_defect: str | None = None
    light: IlluminationMethod = "none"
    alignment: AlignmentMethod | Literal["none"] = "none"
    region: RegionSettings = field(default_factory=RegionSettings)
    mask: bytes | None = None

    def __post_init__(self) -> None:
        """Refuse unknown methods before any picture is read."""
        for what, value, known in (
            ("light", self.light, LIGHTS),
            ("alignment", self.alignment, ("none", *ALIGNMENTS)),
        ):
            if value not in known:
                raise UsageError(f"{what} {value!r} is not one of {', '.join(known)}")
        smallest_px(self)


@dataclass(frozen=True, slots=True, eq=False)
class LearntView:
    """A view, and the settings, arrays and files of a recipe that store it; `size` is that of the usual picture."""

    view: View
    size: tuple[int, int]
    region: RegionSettings
    settings: Mapping[str, Any]
    arrays: Mapping[str, Mapping[str, NDArray[Any]]]
    files: Mapping[str, bytes]
    messages: tuple[str, ...]


def learn_view(
    read: Callable[..., Iterator[tuple[Sample, Any]]],
    samples: Sequence[Sample],
    sizes: Mapping[str, tuple[int, int]],
    settings: ViewSettings,
) -> LearntView:
    """Learn a view from good pictures.

    Args:
        read: applies a function to the pictures of samples, in order.
        samples: good pictures.
        sizes: (height, width) of each, by name.
        settings: of the view.

    Raises:
        UsageError: the smallest defect cannot stay visible, a method is unknown, the region is empty, or its mask was
            not drawn on such pictures.
    """
    own = [sizes[sample.name] for sample in samples]
    size = Counter(own).most_common(1)[0][0]
    framing = choose_framing(own, settings.window, smallest_px(settings))
    some = thinned(samples, MOST_PICTURES)
    parts: dict[str, Any] = {}
    arrays: dict[str, Mapping[str, NDArray[Any]]] = {}
    messages = [_resolution(framing, size, settings)]

    def stored(part: str, learnt: Any) -> Any:
        parts[part], arrays[part] = learnt.as_arrays()
        return learnt

    def pictures(
        function: Callable[[NDArray[np.uint8]], NDArray[np.uint8]],
    ) -> Iterator[NDArray[np.uint8]]:
        return (pixels for _, pixels in read(some, lambda picture: function(picture.pixels)))

    illumination = alignment = foreground = None
    if settings.light != "none":
        fitted = fit_illumination(pictures(lambda pixels: pixels), settings.light)
        illumination = stored("light", fitted)
    lit = illumination.apply if illumination is not None else lambda pixels: pixels
    if settings.alignment != "none":
        fitted_alignment = fit_alignment(pictures(lit), settings.alignment, each=on_threads)
        alignment = stored("alignment", fitted_alignment)
    region = region_of(settings, size)
    view = View(framing, illumination, alignment, region)
    if settings.region.foreground:
        foreground = stored(
            "foreground",
            fit_foreground(pixels for _, pixels in read(some, lambda p: view.look(p).pixels)),
        )
        messages.append(f"foreground: {foreground.reason}")
        view = replace(view, foreground=foreground)
    files = {MASK: settings.mask} if settings.mask is not None else {}
    return LearntView(view, size, settings.region, parts, arrays, files, tuple(messages))


def on_threads(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
    """Apply a function to each item on all cores, in order."""
    return (result for _, result in in_order(items, function))


def smallest_px(settings: ViewSettings) -> float | None:
    """Convert the smallest defect to px of the picture; None where none is named."""
    parsed = size_of(settings.min_defect)
    if settings.min_defect is None:
        return None
    if parsed is None:
        raise UsageError(
            f'`min_defect` takes a size such as "3 px" or "0.3 mm", got {settings.min_defect!r}'
        )
    value, unit = parsed
    if unit == "px":
        return value
    if settings.mm_per_px is None:
        raise UsageError(
            f"a smallest defect of {settings.min_defect} needs the scale of the pictures",
            hint="give `mm_per_px`, or the size in px",
        )
    return value / settings.mm_per_px


def region_of(settings: ViewSettings, size: tuple[int, int]) -> RegionOfInterest | None:
    """Build the region of interest for pictures of `size`; None where it is the whole picture."""
    interest = settings.region
    if settings.mask is not None:
        region = from_mask(read_image(settings.mask).pixels)
        assert region.mask is not None
        _check_mask(region.mask.shape, size)
        return region
    if interest.polygons:
        return from_polygons(interest.polygons, size if interest.unit == "px" else None)
    return None


def _check_mask(own: tuple[int, ...], size: tuple[int, int]) -> None:
    """Refuse a mask whose size or shape shows that it was not drawn on a picture of `size`."""
    shape = own[1] * size[0] / (own[0] * size[1])
    small = any(COARSEST * side < length for side, length in zip(own, size, strict=True))
    if small or abs(shape - 1) > SAME_ASPECT:
        raise UsageError(
            f"expected a mask of the region of interest of the size of the pictures, {size[1]} x {size[0]} px, or down "
            f"to a quarter of each side, in the same shape, got {own[1]} x {own[0]} px",
            hint="draw it on one of the pictures: white where to look, black elsewhere",
        )


def _resolution(framing: Framing, size: tuple[int, int], settings: ViewSettings) -> str:
    height, width = framing.window
    if framing.scale == "fit":
        text = f"each picture is seen whole, in a window of {width} x {height} px"
    else:
        windows = window_count(size, framing)
        text = (
            f"pictures are seen at {framing.scale:.3g} px per px of the picture, a picture of {size[1]} x {size[0]} px "
            f"in {windows} windows of {width} x {height} px"
        )
    if settings.min_defect is None:
        return text
    return f"{text}, so that a defect of {settings.min_defect} stays visible"
