"""Measured defects and masks of a source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from flawline.core.measure.defects import Defects
from flawline.core.scale import PartFrame, Scale
from flawline.specification.model import Zone
from flawline.types import Sample, Unjudged


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """Settings of a measurement, see `core.measure.measure.measure`.

    `classes` names class indices; others are called "class 7". `scale` and `frame` apply to samples without
    their own in the columns mm_per_px, mm_per_px_u, origin_x, origin_y (px) and part_angle (degrees) of a manifest.
    `zones` are summarised separately in the table of parts.
    """

    classes: Mapping[int, str] = field(default_factory=dict)
    scale: Scale | None = None
    frame: PartFrame = field(default_factory=PartFrame)
    merge: float = -1
    cluster: float = 0
    smallest: int = 1
    zones: tuple[Zone, ...] = ()

    def class_name(self, value: int) -> str:
        """Return the name of a class index."""
        return self.classes.get(value, f"class {value}")


@dataclass(frozen=True, slots=True)
class MaskRow:
    """One mask that was measured: its sample, size (height, width) in px, scale and frame."""

    sample: Sample
    size: tuple[int, int]
    scale: Scale | None
    frame: PartFrame


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredMasks:
    """All measured masks of a source; `defects.picture` is an index of `rows`."""

    source: str
    settings: MeasureSettings
    rows: tuple[MaskRow, ...]
    defects: Defects
    unjudged: tuple[Unjudged, ...]

    def class_names(self) -> tuple[str, ...]:
        """Return the class of each defect."""
        return tuple(self.settings.class_name(value) for value in self.defects.value.tolist())
