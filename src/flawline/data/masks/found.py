"""Find the masks of a source and their readers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import NoReturn

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.class_names import resolve_class_names
from flawline.data.masks.decoding import check_threshold, decoder
from flawline.data.masks.estimated import (
    MaskReader,
    boxed_pictures,
    estimate_note,
    keeping,
    size_of,
    with_outlines,
)
from flawline.data.masks.files import MaskFiles, find_masks, read_class_files
from flawline.data.masks.formats import Format, format_of, sole_export
from flawline.data.masks.mask_settings import MaskSettings
from flawline.data.masks.matching import match, source_below
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    Boxes,
    Mask,
    check_size,
    rasterize,
    spoiled,
)
from flawline.data.source import Source
from flawline.errors import ImageError, SourceError, UsageError
from flawline.types import Picture, Sample

_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class MaskRequest:
    """A source, its samples, and the settings of its masks.

    `measuring`: no mask needs to hold a class, and the pictures of a source that names no masks are the masks.
    """

    source: Source
    samples: tuple[Sample, ...]
    settings: MaskSettings
    measuring: bool = False

    def names(self) -> tuple[str, ...]:
        """Return the names of the classes where they were given as a list."""
        classes = self.settings.classes
        return () if classes is None or isinstance(classes, Mapping) else tuple(classes)


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """Masks of the samples named in `known`.

    `read` returns the mask of a sample; it may ask for its picture. `estimated` names samples with outlines that are
    estimated. `absent_is_empty`: in this format a picture without an annotation has no defects. `listed` names samples
    that are masks themselves; where they are `alone`, there are no pictures.
    """

    format: str
    classes: tuple[str, ...]
    known: frozenset[str]
    read: MaskReader
    notes: tuple[str, ...] = ()
    absent_is_empty: bool = False
    listed: frozenset[str] = frozenset()
    alone: bool = False
    estimated: frozenset[str] = frozenset()


def find(request: MaskRequest) -> Masks:
    """Find the masks of a source, as `open_masks` describes it."""
    if request.settings.annotations is None:
        return _from_files(request, None)
    path = Path(request.settings.annotations).expanduser()
    if not path.exists():
        raise SourceError(
            f"expected annotations, {str(path)!r} does not exist",
            hint="Give the folder of masks or the file that the annotation tool exported.",
            code="annotations-missing",
        )
    given = AnnotationFiles(path, request.source.image_limits.max_pixels, request.names())
    format = format_of(given)
    return _from_folder(request, given) if format is None else _from_format(request, given, format)


def _from_format(request: MaskRequest, files: AnnotationFiles, format: Format) -> Masks:
    _no_palette(request)
    if request.settings.threshold is not None:
        raise UsageError(
            "expected no `threshold` with annotations that name their classes",
            hint="Leave it out; it is for masks that are pictures.",
        )
    # Files lie where their pictures do; a document names pictures as the tool that wrote it did.
    of_files = files.is_folder or files.suffix in (".yaml", ".yml")
    below = source_below(request.source, files.folder) if of_files else ""
    return _from_annotations(request, format.read(files), format, below)


def _from_folder(request: MaskRequest, folder: AnnotationFiles) -> Masks:
    """Find masks in a folder; else the one file of annotations in it, which comes first where it names masks."""
    found = sole_export(folder, naming_masks=True)
    if found is None:
        try:
            files = find_masks(folder.path, request.source, request.samples, request.names())
        except SourceError:
            found = sole_export(folder)
            if found is None:
                raise
    if found is not None:
        return _from_format(request, *found)
    if files.kind == "per class":
        return _from_class_files(request, files)
    return _from_files(request, files)


def _no_palette(request: MaskRequest) -> None:
    if request.settings.palette is not None:
        raise UsageError(
            "expected no palette with annotations that name their classes",
            hint="Leave the palette out; it is for masks whose colour is the class.",
        )


def _from_annotations(
    request: MaskRequest, found: Annotations, format: Format, below: str
) -> Masks:
    if not found.labels and request.settings.classes is None:
        _refuse_without_classes(found)
    named = resolve_class_names(found.labels, request.settings.classes, request.settings.ignore)
    listed = _among(request, found.masks)
    samples = [sample for sample in request.samples if sample.name not in listed]
    entries = match(samples, found.names, also=found.also, below=below)
    if not entries:
        raise SourceError(
            f"none of {len(found.names)} annotated pictures is in the source "
            f"(such as {', '.join(map(repr, found.names[:_SHOWN]))} for {request.samples[0].name!r})",
            hint=found.way_out,
            code="annotations",
        )
    notes = found.notes
    if unused := len(found.names) - len(entries):
        notes = (*notes, f"{unused} annotated pictures are not in the source")
    if found.lost:
        notes = (
            *notes,
            _listed(
                found.lost,
                "regions have no picture",
                "a picture without regions may lack one and is not used",
            ),
        )
    if found.nameless:
        notes = (
            *notes,
            _listed(found.nameless, "annotated pictures have no name", "they are left out"),
        )
    read = partial(_draw, found, entries, named.values, request.settings.boxes)
    known, absent = frozenset(entries), format.absent_is_empty
    if request.settings.boxes != "grabcut":
        return Masks(format.name, named.classes, known, read, notes, absent, listed)
    boxed = boxed_pictures(found, entries)
    notes = (*notes, estimate_note(len(boxed))) if boxed else notes
    kept = keeping(read, boxed)
    return Masks(format.name, named.classes, known, kept, notes, absent, listed, estimated=boxed)


def _among(request: MaskRequest, masks: Sequence[Path]) -> frozenset[str]:
    """Find the samples that are masks."""
    base = request.source.folder()
    if base is None or not masks:
        return frozenset()
    files = set(map(str, masks))
    names = (sample.name for sample in request.samples)
    return frozenset(name for name in names if os.path.realpath(Path(base, name)) in files)


def _draw(
    found: Annotations,
    entries: Mapping[str, str],
    values: Mapping[str, int],
    boxes: Boxes,
    sample: Sample,
    of: Callable[[], Picture],
) -> Mask:
    entry = entries.get(sample.name)
    picture = AnnotatedPicture(None, ()) if entry is None else found.read(entry)
    doubts = (*found.lost, *(found.nameless if entry is None else ()))
    if doubts and not picture.shapes:
        raise spoiled(f"{found.file}, {doubts[0]}; so this picture may have regions")
    size = picture.size or size_of(of())
    if boxes == "grabcut" and any(shape.box for shape in picture.shapes):
        check_size(size, size_of(of()))
        picture = with_outlines(picture, of().pixels)
    return rasterize(found.file, picture, size, values, boxes=boxes)


def _refuse_without_classes(found: Annotations) -> NoReturn:
    """Raise the error of the first picture that cannot be read: no class of the file is known."""
    try:
        for name in found.names:
            rasterize(found.file, found.read(name), (1, 1), {})
    except ImageError as error:
        raise SourceError(error.message, hint=error.hint, code="annotations") from error
    places = (
        *found.lost,
        *found.nameless,
        "the whole file: expected regions with classes, found none",
    )
    raise SourceError(
        f"{found.file}, {places[0]}",
        hint="Export the annotations again, or name the classes where no picture has a defect.",
        code="annotations",
    )


def _listed(places: Sequence[str], what: str, so: str) -> str:
    return f"{len(places)} {what} ({'; '.join(places[:_SHOWN])}): {so}"


def _from_class_files(request: MaskRequest, files: MaskFiles) -> Masks:
    _no_palette(request)
    named = resolve_class_names(files.labels(), request.settings.classes, request.settings.ignore)
    limits, threshold = request.source.image_limits, request.settings.threshold
    if threshold is not None:
        check_threshold(threshold)

    def read(sample: Sample, picture: Callable[[], Picture]) -> Mask:
        own = files.files.get(sample.name, {})
        return read_class_files(
            files.folder, own, named.values, size_of(picture()), limits, threshold
        )

    known = frozenset(files.files)
    return Masks("per class", named.classes, known, read, files.notes, listed=files.listed)


def _from_files(request: MaskRequest, files: MaskFiles | None) -> Masks:
    settings, content = request.settings, _contents(request, files)
    alone = not content and files is None and request.measuring
    if alone:
        content = {s.name: partial(request.source.read_mask, s.name) for s in request.samples}
    if not content:
        raise SourceError(
            "expected samples with masks, the source names none",
            hint="Add a column 'mask' to the manifest, put masks into a folder 'masks' next to 'images', "
            "or give the annotations.",
            code="annotations",
        )
    limits, measuring = request.source.image_limits, request.measuring
    classes, decode = decoder(settings, limits, content.values(), may_be_empty=measuring)

    def read(sample: Sample, picture: Callable[[], Picture]) -> Mask:
        known = content.get(sample.name)
        return np.zeros(size_of(picture()), np.uint8) if known is None else decode(known())

    format = "index" if settings.palette is None else "colour"
    found = Masks(format, classes, frozenset(content), read, alone=alone)
    return found if files is None else replace(found, notes=files.notes, listed=files.listed)


def _contents(request: MaskRequest, files: MaskFiles | None) -> dict[str, Callable[[], bytes]]:
    """Return the reader of each sample that has a mask file."""
    if files is not None:
        return {name: partial(files.folder.read, own[""]) for name, own in files.files.items()}
    return {s.name: partial(request.source.read_mask, s.mask) for s in request.samples if s.mask}
