"""Measure the masks of a source in batches."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from flawline.core.measure.defects import Defects, joined
from flawline.core.measure.measure import measure
from flawline.core.scale import PartFrame, Scale
from flawline.data.cores import cpu_count
from flawline.data.masks import MaskedSource
from flawline.data.masks.class_names import IGNORED
from flawline.data.memory_share import memory_share
from flawline.errors import FlawlineError, ManifestError, SourceError
from flawline.jobs.measure.mask_limits import bytes_needed, check_runs
from flawline.jobs.measure.measured_masks import MaskRow, MeasuredMasks, MeasureSettings
from flawline.types import Sample, Track, Unjudged, no_track

_BATCH = 64
_LARGE = 2_000_000
"""Masks of more pixels are measured one by one as they are read; smaller ones together, which is faster."""
_DEFAULT = MeasureSettings()
_UNLABELLED = "Where pictures without a mask have no defects, state it with `unlabelled=empty`."
_PICTURES = "Where these are pictures and no masks, give their masks with `annotations`."


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """A mask with its picture, where there is one; or what was measured of it."""

    row: MaskRow
    mask: NDArray[np.uint8]
    picture: NDArray[np.uint8] | None
    defects: Defects | None = None


def measure_source(
    masked: MaskedSource, settings: MeasureSettings = _DEFAULT, *, track: Track = no_track
) -> MeasuredMasks:
    """Measure the defects of every mask, with the contrast of their pictures where there are any.

    Pixels to be ignored are background. Pictures without a mask are listed as not measured.

    Raises:
        SourceError: none of the masks could be read.
    """
    samples = masked.samples()
    rows: list[MaskRow] = []
    parts: list[Defects] = []
    counts: list[int] = []
    failed: list[FlawlineError] = []
    unjudged: list[Unjudged] = []
    with ThreadPoolExecutor(cpu_count(), thread_name_prefix="flawline") as pool:
        shown = iter(track(samples, title="Masks", total=len(samples)))
        while batch := list(islice(shown, _BATCH)):
            read = list(pool.map(lambda sample: _read(masked, sample, settings), batch))
            good = [item for item in read if not isinstance(item, FlawlineError)]
            for sample, item in zip(batch, read, strict=True):
                if isinstance(item, FlawlineError):
                    failed.append(item)
                    unjudged.append(Unjudged(sample.name, item.code, item.message))
            rows += [item.row for item in good]
            for measured, some in groupby(good, lambda item: item.defects):
                together = list(some)
                parts.append(_measure(together, settings) if measured is None else measured)
                counts.append(len(together))
    if not rows:
        raise SourceError(
            f"none of {len(samples)} masks could be measured"
            + (f": {unjudged[0].image}: {unjudged[0].reason}" if unjudged else ""),
            hint=" ".join([*(error.hint for error in failed[:1]), *([_PICTURES] * masked.alone)]),
        )
    source = masked.source
    left = (Unjudged(name, "image-mask", "the picture has no mask") for name in masked.unlabelled)
    return MeasuredMasks(
        source.name,
        masked.format,
        masked.classes,
        settings,
        tuple(rows),
        joined(parts, counts),
        (*unjudged, *left, *source.unlisted()),
        (masked.description(), *masked.notes),
        (
            *dict.fromkeys(error.hint for error in failed if error.hint),
            *([_UNLABELLED] if masked.unlabelled else []),
        ),
    )


def _measure(read: Sequence[_Read], settings: MeasureSettings) -> Defects:
    pictures = [item.picture for item in read]
    return measure(
        [item.mask for item in read],
        pictures=None if pictures[0] is None else pictures,
        merge=settings.merge,
        cluster=settings.cluster,
        smallest=settings.smallest,
    )


def _read(masked: MaskedSource, sample: Sample, settings: MeasureSettings) -> _Read | FlawlineError:
    limit = masked.source.image_limits.max_memory
    try:
        scale, frame = placed(sample, settings)
        with memory_share(limit) as share:
            if masked.alone:
                mask, pixels = masked.mask(sample), None
            else:
                picture, mask = masked.pair(sample)
                pixels = picture.pixels
            mask = np.where(mask == IGNORED, 0, mask).astype(np.uint8, copy=False)
            check_runs(mask)
            row = MaskRow(sample, (mask.shape[0], mask.shape[1]), scale, frame)
            read = _Read(row, mask, pixels)
            if mask.size <= _LARGE:
                return read
            share.settle(mask.nbytes + (0 if pixels is None else pixels.nbytes))
            share.reserve(bytes_needed(mask))
            # Nothing of the pixels is kept.
            measured = _measure([read], settings)
            return _Read(row, np.zeros((0, 0), np.uint8), None, measured)
    except FlawlineError as error:
        return error


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
