"""Measure the masks of a source in batches."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from math import isfinite
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.defects import Defects, joined
from flawline.core.measure.measure import measure
from flawline.core.scale import PartFrame, Scale
from flawline.data.cores import cpu_count
from flawline.data.image import read_image
from flawline.data.masks.pixels import read_mask
from flawline.data.source import Source, open_source
from flawline.errors import FlawlineError, ImageError, ManifestError, SourceError
from flawline.jobs.measure.measured_masks import MaskRow, MeasuredMasks, MeasureSettings
from flawline.types import Sample, Track, Unjudged, no_track

_BATCH = 64
_DEFAULT = MeasureSettings()

Read = tuple[MaskRow, NDArray[np.uint8], NDArray[np.uint8] | None]


def measure_source(
    source: str | Path | Source, settings: MeasureSettings = _DEFAULT, *, track: Track = no_track
) -> MeasuredMasks:
    """Measure the defects of every mask.

    If samples have masks (a manifest with a column `mask`, or a folder of masks next to one of pictures), those are
    measured, with the contrast of the pictures; otherwise every picture of the source is a mask.

    Raises:
        SourceError: the source cannot be opened, or none of its masks could be read.
    """
    if not isinstance(source, Source):
        with open_source(source) as opened:
            return measure_source(opened, settings, track=track)
    samples = list(source.samples())
    paired = any(sample.mask is not None for sample in samples)
    rows: list[MaskRow] = []
    parts: list[Defects] = []
    counts: list[int] = []
    unjudged: list[Unjudged] = []
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="flawline") as pool:
        shown = iter(track(samples, title="Masks", total=len(samples)))
        while batch := list(islice(shown, _BATCH)):
            read = list(pool.map(lambda sample: _read(source, sample, settings, paired), batch))
            good = [item for item in read if not isinstance(item, Unjudged)]
            unjudged += [item for item in read if isinstance(item, Unjudged)]
            rows += [row for row, _, _ in good]
            parts.append(_measure(good, settings, paired))
            counts.append(len(good))
    if not rows:
        raise SourceError(
            f"none of {len(samples)} masks could be measured",
            hint=unjudged[0].reason if unjudged else "give a folder of masks",
        )
    return MeasuredMasks(
        Path(source.location).name,
        settings,
        tuple(rows),
        joined(parts, counts),
        (*unjudged, *source.unlisted()),
    )


def _measure(read: Sequence[Read], settings: MeasureSettings, paired: bool) -> Defects:
    return measure(
        [mask for _, mask, _ in read],
        pictures=[picture for _, _, picture in read] if paired else None,
        merge=settings.merge,
        cluster=settings.cluster,
        smallest=settings.smallest,
    )


def _read(
    source: Source, sample: Sample, settings: MeasureSettings, paired: bool
) -> Read | Unjudged:
    try:
        if paired and sample.mask is None:
            raise ImageError("the picture has no mask", hint="add one", code="image-mask")
        scale, frame = placed(sample, settings)
        mask = read_mask(source.read(sample.mask or sample.name), source.image_limits)
        picture = None
        if paired:
            picture = read_image(source.read(sample.name), limits=source.image_limits).pixels
            if picture.shape[:2] != mask.shape:
                raise ImageError(
                    f"the mask is {mask.shape[1]} x {mask.shape[0]} px, its picture "
                    f"{picture.shape[1]} x {picture.shape[0]}",
                    hint="Masks must have the size of their pictures.",
                    code="image-mask",
                )
        return MaskRow(sample, (mask.shape[0], mask.shape[1]), scale, frame), mask, picture
    except FlawlineError as error:
        return Unjudged(sample.name, error.code, error.message)


def placed(sample: Sample, settings: MeasureSettings) -> tuple[Scale | None, PartFrame]:
    """Return scale and frame of a sample: from its metadata, else from the settings."""
    known = settings.scale
    scale = known
    own = _number(sample, "mm_per_px")
    if own is not None:
        spread = _number(sample, "mm_per_px_u")
        if own <= 0 or (spread or 0) < 0:
            raise ManifestError(
                f"expected mm_per_px above 0 and mm_per_px_u of at least 0, got {own}, {spread}",
                hint="leave the field empty where the scale is not known",
            )
        scale = Scale(own, spread or 0.0, known.edge) if known else Scale(own, spread or 0.0)
    values = [_number(sample, name) for name in ("origin_x", "origin_y", "part_angle")]
    default = (settings.frame.x, settings.frame.y, settings.frame.angle)
    x, y, angle = (d if v is None else v for v, d in zip(values, default, strict=True))
    return scale, PartFrame(x, y, angle)


def _number(sample: Sample, name: str) -> float | None:
    value = sample.metadata.get(name)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if not isfinite(number):
        raise ManifestError(
            f"expected a finite number in the column {name}, got {value!r}",
            hint="leave the field empty where it is not known",
        )
    return number
