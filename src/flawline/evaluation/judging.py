"""Run a recipe over chosen pictures and compare what it says with their masks, in bounded memory."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from flawline.core.pixel_metrics import PixelCurve
from flawline.data.source import Source
from flawline.data.splits import part_of
from flawline.data.stream import map_pictures
from flawline.errors import SourceError
from flawline.evaluation.masks import (
    Mask,
    class_names,
    found_regions,
    on_grid,
    read_masks,
)
from flawline.evaluation.result import Defect, Judged
from flawline.recipe import thresholds_of
from flawline.types import Inspection, Sample, Track, Unjudged

if TYPE_CHECKING:
    from flawline.inspector import Inspector


TIMED = 4.0
"""Seconds that the rate is measured for."""


@dataclass(frozen=True, slots=True, eq=False)
class Judging:
    """What a recipe said of every picture; `curve` has counted the pixels of `counted` of them.

    `unjudged` names pictures and masks. `conflicts` are pictures whose mask contradicts their label, `notes` what was
    lost or chosen when one was decoded.
    """

    pictures: tuple[Judged, ...]
    unjudged: tuple[Unjudged, ...]
    curve: PixelCurve
    counted: int
    conflicts: tuple[str, ...]
    notes: Mapping[str, tuple[str, ...]]


def judge(
    source: Source,
    samples: Sequence[Sample],
    inspector: Inspector,
    *,
    track: Track,
) -> Judging:
    """Inspect samples on all cores, in order, with their masks read beside.

    Raises:
        ModelError: ("recipe-uncalibrated") the recipe has no thresholds.
        SourceError: none of the pictures could be judged.
    """
    thresholds_of(inspector.recipe)
    threshold = inspector.recipe.settings.threshold
    assert threshold is not None
    work = _Work(threshold.region)
    notes: dict[str, tuple[str, ...]] = {}
    masks = read_masks(source, samples)
    seen = map_pictures(
        source,
        samples,
        inspector.inspect,
        value_range=inspector.value_range,
        noted=notes.__setitem__,
    )
    title = f"evaluating {inspector.recipe.settings.part}".strip()
    for sample, inspection in track(seen, title=title, total=len(samples)):
        mask = next(masks)[1] if sample.mask is not None else None
        work.take(sample, inspection, mask)
    if not work.pictures:
        first = work.unjudged[0]
        raise SourceError(
            f"none of the {len(samples)} pictures could be judged",
            hint=f"the first: {first.image}: {first.reason}",
        )
    return work.done(notes)


class _Work:
    """Takes one picture after the other, in order."""

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.curve = PixelCurve()
        self.counted = 0
        self.pictures: list[Judged] = []
        self.codes: list[tuple[int, ...]] = []
        self.unjudged: list[Unjudged] = []
        self.conflicts: list[str] = []

    def take(
        self, sample: Sample, inspection: Inspection | Unjudged, mask: Mask | Unjudged | None
    ) -> None:
        """Compare one picture with its mask."""
        if isinstance(inspection, Unjudged):
            self.unjudged.append(inspection)
            return
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
        self._keep(sample, defective, inspection, usable)

    def _keep(
        self, sample: Sample, defective: bool, inspection: Inspection, mask: Mask | None
    ) -> None:
        defects: tuple[Defect, ...] | None = () if not defective else None
        if mask is not None:
            found = found_regions(mask, inspection, self.threshold)
            pairs = zip(mask.areas.tolist(), found.tolist(), strict=True)
            defects = tuple(Defect("", area, hit) for area, hit in pairs)
        self.codes.append(() if mask is None else tuple(mask.codes.tolist()))
        self.pictures.append(
            Judged(
                sample,
                part_of(sample),
                defective,
                inspection.score,
                inspection.p_value,
                inspection.verdict,
                defects,
                inspection.timings,
            )
        )

    def _usable(
        self, sample: Sample, mask: Mask | Unjudged | None, size: tuple[int, int]
    ) -> Mask | None:
        """The mask, or None where there is none or it cannot be used, which is then said."""
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
        """Everything, with names for the classes that the masks hold."""
        held: dict[str, set[int]] = {}
        for picture, codes in zip(self.pictures, self.codes, strict=True):
            if codes:
                held.setdefault(picture.label, set()).update(codes)
        names = class_names(held)
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
            tuple(self.conflicts),
            notes,
        )


def streamed_rate(source: Source, samples: Sequence[Sample], inspector: Inspector) -> float:
    """Pictures that are decoded and inspected in a second on all cores, with nothing else done beside.

    Measured once more on as many of `samples` as some seconds suffice for, and one at least.
    """
    began = time.perf_counter()
    seen = map_pictures(source, samples, inspector.inspect, value_range=inspector.value_range)
    done = 0
    for _ in seen:
        done += 1
        if time.perf_counter() - began > TIMED:
            break
    return done / (time.perf_counter() - began)


def median_milliseconds(pictures: Sequence[Judged]) -> dict[str, float]:
    """The median time of each stage, and of all stages together as "total"."""
    stages = list(dict.fromkeys(stage for picture in pictures for stage in picture.timings))
    times = {
        stage: float(np.median([p.timings[stage] for p in pictures if stage in p.timings]))
        for stage in stages
    }
    if not times:
        return {}
    total = float(np.median([sum(p.timings.values()) for p in pictures if p.timings]))
    return {**times, "total": total}
