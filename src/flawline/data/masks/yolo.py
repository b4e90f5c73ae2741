"""YOLO segmentation: a text file of polygons for each picture, and the names of the classes in data.yaml."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from flawline.data.masks.documents import read_text, refuse
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    BrokenShape,
    Mask,
    Shape,
    paint_polygon,
)
from flawline.errors import FlawlineError, ImageError, SourceError, UsageError

_YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
_MOST_YAML, _MOST_LABELS, _MOST_FILES = 1_000_000, 50_000_000, 5_000_000
_ENTRY = re.compile(r"(?:-\s+|(\d+)\s*:\s*)(.+)")


def read_yolo(path: Path, classes: Sequence[str] | None) -> Annotations:
    """Find the label files at or below `path`, a folder or a data.yaml whose folder holds them.

    Each line of a label file is the place of a class in the names, then x and y in turn as shares of the picture's
    width and height. An empty file is a picture without defects.

    Raises:
        SourceError: no label files, or no names of the classes.
    """
    folder = path if path.is_dir() else path.parent
    names = tuple(_names(path, folder, classes))
    texts = {file[:-4]: folder / file for file in _text_files(folder)}
    if not texts:
        raise SourceError(
            f"expected label files (.txt) below {str(folder)!r}, found none",
            hint="Give the folder that holds the label files.",
            code="annotations",
        )
    return Annotations(path.name, names, tuple(texts), partial(_marked, texts, names))


def names_in_yaml(text: str, file: str) -> list[str]:
    """The entry `names` of a data.yaml: a list or numbered names, inline or one a line; nothing else is read.

    Raises:
        SourceError: there is no such entry, or it is written in another way.
    """
    lines = [line.split(" #")[0].rstrip() for line in text.splitlines()]
    start = next((n for n, line in enumerate(lines) if re.match(r"names\s*:", line)), None)
    if start is None:
        refuse(file, "the whole file", "expected an entry 'names:'", "List the class names there.")
    rest = lines[start].partition(":")[2].strip()
    entries = _block(lines[start + 1 :]) if not rest else _inline(rest, lines[start + 1 :])
    found: dict[int, str] = {}
    for place, entry in enumerate(entries):
        match = _ENTRY.fullmatch(entry)
        name = match[2].strip().strip("'\"") if match else ""
        number = int(match[1]) if match and match[1] else place
        if not name or number in found or number >= len(entries):
            refuse(
                file,
                f"line {start + 1}, names",
                f"expected '- name' or 'number: name', counted from 0, got {entry[:40]!r}",
                "Write the names one a line, or as [a, b].",
            )
        found[number] = name
    if not found:
        refuse(file, f"line {start + 1}", "expected class names, found none")
    return [found[number] for number in range(len(found))]


def _block(lines: list[str]) -> list[str]:
    entries = []
    for line in lines:
        if line.strip() and not line.startswith((" ", "\t", "-")):
            break
        if line.strip() and not line.strip().startswith("#"):
            entries.append(line.strip())
    return entries


def _inline(rest: str, following: list[str]) -> list[str]:
    closing = {"[": "]", "{": "}"}.get(rest[0], "")
    for line in following:
        if not closing or rest.endswith(closing):
            break
        rest += " " + line.strip()
    if not closing or not rest.endswith(closing):
        return [rest]
    parts = [part.strip() for part in rest[1:-1].split(",") if part.strip()]
    return [part if closing == "}" else f"- {part}" for part in parts]


def _names(path: Path, folder: Path, classes: Sequence[str] | None) -> Sequence[str]:
    candidates = [folder / name for name in _YAML_NAMES]
    candidates += [folder.parent / name for name in _YAML_NAMES]
    yaml = path if path.is_file() else next((p for p in candidates if p.is_file()), None)
    if yaml is not None:
        return names_in_yaml(read_text(yaml, _MOST_YAML), yaml.name)
    if classes is None:
        raise UsageError(
            f"expected a data.yaml in {str(folder)!r} or class names, found neither",
            hint="Give classes in the order of their numbers, or the data.yaml.",
        )
    return classes


def _text_files(folder: Path) -> list[str]:
    found: list[str] = []
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = os.path.relpath(root, folder).replace(os.sep, "/")
        prefix = "" if inside == "." else f"{inside}/"
        found += [prefix + name for name in sorted(files) if name.lower().endswith(".txt")]
        if len(found) > _MOST_FILES:
            raise SourceError(
                f"expected at most {_MOST_FILES} label files, {str(folder)!r} holds more",
                hint="Give the folder of one set.",
                code="annotations-too-large",
            )
    return found


def _marked(texts: dict[str, Path], names: tuple[str, ...], name: str) -> AnnotatedPicture:
    try:
        text = read_text(texts[name], _MOST_LABELS)
    except FlawlineError as error:
        # One label file that cannot be read spoils its own picture only.
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
        raise BrokenShape("expected x and y in turn as shares of the picture") from error
    if len(points) % 2:
        raise BrokenShape(f"expected x and y in turn, got {len(points)} numbers")
    paint_polygon(points.reshape(-1, 2) * (mask.shape[1], mask.shape[0]), mask, value)
