"""Measured defects and masks of a source."""

from __future__ import annotations

from dataclasses import dataclass, field

from flawline.core.measure.defects import Defects
from flawline.core.scale import PartFrame, Scale
from flawline.specification.model import Zone
from flawline.types import Sample, Unjudged


@dataclass(frozen=True, slots=True)
class MeasureSettings:
    """Settings of a measurement, see `core.measure.measure.measure`.

    `scale` and `frame` apply to samples without their own in the columns mm_per_px, mm_per_px_u, origin_x,
    origin_y (px) and part_angle (degrees) of a manifest. `zones` are summarised separately in the table of parts.
    """

    scale: Scale | None = None
    frame: PartFrame = field(default_factory=PartFrame)
    merge: float = -1
    cluster: float = 0
    smallest: int = 1
    zones: tuple[Zone, ...] = ()


@dataclass(frozen=True, slots=True)
class MaskRow:
    """One mask that was measured: its sample, size (height, width) in px, scale and frame."""

    sample: Sample
    size: tuple[int, int]
    scale: Scale | None
    frame: PartFrame


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredMasks:
    """All measured masks of a source.

    `defects.picture` is an index of `rows`, `defects.value` one of `classes`, whose first is the background. `format`
    is that of the masks, `notes` tells how they were read, `hints` the ways out for what could not be measured.
    """

    source: str
    format: str
    classes: tuple[str, ...]
    settings: MeasureSettings
    rows: tuple[MaskRow, ...]
    defects: Defects
    unjudged: tuple[Unjudged, ...]
    notes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()

    def class_names(self) -> tuple[str, ...]:
        """Return the class of each defect."""
        return tuple(self.classes[value] for value in self.defects.value.tolist())
