"""Read YOLO segmentation: a text file of polygons for each picture, class names in data.yaml."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import read_text, refuse
from flawline.data.masks.matching import file_stem
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    paint_polygon,
)
from flawline.data.names import MASK_FOLDERS, PICTURE_SUFFIXES, suffix
from flawline.errors import FlawlineError, ImageError, SourceError, UsageError

_YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
# Lists of one name a line, as Label Studio, labelImg and Darknet write them.
_CLASS_LISTS = ("classes.txt", "obj.names")
_LOOKED_AT = 5
_MOST_YAML, _MOST_LABELS = 250_000, 50_000_000
_TAGS = ("str", "int", "float", "bool", "timestamp")


def is_yolo(files: AnnotationFiles) -> bool:
    """Whether it is a data.yaml, a folder with text files and no pictures, or one with label files of its pictures.

    Raises:
        SourceError: a folder that holds label files and masks.
    """
    if not files.is_folder:
        return files.suffix in (".yaml", ".yml")
    texts = _label_files(files)
    pictures = [name for name in files.files if suffix(name) in PICTURE_SUFFIXES]
    if not texts or not pictures:
        return bool(texts)
    stems = {_stem(name) for name in pictures}
    paired = [name for name in texts if _stem(name) in stems]
    if not paired or not all(_holds_numbers(files.folder / name) for name in paired[:_LOOKED_AT]):
        return False
    masks = [name for name in pictures if set(name.lower().split("/")[:-1]) & {*MASK_FOLDERS}]
    if masks:
        raise SourceError(
            f"expected annotations of one kind below {str(files.path)!r}, found label files ({paired[0]!r}) "
            f"and masks ({masks[0]!r})",
            hint="Give the folder of one of them.",
            code="annotations-ambiguous",
        )
    return True


def read_yolo(files: AnnotationFiles) -> Annotations:
    """Find the label files in a folder, or below that of a data.yaml.

    Each line of a label file is the place of a class in the names, then x and y in turn as fractions of the picture's
    width and height. An empty file is a picture without defects.

    Raises:
        SourceError: no label files, or a data.yaml without class names.
        UsageError: neither a data.yaml nor `classes`.
    """
    folder = files.folder
    names = _names(files)
    texts = {file: folder / file for file in _label_files(files)}
    if not texts:
        raise SourceError(
            f"expected label files (.txt) below {str(folder)!r}, found none",
            hint="Give the folder that holds the label files.",
            code="annotations",
        )
    return Annotations(files.name, names, tuple(texts), partial(_annotated, texts, names))


def _label_files(files: AnnotationFiles) -> list[str]:
    """List the text files but for class names; where some lie in folders called labels, those alone."""
    texts = [name for name in files.files if suffix(name) == ".txt"]
    texts = [name for name in texts if name.rpartition("/")[2].lower() not in _CLASS_LISTS]
    return [name for name in texts if "labels" in name.lower().split("/")[:-1]] or texts


def _stem(name: str) -> str:
    return file_stem(name.rpartition("/")[2])


def _holds_numbers(path: Path) -> bool:
    """Whether a text file is one of labels: numbers, or empty."""
    try:
        words = read_text(path, _MOST_LABELS).split()
        return all(math.isfinite(float(word)) for word in words)
    except (SourceError, ValueError):
        return False


def names_in_yaml(text: str, file: str) -> list[str]:
    """Read the class names of a data.yaml: its entry `names`, a list or names by number from 0.

    Names are read as they are written (`no` is a name, not a truth value); nothing else in the file is used.

    Raises:
        SourceError: it is no YAML, or has no such entry, or one of another form.
    """
    node = _names_node(text, file)
    found: dict[int, str] = {}
    for place, (number, name) in enumerate(_numbered(node)):
        if name is None or number is None or number in found or number >= len(node.value):
            refuse(
                file,
                f"line {_line_of(node, place)}, names",
                f"expected '- name' or 'number: name', each number from 0 to {len(node.value) - 1} once",
                "Write the names one a line, or as [a, b].",
            )
        found[number] = name
    if not found:
        refuse(file, f"line {node.start_mark.line + 1}", "expected class names, found none")
    return [found[number] for number in range(len(found))]


def _names_node(text: str, file: str) -> Any:
    """Find the node of the entry `names`; neither objects nor copies for aliases are built from nodes."""
    import yaml

    try:
        whole = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "the whole file" if mark is None else f"line {mark.line + 1}"
        why = getattr(error, "problem", None) or str(error).splitlines()[0]
        refuse(file, place, f"expected YAML, got an error: {why}")
    except RecursionError:
        refuse(file, "the whole file", "expected YAML, got one that is nested too deeply")
    entries = whole.value if isinstance(whole, yaml.MappingNode) else []
    named = [value for key, value in entries if key.value == "names"]
    if len(named) != 1:
        refuse(
            file,
            "the whole file",
            f"expected one entry 'names:', found {len(named)}",
            "List the class names there.",
        )
    return named[0]


def _numbered(node: Any) -> Iterator[tuple[int | None, str | None]]:
    """List the numbers and names in an entry `names`; None for another value."""
    if node.id == "sequence":
        yield from ((number, _text(item)) for number, item in enumerate(node.value))
    elif node.id == "mapping":
        for key, value in node.value:
            number = _text(key) or ""
            whole = number.isascii() and number.isdecimal() and len(number) < 9
            yield int(number) if whole else None, _text(value)
    elif node.value:
        yield None, None


def _text(node: Any) -> str | None:
    """Return a scalar as it is written; None for an empty one, another node or an unknown tag."""
    known = node.id == "scalar" and node.tag.rpartition(":")[2] in _TAGS
    return node.value or None if known else None


def _line_of(node: Any, place: int) -> int:
    """Find the line, from 1, of one of the entries of `names`."""
    entry = node.value[place] if node.id in ("sequence", "mapping") else node
    return int((entry[0] if isinstance(entry, tuple) else entry).start_mark.line) + 1


def _names(files: AnnotationFiles) -> tuple[str, ...]:
    folders = (files.folder, files.folder.parent)
    candidates = [folder / name for folder in folders for name in (*_YAML_NAMES, *_CLASS_LISTS)]
    given = None if files.is_folder else files.path
    path = given or next((path for path in candidates if path.is_file()), None)
    if path is not None:
        text = read_text(path, _MOST_YAML)
        if path.name not in _CLASS_LISTS:
            return tuple(names_in_yaml(text, path.name))
        return tuple(line.strip() for line in text.rstrip().splitlines())
    if not files.classes:
        raise UsageError(
            f"expected a data.yaml or classes.txt in {str(files.folder)!r}, or class names, found none",
            hint="Give classes in the order of their numbers, or the data.yaml.",
        )
    return files.classes


def _annotated(texts: dict[str, Path], names: tuple[str, ...], name: str) -> AnnotatedPicture:
    try:
        text = read_text(texts[name], _MOST_LABELS)
    except FlawlineError as error:
        # An unreadable label file is an error of its own picture only.
        raise ImageError(error.message, hint=error.hint, code="image-mask-outline") from error
    file = texts[name].name
    lines = [(n, line.split()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    shapes = tuple(
        Shape(_class(words[0], names, file, n), f"{file}, line {n}", _painter(words[1:]))
        for n, words in lines
    )
    return AnnotatedPicture(None, shapes)


def _class(word: str, names: tuple[str, ...], file: str, line: int) -> str:
    if not word.isdecimal() or len(word) > 6 or int(word) >= len(names):
        raise ImageError(
            f"{file}, line {line}: expected a class from 0 to {len(names) - 1}, got {word[:20]!r}",
            hint="Name every class in data.yaml.",
            code="image-mask-outline",
        )
    return names[int(word)]


def _painter(words: list[str]) -> Callable[[Mask, int], None]:
    return partial(_paint, words)


def _paint(words: list[str], mask: Mask, value: int) -> None:
    import numpy as np

    if len(words) == 4:
        raise BrokenShape("expected a polygon, got a box of 4 numbers, which has no outline")
    try:
        points = np.array(words, np.float64)
    except ValueError as error:
        raise BrokenShape("expected x and y in turn as fractions of the picture") from error
    if len(points) % 2:
        raise BrokenShape(f"expected x and y in turn, got {len(points)} numbers")
    paint_polygon(points.reshape(-1, 2) * (mask.shape[1], mask.shape[0]), mask, value)
