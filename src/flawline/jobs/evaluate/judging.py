"""Judge chosen pictures by a recipe and compare the result with their masks, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flawline.core.pixel_metrics import PixelCurve
from flawline.data.cores import cpu_count
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import Readable, map_pictures
from flawline.errors import SourceError
from flawline.inspector.inspection import Inspection
from flawline.jobs.evaluate.class_masks import ClassMasks
from flawline.jobs.evaluate.evaluation import Defect, JudgedPicture
from flawline.jobs.evaluate.masks import (
    RegionMask,
    class_names,
    found_regions,
    on_grid,
    read_masks,
)
from flawline.jobs.evaluate.segmenting import SegmentationCounter
from flawline.types import Picture, Sample, Track, Unjudged

if TYPE_CHECKING:
    from flawline.inspector import Inspector

Noted: TypeAlias = Callable[[str, tuple[str, ...]], None]


@dataclass(frozen=True, slots=True, eq=False)
class Judging:
    """Judged pictures; `curve` has counted the pixels of `counted` of them.

    `segmenting` has counted the class masks of a segmenter, None for others and without true class masks. `unjudged`
    names pictures and masks. `conflicts` are pictures whose mask contradicts their label, `notes` tell what was lost or
    chosen when one was decoded.
    """

    pictures: tuple[JudgedPicture, ...]
    unjudged: tuple[Unjudged, ...]
    curve: PixelCurve
    counted: int
    segmenting: SegmentationCounter | None
    conflicts: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """An inspection, and for a segmenter with class masks the probabilities (C, H, W)."""

    inspection: Inspection
    probabilities: NDArray[np.float32] | None


class Look(Protocol):
    """What inspects samples, in order: on the cores of this process, or elsewhere."""

    def __call__(
        self, samples: Sequence[Sample], *, classes: bool, noted: Noted
    ) -> Iterator[tuple[Sample, Looked | Unjudged]]:
        """Yield each sample with what was seen of it; with `classes` the probabilities too."""
        ...


def look_at(
    source: Readable,
    samples: Sequence[Sample],
    inspector: Inspector,
    *,
    classes: bool,
    noted: Noted,
    workers: int | None = None,
) -> Iterator[tuple[Sample, Looked | Unjudged]]:
    """Inspect samples on threads; see `Look`, and `map_pictures` for `noted` and `workers`."""

    def inspect(picture: Picture) -> Looked:
        if not classes:
            return Looked(inspector.inspect(picture), None)
        found = inspector.find(picture)
        return Looked(inspector.judge(picture, found), found.probabilities)

    return map_pictures(
        source,
        samples,
        inspect,
        value_range=inspector.value_range,
        workers=workers,
        # Probabilities are many times as large as the picture.
        ahead=cpu_count() + 2 if classes else None,
        noted=noted,
    )


def judge(
    source: Source,
    samples: Sequence[Sample],
    inspector: Inspector,
    masks: ClassMasks | None,
    *,
    track: Track,
    look: Look | None = None,
) -> Judging:
    """Inspect samples on all cores, in order, and read their masks in parallel.

    `masks` are those to use; None takes the masks that the source names, where defects are not black. `look` inspects
    elsewhere.

    Raises:
        SourceError: none of the pictures could be judged.
    """
    work = _Work(inspector, masks)
    notes: dict[str, tuple[str, ...]] = {}
    read = read_masks(source, samples if masks is None else ())
    looking = look or partial(look_at, source, inspector=inspector)
    results = looking(samples, classes=work.segmenting is not None, noted=notes.__setitem__)
    title = f"evaluating {inspector.recipe.settings.part}".strip()
    for sample, inspected in track(results, title=title, total=len(samples)):
        if masks is not None:
            work.take(sample, inspected, masks.read(sample))
        else:
            work.take(sample, inspected, next(read)[1] if sample.mask is not None else None)
    if not work.pictures:
        first = work.unjudged[0]
        raise SourceError(
            f"none of the {len(samples)} pictures could be judged",
            hint=f"the first: {first.image}: {first.reason}",
        )
    return work.done(notes)


class _Work:
    """Counts over the pictures, taken one after the other in order."""

    def __init__(self, inspector: Inspector, masks: ClassMasks | None) -> None:
        tells_classes = inspector.model.tells_classes
        self.has_p_values = not tells_classes
        counting = masks is not None and tells_classes
        self.segmenting = SegmentationCounter(inspector) if counting else None
        self.curve = PixelCurve()
        self.counted = 0
        self.pictures: list[JudgedPicture] = []
        self.codes: list[tuple[int, ...]] = []
        self.unjudged: list[Unjudged] = []
        self.conflicts: list[str] = []

    def take(
        self, sample: Sample, inspected: Looked | Unjudged, mask: RegionMask | Unjudged | None
    ) -> None:
        """Compare one picture with its mask."""
        if isinstance(inspected, Unjudged):
            self.unjudged.append(inspected)
            return
        inspection = inspected.inspection
        usable = self._usable(sample, mask, inspection.size)
        defective = sample.defective
        if defective is None:
            if usable is None:
                return
            defective = bool(len(usable.areas))
        if usable is not None and defective != bool(len(usable.areas)):
            self.conflicts.append(sample.name)
            usable, known = None, False
        else:
            known = usable is not None or (not defective and mask is None)
        if known:
            self.curve.add(*on_grid(inspection.map, usable, inspection.size))
            self.counted += 1
        self._segment(sample, inspected, usable)
        self._append(sample, defective, inspection, usable)

    def _segment(self, sample: Sample, inspected: Looked, mask: RegionMask | None) -> None:
        """Count the class mask of a segmenter."""
        if self.segmenting is None or inspected.probabilities is None:
            return
        self.segmenting.add_peaks(part_of(sample), inspected.probabilities)
        if mask is not None and mask.classes is not None:
            predicted = inspected.inspection.class_mask
            self.segmenting.add(part_of(sample), mask.classes, predicted, inspected.probabilities)

    def _append(
        self, sample: Sample, defective: bool, inspection: Inspection, mask: RegionMask | None
    ) -> None:
        defects: tuple[Defect, ...] | None = () if not defective else None
        if mask is not None:
            defects = self._defects(inspection, mask)
        classless = mask is not None and mask.classes is None
        self.codes.append(tuple(mask.codes.tolist()) if mask is not None and classless else ())
        self.pictures.append(
            JudgedPicture(
                sample,
                part_of(sample),
                defective,
                inspection.score,
                inspection.p_value if self.has_p_values else None,
                inspection.verdict,
                defects,
                inspection.timings,
            )
        )

    def _defects(self, inspection: Inspection, mask: RegionMask) -> tuple[Defect, ...]:
        """List the regions of a mask; without classes, their names follow when all masks are read."""
        found = found_regions(mask, inspection.class_mask != 0).tolist()
        areas = mask.areas.tolist()
        labels = mask.labels or ("",) * len(areas)
        named = [None] * len(areas)
        if self.segmenting is not None:
            named = found_regions(mask, inspection.class_mask == mask.classes).tolist()
        return tuple(map(Defect, labels, areas, found, named))

    def _usable(
        self, sample: Sample, mask: RegionMask | Unjudged | None, size: tuple[int, int]
    ) -> RegionMask | None:
        """Return the mask, or None without a usable one; an unusable one is listed in `unjudged`."""
        if isinstance(mask, Unjudged):
            self.unjudged.append(replace(mask, reason=f"mask of {sample.name}: {mask.reason}"))
            return None
        if mask is not None and mask.regions.shape != size:
            height, width = mask.regions.shape
            reason = (
                f"mask of {sample.name}: expected {size[1]} x {size[0]} pixels like the picture, "
                f"got {width} x {height}"
            )
            self.unjudged.append(Unjudged(str(sample.mask), "mask-size", reason))
            return None
        return mask

    def done(self, notes: Mapping[str, tuple[str, ...]]) -> Judging:
        """Return the result, with names for the classes in the masks."""
        by_label: dict[str, set[int]] = {}
        for picture, codes in zip(self.pictures, self.codes, strict=True):
            if codes:
                by_label.setdefault(picture.label, set()).update(codes)
        names = class_names(by_label)
        pictures = tuple(
            replace(
                picture,
                defects=tuple(
                    replace(defect, label=names[picture.label, code])
                    for defect, code in zip(picture.defects or (), codes, strict=True)
                ),
            )
            if codes
            else picture
            for picture, codes in zip(self.pictures, self.codes, strict=True)
        )
        return Judging(
            pictures,
            tuple(self.unjudged),
            self.curve,
            self.counted,
            self.segmenting,
            tuple(self.conflicts),
            notes,
        )
