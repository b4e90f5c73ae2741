"""Read "CVAT for images 1.1", an XML file."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import NoReturn
from xml.parsers import expat

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import points_of, read_bytes, refuse, stated_size
from flawline.data.masks.rle import paint_cvat
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Paint,
    Shape,
    paint_polygon,
)

Attributes = dict[str, str]
_NO_OUTLINE = frozenset({"box", "polyline", "points", "ellipse", "cuboid", "skeleton"})


def is_cvat(files: AnnotationFiles) -> bool:
    """Whether it is an XML file."""
    return files.suffix == ".xml"


def read_cvat(files: AnnotationFiles) -> Annotations:
    """Read the polygons and masks of an export; boxes and other kinds without an outline are passed over with a note.

    Shapes are painted from the lowest z_order to the highest, and in the order of the file where that is the same.

    Raises:
        SourceError: no XML, a document type (which could define entities), tracks of a video, or a part that is
            missing or of another type.
    """
    reader = _Reader(files.name, files.most_pixels)
    reader.parse(read_bytes(files.path))
    pictures = {
        name: AnnotatedPicture(
            size, tuple(shape for _, shape in sorted(shapes, key=lambda s: s[0]))
        )
        for name, (size, shapes) in reader.pictures.items()
    }
    used = (shape.label for picture in pictures.values() for shape in picture.shapes)
    labels = tuple(dict.fromkeys([*reader.labels, *used]))
    notes = tuple(
        f"{count} shapes of the kind {kind!r} are passed over: they have no outline"
        for kind, count in sorted(reader.passed_over.items())
    )
    names, also = tuple(pictures), reader.without_subset.__getitem__
    return Annotations(files.name, labels, names, pictures.__getitem__, notes, also)


class _Reader:
    """The pictures read so far while the parser walks through the file."""

    def __init__(self, file: str, most_pixels: int) -> None:
        self.pictures: dict[str, tuple[tuple[int, int], list[tuple[int, Shape]]]] = {}
        self.without_subset: dict[str, str] = {}
        self.labels: list[str] = []
        self.passed_over: Counter[str] = Counter()
        self._file, self._most_pixels = file, most_pixels
        self._path: list[str] = []
        self._text = ""
        self._shapes: list[tuple[int, Shape]] | None = None
        self._parser = expat.ParserCreate()
        self._parser.StartDoctypeDeclHandler = self._doctype
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def parse(self, data: bytes) -> None:
        try:
            self._parser.Parse(data, True)
        except expat.ExpatError as error:
            words = expat.errors.messages[error.code]
            refuse(self._file, f"line {error.lineno}", f"expected XML, {words}")

    def _refuse(self, message: str, hint: str = "Export the annotations again.") -> NoReturn:
        refuse(self._file, f"line {self._parser.CurrentLineNumber}", message, hint)

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("expected plain XML, got a document type", "Remove the <!DOCTYPE ...> part.")

    def _start(self, tag: str, attributes: Attributes) -> None:
        if not self._path and tag != "annotations":
            self._refuse(f"expected <annotations> of CVAT, got <{tag[:40]}>")
        self._path.append(tag)
        self._text = ""
        if tag == "track":
            self._refuse("expected pictures, got a track of a video", 'Export "CVAT for images".')
        if tag == "image":
            self._image(attributes)
        elif self._path[-2:-1] == ["image"]:
            self._shape(tag, attributes)

    def _end(self, tag: str) -> None:
        if self._path[-2:] == ["label", "name"]:
            self.labels.append(self._text.strip())
        if tag == "image":
            self._shapes = None
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._path[-2:] == ["label", "name"]:
            self._text += text

    def _image(self, attributes: Attributes) -> None:
        own = self._attribute(attributes, "name")
        # The export of a project keeps the pictures of a subset in a folder of its name.
        name = f"{attributes['subset']}/{own}" if attributes.get("subset") else own
        if self._shapes is not None:
            self._refuse("expected one picture after the other, got one within another")
        if name in self.pictures:
            self._refuse(f"expected each picture once, {name!r} comes again")
        height, width = (self._number(attributes, key) for key in ("height", "width"))
        place = f"line {self._parser.CurrentLineNumber}"
        size = stated_size(height, width, self._most_pixels, self._file, place)
        self._shapes = []
        self.pictures[name], self.without_subset[name] = (size, self._shapes), own

    def _shape(self, tag: str, attributes: Attributes) -> None:
        if tag in _NO_OUTLINE:
            self.passed_over[tag] += 1
        paint: Paint
        if tag == "polygon":
            paint = partial(_paint_points, self._attribute(attributes, "points"))
        elif tag == "mask":
            sides = [self._number(attributes, key) for key in ("left", "top", "width", "height")]
            paint = partial(_paint_runs, self._attribute(attributes, "rle"), sides)
        else:
            return
        order = self._number(attributes, "z_order") if "z_order" in attributes else 0
        label = self._attribute(attributes, "label")
        place = f"line {self._parser.CurrentLineNumber}"
        self._shapes_of_image().append((order, Shape(label, place, paint)))

    def _shapes_of_image(self) -> list[tuple[int, Shape]]:
        if self._shapes is None:
            self._refuse("expected shapes within an <image>")
        return self._shapes

    def _attribute(self, attributes: Attributes, key: str) -> str:
        if key not in attributes:
            self._refuse(f"expected the attribute {key!r}, found {', '.join(attributes)[:80]}")
        return attributes[key]

    def _number(self, attributes: Attributes, key: str) -> int:
        text = self._attribute(attributes, key)
        try:
            return int(text)
        except ValueError:
            self._refuse(f"expected a whole number as {key!r}, got {text[:40]!r}")


def _paint_points(text: str, mask: Mask, value: int) -> None:
    try:
        numbers = [float(number) for pair in text.split(";") for number in pair.split(",")]
    except ValueError as error:
        raise BrokenShape(f"expected points as 'x,y;x,y', got {text[:40]!r}") from error
    paint_polygon(points_of(numbers), mask, value)


def _paint_runs(text: str, sides: list[int], mask: Mask, value: int) -> None:
    try:
        runs = [int(number) for number in text.split(",")]
    except ValueError as error:
        raise BrokenShape(f"expected run lengths as 'n, n', got {text[:40]!r}") from error
    left, top, width, height = sides
    paint_cvat(runs, (left, top, width, height), mask, value)
