"""Read "CVAT for images 1.1" and "CVAT for video 1.1", XML files."""

from __future__ import annotations

from functools import cached_property
from typing import NoReturn
from xml.parsers import expat

from flawline.core.words import counted
from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.cvat_shapes import order_of, shape_of
from flawline.data.masks.cvat_tracks import Track, TrackShape, video_of
from flawline.data.masks.documents import read_bytes, refuse, short, size_of, whole
from flawline.data.masks.picture_files import without_region
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Shape,
    broken_shape,
)

Attributes = dict[str, str]
# Elements of a picture or track that are no regions.
_NO_REGION = frozenset({"attribute"})
_TASK_FIELDS = frozenset({"start_frame", "stop_frame", "frame_filter", "width", "height"})


def is_cvat(files: AnnotationFiles) -> bool:
    """Whether it is an XML file."""
    return files.suffix == ".xml"


def read_cvat(files: AnnotationFiles) -> Annotations:
    """Read polygons, masks, ellipses and boxes of an export; a shape that cannot be read spoils its picture.

    So does a tag that names a class of shapes where none of the picture has it, or a defect where there is no shape.
    Shapes are painted from the lowest z_order to the highest, and in the order of the file where that is the same.
    Frames of a video are called frame_000000 and so on, as CVAT names their pictures.

    Raises:
        SourceError: no XML, a document type (which could define entities), or videos of several tasks.
    """
    reader = _Reader(files.name, files.most_pixels)
    reader.parse(read_bytes(files.path))
    used = (shape.label for shapes in reader.shapes.values() for _, shape in shapes)
    seen = (shape.shape.label for track in reader.tracks for shape in track.shapes)
    known = (label for label in (*reader.labels, *used, *seen) if label)
    labels, lost = tuple(dict.fromkeys(known)), tuple(reader.lost)
    if not reader.tracks:
        names = tuple(reader.shapes)
        nameless = tuple(reader.nameless)
        also = reader.without_subset.__getitem__
        return Annotations(
            files.name, labels, names, reader.picture, also=also, lost=lost, nameless=nameless
        )
    if reader.tasks > 1 or reader.shapes:
        refuse(
            files.name,
            "the tracks",
            f"expected the video of one task, got {reader.tasks} tasks and {len(reader.shapes)} pictures",
            'Export every task by itself, or export "CVAT for images".',
        )
    try:
        video = video_of(reader.tracks, reader.task, files.most_pixels)
    except BrokenShape as error:
        refuse(files.name, "the task", str(error))
    frames = video.names()
    return Annotations(
        files.name,
        labels,
        tuple(frames),
        lambda name: video.picture(frames[name]),
        (
            counted(len(frames), "frame of a video is", "frames of a video are")
            + f" called {next(iter(frames))} and so on",
        ),
        lost=lost,
        way_out='Name the pictures as CVAT names frames (frame_000000.png), or export "CVAT for images".',
    )


