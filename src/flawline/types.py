"""Frozen values shared by all layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T")

EMPTY: Mapping[str, Any] = MappingProxyType({})

Verdict = Literal["accept", "review", "reject"]
SEVERITY: tuple[Verdict, ...] = ("accept", "review", "reject")
"""Verdicts, the mildest first."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture of a source, not yet read.

    `name` is its path inside the source with forward slashes ("bad/7.jpeg"); every output names the picture so. `label`
    is the innermost folder or the manifest's label column; `defective` is what the label means (True bad, False good,
    None unknown). `mask` is the name of its mask inside the same source. `group` is the identity of the part: pictures
    of one group are never split apart. `metadata` holds every further column.
    """

    name: str
    label: str | None = None
    defective: bool | None = None
    mask: str | None = None
    group: str | None = None
    split: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True)
class Picture:
    """Decoded pixels: `pixels` is uint8 (height, width, 3), RGB, upright (EXIF orientation applied).

    `width` and `height` are those of the file (upright) and differ from the shape of `pixels` where the picture was
    decoded at reduced scale. `mode` names how the file stored it ("L", "RGBA", "I;16", ...), `channels` is the
    number of colour channels in the file (1 or 3), `sha256` the hash of the file's bytes, `notes` list what decoding
    lost or chose ("first of 12 frames", "alpha dropped").
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    mode: str
    format: str
    channels: int
    file_bytes: int
    sha256: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unjudged:
    """An input that could not be judged, with the reason."""

    image: str
    code: str
    reason: str

    def as_dict(self) -> dict[str, str]:
        """Convert to a document with image, code and reason, as `--json` prints it."""
        return {"image": self.image, "code": self.code, "reason": self.reason}


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """A connected anomalous region of a picture, or a region of one class of defects.

    All coordinates are in pixels of the upright picture, from its top left corner: `box` is (left, top, width, height),
    `contour` float32 (N, 2) of x and y, `area` in square pixels. `peak` is the highest score inside: raw for an
    anomaly, a probability for a class. `p_value` is that of `peak` among the peaks of held-out good pictures, or
    None without calibration. `measures` are its measures by the names of `flawline.core.measure.columns`, empty where
    it was not measured.
    """

    label: str
    box: tuple[int, int, int, int]
    contour: NDArray[np.float32]
    area: float
    peak: float
    p_value: float | None = None
    measures: Mapping[str, float] = field(default_factory=lambda: EMPTY)


class Track(Protocol):
    """A callable that shows the progress of an iteration and passes its items on unchanged."""

    def __call__(self, items: Iterable[T], *, title: str, total: int | None) -> Iterable[T]:
        """Iterate over `items`, of which there are `total` where that is known."""
        ...


def no_track(items: Iterable[T], *, title: str, total: int | None) -> Iterable[T]:
    """Pass the items on without showing progress."""
    return items
