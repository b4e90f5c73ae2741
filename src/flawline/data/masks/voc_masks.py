"""Read the class masks of Pascal VOC: pictures in SegmentationClass whose colours labelmap.txt names."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.bitmaps import colour_rows, numbered_picture
from flawline.data.masks.class_names import BACKGROUND
from flawline.data.masks.documents import read_text, refuse
from flawline.data.masks.picture_files import spoiled_picture
from flawline.data.masks.shapes import AnnotatedPicture, Annotations, BrokenShape
from flawline.data.names import PICTURE_SUFFIXES, suffix

_MASKS, _LABELMAP = "segmentationclass", "labelmap.txt"
_MOST_BYTES = 1_000_000
# "label:red,green,blue", then parts and actions; the colour may be missing.
_LINE = re.compile(r"([^:]+):([0-9]{1,3},[0-9]{1,3},[0-9]{1,3})?(:[^:]*){0,2}", re.ASCII)


def is_voc_masks(files: AnnotationFiles) -> bool:
    """Whether it is a folder with masks in SegmentationClass and a labelmap.txt."""
    return files.is_folder and _labelmap(files) is not None and bool(_masks(files))


def read_voc_masks(files: AnnotationFiles) -> Annotations:
    """Read the masks in SegmentationClass with the colours of labelmap.txt, as CVAT and Datumaro write them.

    The classes have the order of labelmap.txt; black is background unless it names another. A mask with a colour that
    has no name spoils its picture.

    Raises:
        SourceError: a line of labelmap.txt has another form, or two classes have one colour.
    """
    path = _labelmap(files)
    labels = {0: BACKGROUND} if path is None else _labels(path)
    masks = _masks(files)
    named = tuple(name for name in dict.fromkeys(labels.values()) if name != BACKGROUND)
    # Masks of instances and of borders lie beside them.
    beside = (file for file in files.files if "/segmentation" in f"/{file.lower()}")
    paths = tuple(
        Path(os.path.realpath(files.folder / file)) for file in (*masks.values(), *beside)
    )
    read = partial(_picture, files, masks, labels)
    return Annotations(files.name, named, tuple(masks), read, masks=paths)


def _labelmap(files: AnnotationFiles) -> Path | None:
    """Find the labelmap.txt of the masks: in the folder, above or below it."""
    inside = [files.folder / file for file in files.files if file.rpartition("/")[2] == _LABELMAP]
    above = files.folder.parent / _LABELMAP
    return inside[0] if inside else above if above.is_file() else None


def _masks(files: AnnotationFiles) -> dict[str, str]:
    """List the masks by the names of their pictures: the path within SegmentationClass, after the folders above it."""
    within = files.folder.name.lower() == _MASKS
    found: dict[str, str] = {}
    for file in files.files:
        folders = file.split("/")[:-1]
        if suffix(file) in PICTURE_SUFFIXES and (
            within or _MASKS in (folder.lower() for folder in folders)
        ):
            found["/".join(part for part in file.split("/") if part.lower() != _MASKS)] = file
    return found


def _labels(path: Path) -> dict[int, str]:
    """Read the class of each colour, as `colour_rows` counts them; a class without one has that of VOC."""
    labels: dict[int, str] = {}
    lines = enumerate(read_text(path, _MOST_BYTES).splitlines(), 1)
    entries = ((n, line.strip()) for n, line in lines if line.strip() and line[0] != "#")
    for index, (number, line) in enumerate(entries):
        parts, place = _LINE.fullmatch(line), f"line {number}"
        levels = [int(level) for level in parts[2].split(",")] if parts and parts[2] else []
        if parts is None or max(levels, default=0) > 255:
            refuse(path.name, place, f"expected 'label:red,green,blue::', got {line[:60]!r}")
        red, green, blue = levels or _voc_colour(index)
        name = BACKGROUND if parts[1].casefold() == BACKGROUND else parts[1]
        other = labels.setdefault(red | green << 8 | blue << 16, name)
        if other != name:
            refuse(
                path.name, place, f"expected a colour of its own, {name!r} has that of {other!r}"
            )
    if BACKGROUND not in labels.values():
        labels.setdefault(0, BACKGROUND)
    return labels


def _voc_colour(index: int) -> tuple[int, int, int]:
    """Return the colour that VOC gives to a class: three bits of its index in turn, from the highest level down."""
    levels = [0, 0, 0]
    for level in range(8):
        for channel in range(3):
            levels[channel] |= (index >> 3 * level + channel & 1) << 7 - level
    return (levels[0], levels[1], levels[2])


def _picture(
    files: AnnotationFiles, masks: Mapping[str, str], labels: Mapping[int, str], name: str
) -> AnnotatedPicture:
    try:
        rows = colour_rows(files.read_named(masks[name]), files.most_pixels)
        return numbered_picture(rows, labels, masks[name])
    except BrokenShape as error:
        return spoiled_picture(masks[name], str(error))
