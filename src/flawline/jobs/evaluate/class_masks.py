"""Class masks in the numbers of the classes of a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flawline.core.segmentation_metrics import IGNORE
from flawline.data.masks import MaskedSource, MaskSettings, open_masked
from flawline.data.names import did_you_mean
from flawline.data.source import Source
from flawline.errors import FlawlineError, UsageError
from flawline.jobs.evaluate.masks import RegionMask, mask_of_classes
from flawline.types import Sample, Unjudged

if TYPE_CHECKING:
    from flawline.inspector import Inspector


SOURCE_MASKS = MaskSettings()
"""The masks that the source names itself; for a segmenter their values are its classes in order."""


@dataclass(frozen=True, slots=True, eq=False)
class ClassMasks:
    """Class masks of `names`, with the `classes` of a recipe, background first; `messages` tell how they were read."""

    masked: MaskedSource
    classes: tuple[str, ...]
    numbers: NDArray[np.uint8]
    names: frozenset[str]
    messages: tuple[str, ...]

    def read(self, sample: Sample) -> RegionMask | Unjudged | None:
        """Read the mask of a sample, None where it has none."""
        if sample.name not in self.names:
            return None
        try:
            classes = self.masked.mask(sample)
        except FlawlineError as error:
            return Unjudged(sample.mask or sample.name, error.code, error.message)
        return mask_of_classes(self.numbers[classes], self.classes)


def open_class_masks(
    source: Source, inspectors: Iterable[Inspector], settings: MaskSettings = SOURCE_MASKS
) -> MaskedSource | None:
    """Open the class masks of a source; None where they are not needed or there are none.

    They are needed by any setting or by a segmenter. Grey and indexed masks without names have the classes of the
    segmenters in order.

    Raises:
        UsageError: segmenters number their classes differently and the masks do not name theirs; and the errors of
            `open_masks`.
    """
    known = list(dict.fromkeys(one.classes[1:] for one in inspectors if one.model.tells_classes))
    asked = settings != SOURCE_MASKS
    if not asked and not (known and any(sample.mask is not None for sample in source.samples())):
        return None
    if settings.classes is not None or settings.palette is not None or not known:
        return open_masked(source, settings)
    if settings.annotations is not None and (named := _named(source, settings)) is not None:
        return named
    if len(known) > 1:
        raise UsageError(
            f"the recipes have the classes {' and '.join(', '.join(names) for names in known)}, so that the values of "
            "the masks can mean different ones",
            hint="Name the classes of the masks with `classes`.",
        )
    return open_masked(source, replace(settings, classes=known[0]))


def _named(source: Source, settings: MaskSettings) -> MaskedSource | None:
    """Open masks in a format that names its classes; None where it does not."""
    try:
        opened = open_masked(source, settings)
    except UsageError:
        return None
    return opened if opened.format != "index" else None


def class_masks_for(masked: MaskedSource, inspector: Inspector) -> ClassMasks:
    """Translate masks to the classes of a recipe, by their names; unchanged where it knows no classes.

    Raises:
        UsageError: ("evaluation-classes") the masks hold a class that the recipe does not know.
    """
    classes = inspector.classes if inspector.model.tells_classes else masked.classes
    numbers = np.full(256, IGNORE, np.uint8)
    for place, name in enumerate(masked.classes):
        if place and name not in classes:
            raise UsageError(
                f"the masks have the class {name!r}, the recipe knows {', '.join(classes[1:])}",
                hint=did_you_mean(name, list(classes[1:]))
                or "Name the masks' classes as the recipe does (`classes`), or ignore that one (`ignore`).",
                code="evaluation-classes",
            )
        numbers[place] = classes.index(name) if place else 0
    messages = [masked.description(), *masked.notes]
    names = frozenset(sample.name for sample in masked.samples())
    return ClassMasks(masked, tuple(classes), numbers, names, tuple(messages))
