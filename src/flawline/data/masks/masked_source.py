"""Open the class masks of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from flawline.core.words import counted
from flawline.data.closing import Closing
from flawline.data.image import read_image
from flawline.data.masks.class_names import Classes, Ignore
from flawline.data.masks.found import MaskRequest, Masks, find
from flawline.data.masks.mask_settings import MaskSettings, Unlabelled
from flawline.data.masks.pixels import Colour
from flawline.data.masks.shapes import BOXES, Boxes, Mask, check_size
from flawline.data.source import Source, open_source
from flawline.errors import UsageError
from flawline.types import Picture, Sample


class MaskedSource(Closing):
    """The samples of a source that have a mask, and their masks as class indices.

    `classes` names the indices, 0 being "background"; 255 in a mask is to be ignored. `format` is "index", "colour",
    "per class", or the name of a format of annotations. `unlabelled` names the pictures without annotations,
    which `samples()` leaves out; `estimated` those with outlines that were not drawn but estimated; `notes` lists what
    was passed over; pictures are read with `value_range`. Where the masks are `alone`, there are no pictures. Reading
    is safe from several threads.
    """

    def __init__(
        self,
        source: Source,
        samples: tuple[Sample, ...],
        found: Masks,
        unlabelled: tuple[str, ...],
        notes: tuple[str, ...],
        *,
        value_range: tuple[float, float] | None = None,
        owned: bool,
    ) -> None:
        self.source = source
        self.format = found.format
        self.classes = found.classes
        self.alone = found.alone
        self.estimated = found.estimated
        self.unlabelled = unlabelled
        self.notes = notes
        self.value_range = value_range
        self._samples = samples
        self._read = found.read
        self._owned = owned

    def samples(self) -> Sequence[Sample]:
        """Return the pictures with a mask, in the order of the source."""
        return self._samples

    def description(self) -> str:
        """State the format and the classes in words."""
        return f"class masks ({self.format}): {', '.join(self.classes[1:]) or 'no classes'}"

    def mask(self, sample: Sample) -> Mask:
        """Read the mask of a sample: uint8 (height, width) of places in `classes`, 255 where it is to be ignored.

        Raises:
            ImageError: the mask cannot be read, has a value or colour without a class, or a broken outline.
        """
        return self._read(sample, lambda: self._picture(sample))

    def pair(self, sample: Sample) -> tuple[Picture, Mask]:
        """Read the picture of a sample and its mask, of the same size.

        Raises:
            ImageError: one of them cannot be read, or their sizes differ.
        """
        picture = self._picture(sample)
        mask = self._read(sample, lambda: picture)
        check_size((mask.shape[0], mask.shape[1]), _size(picture))
        return picture, mask

    def close(self) -> None:
        """Close the source, where `open_masks` opened it."""
        if self._owned:
            self.source.close()

    def _picture(self, sample: Sample) -> Picture:
        return read_image(
            self.source.read(sample.name),
            value_range=self.value_range,
            limits=self.source.image_limits,
        )


def open_masks(
    source: Source | str | Path,
    *,
    annotations: Path | None = None,
    classes: Classes | None = None,
    palette: Mapping[str, Colour] | None = None,
    ignore: Ignore | None = None,
    unlabelled: Unlabelled = "leave-out",
    threshold: float | None = None,
    boxes: Boxes = "refuse",
    value_range: tuple[float, float] | None = None,
) -> MaskedSource:
    """Open the class masks of a source.

    Args:
        source: pictures, opened or to be opened.
        annotations: where the masks are: None for those of the source itself (a manifest's column `mask`, a folder
            `masks` next to `images`), a folder of masks, or the file or folder that an annotation tool exported.
        classes: the names of the classes from index 1 on; for masks whose grey level is the class also the name of each
            value ({1: "scratch", 255: "stain"}). Without them, annotations bring their names (COCO in the order of
            the ids, CVAT and YOLO in their own, others by name); grey and indexed masks are all read once and
            their values become "class 1" and so on.
        palette: the colour (red, green, blue) of each class, where colours are the classes. Black is background
            unless "background" has another colour.
        ignore: a grey level, a colour, or the name of a class of the palette or annotations, which becomes 255.
        unlabelled: "leave-out" drops pictures without an annotation; "empty" states that they have no defects.
        threshold: grey level, or number of a floating-point mask, from which on a pixel belongs to the only class: for
            masks of two levels with smoothed edges.
        boxes: what an annotated box without an outline is: "refuse" spoils its picture, "fill" takes all of it as the
            defect, "grabcut" estimates the outline in it (`flawline.data.masks.estimated`) and ignores what is
            uncertain.
        value_range: of the pictures, as in `read_image`; masks are read as they are.

    Regions that cannot be read or drawn spoil their picture: reading its mask is an error, and `check_masks` lists it.
    A picture that the source calls good and that has no mask file has an empty mask; so has one that a file of
    annotations lists without regions. Where regions overlap, the later one wins (CVAT: the higher z_order; one file per
    class: the higher index).

    Raises:
        SourceError: the source or the annotations cannot be opened, are of no known format, or fit no picture.
        UsageError: classes, palette or ignore do not agree with the annotations.
        ImageError: without `classes`, a mask cannot be read.
    """
    settings = MaskSettings(annotations, classes, palette, ignore, unlabelled, threshold, boxes)
    return open_masked(source, settings, value_range=value_range)


def open_masked(
    source: Source | str | Path,
    settings: MaskSettings,
    *,
    value_range: tuple[float, float] | None = None,
    measuring: bool = False,
) -> MaskedSource:
    """Open the class masks of a source by gathered settings; all else as for `open_masks`.

    With `measuring` the masks may all be empty, and the pictures of a source that names no masks are masks alone.
    """
    unlabelled = settings.unlabelled
    if unlabelled not in ("leave-out", "empty"):
        raise UsageError(f"expected unlabelled 'leave-out' or 'empty', got {unlabelled!r}")
    if settings.boxes not in BOXES:
        raise UsageError(f"expected boxes {', '.join(BOXES)}, got {settings.boxes!r}")
    opened = source if isinstance(source, Source) else open_source(source)
    owned = opened is not source
    try:
        samples = tuple(opened.samples())
        found = find(MaskRequest(opened, samples, settings, measuring))
    except BaseException:
        if owned:
            opened.close()
        raise
    samples = tuple(sample for sample in samples if sample.name not in found.listed)
    empty = unlabelled == "empty" or found.absent_is_empty
    masked = tuple(s for s in samples if empty or s.name in found.known or s.defective is False)
    names = {sample.name for sample in masked}
    left = tuple(sample.name for sample in samples if sample.name not in names)
    notes = found.notes
    if found.absent_is_empty and (absent := sum(s.name not in found.known for s in masked)):
        what = "picture without a label file counts", "pictures without a label file count"
        notes = (*notes, f"{counted(absent, *what)} as without defects")
    if left:
        what = "picture without an annotation is", "pictures without an annotation are"
        notes = (*notes, f"{counted(len(left), *what)} left out")
    return MaskedSource(opened, masked, found, left, notes, value_range=value_range, owned=owned)


def _size(picture: Picture) -> tuple[int, int]:
    return picture.pixels.shape[0], picture.pixels.shape[1]
