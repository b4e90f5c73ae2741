"""Choose settings of the training of a segmenter by its pictures and masks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import cv2
import numpy as np

from flawline.core.segmentation_metrics import IGNORE, LEAST_KNOWN
from flawline.core.view.line_direction import how_parts_lie, line_direction
from flawline.core.words import counted
from flawline.data.masks.check import MaskReport
from flawline.jobs.train.segment.pairs import MaskedPictures
from flawline.jobs.train.segment.segment_settings import SegmentSettings
from flawline.types import Sample, Track, no_track

Choice = Literal["patch", "rotation", "loss", "length"]
CHOICES: tuple[Choice, ...] = ("patch", "rotation", "loss", "length")

USUAL_PATCH = 256
LARGEST_PATCH = 512
STEP = 32
"""Sides of patches are multiples of this, which every network takes."""
HELD = 0.9
"""The share of defects that shall fit into a patch."""
ROOM = 1.25
"""A patch is larger than the defects it shall hold by this factor."""
RARE = 0.01
"""Below this share of all pixels a class is rare, and counts more in the loss."""
EPOCHS = 40
LEAST_PATCHES = 30_000
"""Patches that a training without a given length takes at least; what `light` needs to learn tiny classes."""
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True)
class ChosenSettings:
    """Settings with what was chosen by the pictures, and one line for each choice that says why."""

    training: SegmentSettings
    messages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Seen:
    """The longer sides of defects, px, and the directions of the lines of pictures."""

    defects: tuple[int, ...]
    directions: tuple[complex, ...]


def choose_settings(
    asked: SegmentSettings,
    choose: Sequence[Choice],
    source: MaskedPictures,
    train: Sequence[Sample],
    report: MaskReport,
    *,
    track: Track = no_track,
) -> ChosenSettings:
    """Choose some settings of a training; up to 200 of its pictures are looked at.

    Args:
        asked: the settings; those that are not chosen stay.
        choose: "patch" (by the sizes of pictures and defects), "rotation" (by whether the pictures' lines run the same
            way), "loss" (by how rare the rarest class is) and "length" (by the number of pictures).
        source: pictures and masks.
        train: samples to learn from.
        report: of all masks.
        track: shows progress.

    Raises:
        FlawlineError: a picture or its mask cannot be read.
    """
    settings, messages = asked, []
    needed = {"patch", "rotation"} & set(choose)
    seen = _look(source, _spread(train), track) if needed else _Seen((), ())
    if "patch" in choose:
        patch, why = _patch(asked, [report.sizes[sample.name] for sample in train], seen.defects)
        settings = replace(settings, patch=patch)
        messages.append(f"patches of {patch[0]} x {patch[1]} px: {why}")
    if "rotation" in choose:
        turn, why = _rotation(seen.directions)
        settings = replace(settings, augmentation=replace(settings.augmentation, rotation=turn))
        messages.append(f"patches turned by up to {turn:g} degrees: {why}")
    if "loss" in choose:
        loss, why = _loss(report)
        settings = replace(settings, loss=loss)
        messages.append(f"loss {loss}: {why}")
    if "length" in choose:
        patches = max(len(train), -(-LEAST_PATCHES // EPOCHS))
        settings = replace(settings, epochs=EPOCHS, patches=patches)
        messages.append(
            f"{EPOCHS} epochs of {counted(patches, 'patch', 'patches')} from "
            f"{counted(len(train), 'picture')}; give `minutes` for a shorter or longer training"
        )
    return ChosenSettings(settings, tuple(messages))


def _spread(train: Sequence[Sample]) -> list[Sample]:
    """Take samples at equal steps."""
    step = max(1, -(-len(train) // _LOOKED_AT))
    return list(train)[::step]


def _look(source: MaskedPictures, samples: Sequence[Sample], track: Track) -> _Seen:
    sides: list[int] = []
    directions = []
    for sample in track(samples, title="looking at pictures and masks", total=len(samples)):
        picture, mask = source.pair(sample)
        known = mask != IGNORE
        defective = ((mask != 0) & known).astype(np.uint8)
        stats = cv2.connectedComponentsWithStats(defective, connectivity=8)[2][1:]
        # Where most is unknown, strokes mark the defects and do not show their size.
        if known.mean() >= LEAST_KNOWN:
            sides += stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]].max(axis=1).tolist()
        grey = cv2.cvtColor(picture.pixels, cv2.COLOR_RGB2GRAY)
        directions.append(line_direction(np.asarray(grey, np.uint8)))
    return _Seen(tuple(sides), tuple(directions))


def _patch(
    asked: SegmentSettings, sizes: Sequence[tuple[int, int]], defects: Sequence[int]
) -> tuple[tuple[int, int], str]:
    if asked.resolution == "fit":
        return (USUAL_PATCH, USUAL_PATCH), "the usual size for whole pictures"
    rows, columns = (max(size[axis] for size in sizes) for axis in (0, 1))
    wanted, why = USUAL_PATCH, "the usual size"
    if defects:
        large = float(np.quantile(defects, HELD))
        held = f"{100 * HELD:g} % of the defects are up to {large:.0f} px long"
        why = f"{why}; {held}"
        if large * ROOM > USUAL_PATCH:
            wanted, why = min(LARGEST_PATCH, _step(large * ROOM)), held
    patch = (min(wanted, _step(rows)), min(wanted, _step(columns)))
    if patch == (wanted, wanted):
        return patch, why
    return patch, f"no picture is larger than {rows} x {columns} px"


def _step(side: float) -> int:
    return max(2, -(-int(np.ceil(side)) // STEP)) * STEP


def _rotation(directions: Sequence[complex]) -> tuple[float, str]:
    lie = how_parts_lie(directions)
    if lie == "anyhow":
        return 180.0, "lines run in another direction on each picture, so parts lie anyhow"
    if lie == "same":
        return 10.0, "lines run the same way on most pictures"
    return 10.0, "the pictures show no direction; `rotation` 180 suits parts that lie anyhow"


def _loss(report: MaskReport) -> tuple[str, str]:
    present = [share for share in report.classes[1:] if share.pixels]
    rarest = min(present, key=lambda share: share.share, default=None)
    if rarest is None or rarest.share >= RARE:
        return (
            "cross-entropy+dice",
            f"every class has at least {100 * RARE:g} % of the labelled pixels",
        )
    return (
        "balanced+dice",
        f"{rarest.name} has only {100 * rarest.share:.2g} % of the labelled pixels",
    )
