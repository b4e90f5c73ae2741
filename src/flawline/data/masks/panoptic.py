"""Read COCO panoptic: a JSON file, and a PNG for each picture whose colours are the numbers of its segments."""

from __future__ import annotations

from functools import partial
from typing import Any

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.bitmaps import colour_rows, numbered_picture
from flawline.data.masks.class_names import BACKGROUND
from flawline.data.masks.coco import categories_of, is_coco
from flawline.data.masks.documents import key_of, short, typed, whole
from flawline.data.masks.picture_files import spoiled_picture
from flawline.data.masks.shapes import AnnotatedPicture, Annotations, BrokenShape
from flawline.data.names import stem

Document = dict[str, Any]


def is_panoptic(files: AnnotationFiles) -> bool:
    """Whether it is a COCO file that lists segments of pictures."""
    if not is_coco(files) or not isinstance(files.document["annotations"], list):
        return False
    return any(isinstance(a, dict) and "segments_info" in a for a in files.document["annotations"])


def read_panoptic(files: AnnotationFiles) -> Annotations:
    """Read the segments of pictures; a pixel of the number red + 256 green + 65536 blue, 0 for none.

    The PNGs lie in a folder named like the JSON file beside it, or beside it. One that is missing, or has a number that
    is not listed, spoils its picture.

    Raises:
        SourceError: a part of the document is no list.
    """
    document, file = files.document, files.name
    categories = categories_of(document, file)
    images = _images(document, file)
    known: dict[str, tuple[str, Document]] = {}
    nameless: list[str] = []
    for number, item in enumerate(document["annotations"]):
        place = f"annotations[{number}]"
        segments = item if isinstance(item, dict) else {}
        name = images.get(key_of(segments.get("image_id")))
        if not isinstance(name, str):
            nameless.append(f"{place}.image_id: expected an id of one of the images")
        elif name in known:
            known[name] = (f"{place}: expected each picture once, {name!r} comes again", {})
        else:
            known[name] = (place, segments)
    labels = tuple(dict.fromkeys(label for label in categories.values() if label is not None))
    read = partial(_picture, files, categories, known)
    pngs = (files.path_named(*_png_names(files, segments)) for _, segments in known.values())
    masks = tuple(path for path in pngs if path is not None)
    return Annotations(file, labels, tuple(known), read, nameless=tuple(nameless), masks=masks)


def _png_names(files: AnnotationFiles, segments: Document) -> tuple[str, ...]:
    """List where the PNG of a picture may lie; empty where none is named."""
    png = segments.get("file_name")
    return (f"{stem(files.name)}/{png}", png) if isinstance(png, str) else ()


def _images(document: Document, file: str) -> dict[Any, Any]:
    """Return the names of the pictures by their ids; None for an id that two pictures have."""
    found: dict[Any, Any] = {}
    for image in typed(document["images"], list, file, "images"):
        if isinstance(image, dict):
            key, name = key_of(image.get("id")), image.get("file_name")
            found[key] = name if found.get(key, name) == name else None
    return found


def _picture(
    files: AnnotationFiles,
    categories: dict[Any, str | None],
    known: dict[str, tuple[str, Document]],
    name: str,
) -> AnnotatedPicture:
    place, segments = known[name]
    try:
        labels = _labels(segments.get("segments_info"), categories)
        names = _png_names(files, segments)
        if not names:
            came = short(segments.get("file_name"))
            raise BrokenShape(f"expected the name of a PNG, got {came}")
        content = files.read_named(*names)
        rows = colour_rows(content, files.most_pixels)
        return numbered_picture(rows, {0: BACKGROUND, **labels}, place, needed=labels)
    except BrokenShape as error:
        return spoiled_picture(place, str(error))


def _labels(segments: Any, categories: dict[Any, str | None]) -> dict[int, str]:
    """Give the class of each segment by its number."""
    if not isinstance(segments, list):
        raise BrokenShape(f"expected a list 'segments_info', got {short(segments)}")
    labels: dict[int, str] = {}
    for segment in segments:
        number = whole(segment.get("id")) if isinstance(segment, dict) else None
        label = categories.get(key_of(segment.get("category_id"))) if number is not None else None
        if number is None or label is None or number in labels:
            raise BrokenShape(
                f"expected segments of one id and category each, got {short(segment)}"
            )
        labels[number] = label
    return labels