class _Reader:
    """What is known so far while the parser walks through the file."""

    def __init__(self, file: str, most_pixels: int) -> None:
        self.sizes: dict[str, tuple[int, int]] = {}
        self.shapes: dict[str, list[tuple[int, Shape]]] = {}
        self.tags: dict[str, list[tuple[str, str]]] = {}
        self.without_subset: dict[str, str] = {}
        self.tracks: list[Track] = []
        self.labels: list[str] = []
        self.lost: list[str] = []
        self.nameless: list[str] = []
        self.task: dict[str, str] = {}
        self.tasks = 0
        self._file, self._most_pixels = file, most_pixels
        self._path: list[str] = []
        self._text = ""
        self._image: str | None = None
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

    def picture(self, name: str) -> AnnotatedPicture:
        ordered = [shape for _, shape in sorted(self.shapes[name], key=lambda shape: shape[0])]
        tagged = (
            shape
            for place, tag in self.tags.get(name, ())
            for shape in without_region([tag], ordered, place, self._drawn)
        )
        return AnnotatedPicture(self.sizes.get(name), (*ordered, *tagged))

    @cached_property
    def _drawn(self) -> frozenset[str]:
        """The classes of all shapes; where there are none, tags are all that is known of the classes."""
        shapes = (shape.label for own in self.shapes.values() for _, shape in own)
        return frozenset(filter(None, shapes)) or frozenset(self.labels)

    def _place(self) -> str:
        return f"line {self._parser.CurrentLineNumber}"

    def _refuse(self, message: str, hint: str = "Export the annotations again.") -> NoReturn:
        refuse(self._file, self._place(), message, hint)

    def _doctype(self, *_: object) -> NoReturn:
        self._refuse("expected plain XML, got a document type", "Remove the <!DOCTYPE ...> part.")

    def _start(self, tag: str, attributes: Attributes) -> None:
        if not self._path and tag != "annotations":
            self._refuse(f"expected <annotations> of CVAT, got <{tag[:40]}>")
        self._path.append(tag)
        self._text = ""
        if tag == "image":
            self._start_image(attributes)
        elif tag == "track":
            self.tracks.append(Track(self._place(), attributes.get("label", ""), []))
        elif self._path[-2:-1] == ["image"] and tag not in _NO_REGION:
            self._add_shape(tag, attributes)
        elif self._path[-2:-1] == ["track"] and tag not in _NO_REGION:
            self._add_track_shape(tag, attributes)

    def _end(self, tag: str) -> None:
        if self._path[-2:] == ["label", "name"]:
            self.labels.append(self._text.strip())
        elif tag in _TASK_FIELDS:
            self.task[tag] = self._text
        self.tasks += tag == "task"
        if tag == "image":
            self._image = None
        self._path.pop()

    def _characters(self, text: str) -> None:
        if self._path[-1] in _TASK_FIELDS or self._path[-2:] == ["label", "name"]:
            self._text += text

    def _start_image(self, attributes: Attributes) -> None:
        own = attributes.get("name")
        if self._path[-2:-1] != ["annotations"]:
            self._refuse("expected one picture after the other, got one within another element")
        if own is None:
            self.nameless.append(f"{self._place()}: expected the attribute 'name', found none")
            return
        # The export of a project keeps the pictures of a subset in a folder of its name.
        name = f"{attributes['subset']}/{own}" if attributes.get("subset") else own
        self._image, self.without_subset[name] = name, own
        again = name in self.shapes
        shapes = self.shapes.setdefault(name, [])
        if again:
            why = f"expected each picture once, {name!r} comes again"
            shapes.append((0, broken_shape(self._place(), why)))
        try:
            height, width = attributes.get("height"), attributes.get("width")
            self.sizes[name] = size_of(height, width, self._most_pixels)
        except BrokenShape as error:
            shapes.append((0, broken_shape(self._place(), str(error))))

    def _add_shape(self, tag: str, attributes: Attributes) -> None:
        label = attributes.get("label", "")
        if self._image is not None and tag == "tag":
            self.tags.setdefault(self._image, []).append((self._place(), label))
        elif self._image is not None:
            self.shapes[self._image].append(self._ordered(tag, attributes, label))

    def _add_track_shape(self, tag: str, attributes: Attributes) -> None:
        frame = whole(attributes.get("frame"))
        if frame is None:
            came = short(attributes.get("frame"))
            self.lost.append(f"{self._place()}: expected a whole number as 'frame', got {came}")
            return
        outside = attributes.get("outside", "0").strip() in ("1", "true", "True")
        order, shape = self._ordered(tag, attributes, self.tracks[-1].label)
        self.tracks[-1].shapes.append(TrackShape(frame, outside, order, shape))

    def _ordered(self, tag: str, attributes: Attributes, label: str) -> tuple[int, Shape]:
        try:
            return order_of(attributes), shape_of(tag, attributes, label, self._place())
        except BrokenShape as error:
            return 0, broken_shape(self._place(), str(error))
