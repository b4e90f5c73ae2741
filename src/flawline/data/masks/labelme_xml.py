"""Read the XML files of LabelMe's web page: one for each picture, with masks as PNG."""

from __future__ import annotations

from functools import partial
from xml.etree.ElementTree import Element

import numpy as np

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.bitmaps import paint_png
from flawline.data.masks.documents import size_of
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
from flawline.data.masks.voc import numbers_of
from flawline.data.masks.xml_file import read_xml

_BOX = "bounding_box"
_OWN = ("imagesize", "object/polygon/pt", "object/segm")


def is_labelme_xml(files: AnnotationFiles) -> bool:
    """Whether it is an XML file with polygons or masks of LabelMe, or a folder that holds such files."""
    return any(
        element.tag == "annotation" and any(element.find(own) is not None for own in _OWN)
        for element in files.elements
    )


def read_labelme_xml(files: AnnotationFiles) -> Annotations:
    """Read the polygons and masks of LabelMe's web page; bounding boxes are boxes, deleted objects count as none.

    The masks lie in `Masks/FOLDER` of the folder that is given, the XML files in `Annotations/FOLDER`. A picture
    belongs to the file of its own name. An object or file that cannot be read spoils its picture.
    """
    return read_each(files, files.of_kind(".xml"), partial(_picture, files))


def _picture(files: AnnotationFiles, file: str) -> tuple[str, AnnotatedPicture]:
    root = read_xml(files.folder / file)
    if root.tag != "annotation":
        raise BrokenShape(f"expected <annotation> of LabelMe, got <{root.tag[:40]}>")
    height, width = root.findtext("imagesize/nrows"), root.findtext("imagesize/ncols")
    size = None if height is None and width is None else size_of(height, width, files.most_pixels)
    shapes = [
        _shape(files, region, file, f"{file}, object {number}")
        for number, region in enumerate(root.findall("object"), 1)
        if (region.findtext("deleted") or "0").strip() != "1"
    ]
    return picture_of(file, root.findtext("filename")), AnnotatedPicture(size, tuple(shapes))


def _shape(files: AnnotationFiles, region: Element, file: str, place: str) -> Shape:
    label = (region.findtext("name") or "").strip()
    if not label:
        return broken_shape(place, "expected an object with a name, got none")
    if (mask := region.findtext("segm/mask")) is not None:
        return Shape(label, place, partial(_paint_mask, files, file, mask.strip()))
    if (polygon := region.find("polygon")) is not None:
        box = (region.findtext("type") or "").strip() == _BOX
        return Shape(label, place, partial(_paint_points, polygon), box=box)
    return broken_shape(place, "expected an object with a polygon or a mask, got none")


def _paint_points(polygon: Element, mask: Mask, value: int) -> None:
    points = [numbers_of(point, "x", "y") for point in polygon.findall("pt")]
    paint_polygon(np.array(points, np.float64).reshape(-1, 2), mask, value)


def _paint_mask(files: AnnotationFiles, file: str, name: str, mask: Mask, value: int) -> None:
    *folders, _ = file.split("/")
    inside = ["Masks" if folder.lower() == "annotations" else folder for folder in folders]
    # Datumaro writes the folder of the picture into the name as well.
    last = name.rpartition("/")[2]
    places = ("/".join([*parts, n]) for parts in (inside, folders) for n in (name, last))
    content = files.read_named(*places)
    paint_png(content, (0, 0), mask, value)
