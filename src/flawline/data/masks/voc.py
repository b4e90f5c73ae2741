"""Read Pascal VOC: an XML file of boxes for each picture."""

from __future__ import annotations

import math
from functools import partial
from xml.etree.ElementTree import Element

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.boxes import paint_box
from flawline.data.masks.documents import real, size_of
from flawline.data.masks.picture_files import picture_of, read_each
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    broken_shape,
    paint_polygon,
)
from flawline.data.masks.xml_file import read_xml


def is_voc(files: AnnotationFiles) -> bool:
    """Whether it is an XML file of VOC, or a folder that holds such files."""
    return any(element.tag == "annotation" for element in files.elements)


def read_voc(files: AnnotationFiles) -> Annotations:
    """Read the objects of VOC files: boxes, and the polygons and rotated boxes that some tools add.

    A picture belongs to the file of its own name. The pixels of a box are numbered from 1, both ends are part of it. An
    object or file that cannot be read spoils its picture.
    """
    return read_each(files, files.of_kind(".xml"), partial(_picture, files))


def _picture(files: AnnotationFiles, file: str) -> tuple[str, AnnotatedPicture]:
    root = read_xml(files.folder / file)
    if root.tag != "annotation":
        raise BrokenShape(f"expected <annotation> of VOC, got <{root.tag[:40]}>")
    height, width = root.findtext("size/height"), root.findtext("size/width")
    # LabelImg writes 0 x 0 where it could not open the picture.
    stated = {height, width} - {None, "", "0"}
    size = size_of(height, width, files.most_pixels) if stated else None
    shapes = (_shape(o, f"{file}, object {n}") for n, o in enumerate(root.findall("object"), 1))
    return picture_of(file, root.findtext("filename")), AnnotatedPicture(size, tuple(shapes))


def _shape(region: Element, place: str) -> Shape:
    label = (region.findtext("name") or "").strip()
    if not label:
        return broken_shape(place, "expected an object with a name, got none")
    if (polygon := region.find("polygon")) is not None:
        return Shape(label, place, partial(_paint_polygon, polygon))
    if (turned := region.find("robndbox")) is not None:
        return Shape(label, place, partial(_paint_turned, turned))
    if (box := region.find("bndbox")) is not None:
        return Shape(label, place, partial(_paint_box, box), box=True)
    return broken_shape(place, "expected an object with a bndbox, got none")


def numbers_of(element: Element, *names: str) -> list[float]:
    """Read the numbers of an element's children; raises BrokenShape where one is missing or no number."""
    texts = [element.findtext(name) for name in names]
    numbers = [number for text in texts if (number := real(text)) is not None]
    if len(numbers) != len(names):
        raise BrokenShape(f"expected the numbers {', '.join(names)}, got {texts}"[:200])
    return numbers


def _paint_box(box: Element, mask: Mask, value: int) -> None:
    left, top, right, bottom = numbers_of(box, "xmin", "ymin", "xmax", "ymax")
    paint_box((left - 1, top - 1), (right - left + 1, bottom - top + 1), 0, mask, value)


def _paint_turned(box: Element, mask: Mask, value: int) -> None:
    """Paint the rotated box of roLabelImg, turned clockwise by radians about its centre."""
    x, y, width, height, angle = numbers_of(box, "cx", "cy", "w", "h", "angle")
    corner = (x - width / 2, y - height / 2)
    paint_box(corner, (width, height), math.degrees(angle), mask, value)


def _paint_polygon(polygon: Element, mask: Mask, value: int) -> None:
    """Paint the polygon of Roboflow: x1, y1, x2, y2 and so on."""
    count = len(polygon) // 2
    names = [f"{axis}{number}" for number in range(1, count + 1) for axis in "xy"]
    paint_polygon(np.array(numbers_of(polygon, *names)).reshape(-1, 2), mask, value)
