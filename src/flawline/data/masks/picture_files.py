"""Annotations with a file for each picture: one that cannot be read spoils its own picture."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import Any

from flawline.data.labels import label_meaning
from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Shape,
    broken_shape,
    labels_of,
)
from flawline.data.names import natural_key, stem
from flawline.errors import FlawlineError

ReadOne = Callable[[str], tuple[str, AnnotatedPicture]]


def read_each(files: AnnotationFiles, names: Iterable[str], read_one: ReadOne) -> Annotations:
    """Read a file for each picture; `read_one` gives the picture's name and regions."""
    pictures: dict[str, AnnotatedPicture] = {}
    for file in names:
        try:
            name, picture = read_one(file)
        except (FlawlineError, BrokenShape) as error:
            why = getattr(error, "message", str(error))
            name, picture = picture_of(file, None), spoiled_picture(file, why)
        add_picture(pictures, name, file, picture)
    return annotations_of(files.name, pictures)


def annotations_of(
    file: str,
    pictures: Mapping[str, AnnotatedPicture],
    *,
    labels: Iterable[str] = (),
    notes: tuple[str, ...] = (),
    lost: tuple[str, ...] = (),
    nameless: tuple[str, ...] = (),
) -> Annotations:
    """Make the annotations of pictures by name; the classes used follow `labels` in natural order."""
    used = sorted(labels_of(pictures.values()), key=natural_key)
    named = tuple(dict.fromkeys([*labels, *used]))
    return Annotations(
        file, named, tuple(pictures), pictures.__getitem__, notes, lost=lost, nameless=nameless
    )


def add_picture(
    pictures: dict[str, AnnotatedPicture], name: str, place: str, picture: AnnotatedPicture
) -> None:
    """Add a picture; one that is annotated twice is spoiled."""
    if name in pictures:
        picture = spoiled_picture(place, f"expected each picture once, {name!r} comes again")
    pictures[name] = picture


def spoiled_picture(place: str, why: str) -> AnnotatedPicture:
    """Make the regions of a picture whose annotations cannot be read."""
    return AnnotatedPicture(None, (broken_shape(place, why),))


def without_region(
    tags: Iterable[str], shapes: Sequence[Shape], place: str, classes: Container[str] = ()
) -> tuple[Shape, ...]:
    """Make broken shapes of tags of a whole picture: one of `classes` that no region has, a defect without any region.

    A tag that means a good part is none.
    """
    drawn = {shape.label for shape in shapes}
    meaning = {tag: label_meaning(tag) for tag in tags if tag not in drawn}
    return tuple(
        broken_shape(place, f"expected a region of {tag!r}, got a tag of the whole picture")
        for tag, defective in meaning.items()
        if defective is not False and (tag in classes or (defective and not shapes))
    )


def picture_of(file: str, stated: Any) -> str:
    """Return the path of the picture that the annotation file at the path `file` belongs to.

    Tools give both the same name and also write the picture's into the file, which gets stale when both are renamed: it
    counts only for the extension. Its folders say where the picture was on another machine.
    """
    own = file.rpartition(".")[0]
    name = stated.replace("\\", "/").rpartition("/")[2] if isinstance(stated, str) else ""
    return own + name.removeprefix(stem(file)) if stem(name) == stem(file) else own
