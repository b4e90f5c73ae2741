"""Read the class names of a YOLO set: from its data.yaml, or from its classes.txt or obj.names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import read_text, refuse, whole
from flawline.errors import UsageError

_YAML_NAMES = ("data.yaml", "data.yml", "dataset.yaml", "dataset.yml")
NAME_LISTS = ("classes.txt", "obj.names", "predefined_classes.txt")
_MOST_BYTES, _MOST_CLASSES = 250_000, 10_000
_TAGS = ("str", "int", "float", "bool", "timestamp")


@dataclass(frozen=True, slots=True)
class YoloNames:
    """The class names by their numbers; `keypoints`: every line is a box with key points."""

    names: tuple[str, ...]
    keypoints: bool = False
    notes: tuple[str, ...] = ()


def names_of_set(files: AnnotationFiles) -> YoloNames:
    """Find the names of a set: in its data.yaml, else in its list of names, else in `classes`, else class_0 and so on.

    Raises:
        SourceError: names of another form.
        UsageError: no names, and no number of classes in a data.yaml.
    """
    yaml = _first(files, _YAML_NAMES) if files.is_folder else files.path
    entries = _entries(read_text(yaml, _MOST_BYTES), yaml.name) if yaml else []
    keypoints = any(key == "kpt_shape" for key, _ in entries)
    if yaml and any(key == "names" and node.value for key, node in entries):
        return YoloNames(tuple(_names_of(_names_node(entries, yaml.name), yaml.name)), keypoints)
    if listed := _first(files, NAME_LISTS):
        return YoloNames(_names_in_list(listed), keypoints)
    if files.classes:
        return YoloNames(files.classes, keypoints)
    count = next((whole(_text(node)) for key, node in entries if key == "nc"), None)
    if yaml is None or count is None or not 0 < count <= _MOST_CLASSES:
        raise UsageError(
            f"expected a data.yaml with 'names' in {str(files.folder)!r} or class names, found neither",
            hint="Give classes in the order of their numbers, or the data.yaml.",
        )
    note = f"{yaml.name} gives no names: the classes are called class_0 and so on"
    return YoloNames(tuple(f"class_{n}" for n in range(count)), keypoints, (note,))


def _first(files: AnnotationFiles, names: Sequence[str]) -> Path | None:
    """Find the first file of these names in the folder, or else above: train/labels and labels/train are two deep."""
    folder = files.folder.absolute()
    deep = "labels" in (folder.name.lower(), folder.parent.name.lower())
    above = (folder, *folder.parents[: 2 if deep else 1])
    found = (folder / name for folder in above for name in names)
    return next((path for path in found if path.is_file()), None)


def _names_in_list(path: Path) -> tuple[str, ...]:
    """Read a list of names, one a line."""
    names = [line.strip() for line in read_text(path, _MOST_BYTES).rstrip().splitlines()]
    for number, name in enumerate(names or [""], 1):
        if not name:
            refuse(path.name, f"line {number}", "expected the name of a class, found none")
    return tuple(names)


def names_in_yaml(text: str, file: str) -> list[str]:
    """Read the class names of a data.yaml: its entry `names`, a list or names by number from 0.

    Names are read as they are written (`no` is a name, not a truth value); nothing else in the file is used.

    Raises:
        SourceError: it is no YAML, or has no such entry, or one of another form.
    """
    return _names_of(_names_node(_entries(text, file), file), file)


def _names_of(node: Any, file: str) -> list[str]:
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


def _entries(text: str, file: str) -> list[tuple[str, Any]]:
    """List the entries of a YAML file with their nodes; neither objects nor copies for aliases are built from nodes."""
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
    return [(key.value, value) for key, value in entries if key.id == "scalar"]


def _names_node(entries: Sequence[tuple[str, Any]], file: str) -> Any:
    named = [value for key, value in entries if key == "names"]
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
