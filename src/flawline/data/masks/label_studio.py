"""Read the exports "JSON" and "JSON-MIN" of Label Studio, lists of tasks with their regions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from flawline.data.masks.annotation_files import AnnotationFiles
from flawline.data.masks.documents import short
from flawline.data.masks.label_studio_min import is_json_min, tasks_of_min
from flawline.data.masks.label_studio_regions import Region
from flawline.data.masks.label_studio_tasks import Task, tasks_of, with_choices
from flawline.data.masks.shapes import (
    AnnotatedPicture,
    Annotations,
    Shape,
    broken_shape,
    labels_of,
)
from flawline.data.names import PICTURE_SUFFIXES, natural_key, suffix

Document = Mapping[str, Any]
_SMALL = re.compile(r"thumb|preview|\bicon", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Pictures:
    """The pictures read so far: by name their sizes and shapes; `nameless` as in Annotations."""

    sizes: dict[str, tuple[int, int]] = field(default_factory=dict)
    shapes: dict[str, list[Shape]] = field(default_factory=dict)
    nameless: list[str] = field(default_factory=list)


def is_label_studio(files: AnnotationFiles) -> bool:
    """Whether a JSON document is a list of tasks, or an export "JSON-MIN"."""
    tasks = files.document
    if is_json_min(tasks):
        return True
    return isinstance(tasks, list) and any(isinstance(one, dict) and "data" in one for one in tasks)


def read_label_studio(files: AnnotationFiles) -> Annotations:
    """Read the regions of an export: polygons, brushes, bitmasks, ellipses, rectangles.

    The last annotation of a task that was not cancelled counts. A task without any is left out; one with an empty
    result is a picture without defects. A task or region that cannot be read spoils its pictures, and so does the
    choice of a defect for a picture without regions.

    Raises:
        SourceError: no task has an entry "annotations".
    """
    file, document = files.name, files.document
    small = is_json_min(document)
    notes: Counter[str] = Counter()
    tasks = tasks_of(tasks_of_min(document) if small else document, file, files.most_pixels, notes)
    used = (region.tag for task in tasks for region in task.regions)
    tags = tuple(tag for tag in dict.fromkeys(used) if tag)
    pictures = _Pictures()
    for task in with_choices(tasks):
        _add_task(pictures, task, tags)
    found = {
        name: AnnotatedPicture(pictures.sizes.get(name), tuple(shapes))
        for name, shapes in pictures.shapes.items()
    }
    counted = [f"{count} {words}" for words, count in sorted(notes.items()) if count]
    return Annotations(
        file,
        tuple(sorted(labels_of(found.values()), key=natural_key)),
        tuple(found),
        found.__getitem__,
        (*counted, *(["JSON-MIN does not tell whether a picture was turned"] if small else [])),
        nameless=tuple(pictures.nameless),
    )


def _add_task(pictures: _Pictures, task: Task, tags: Sequence[str]) -> None:
    """Add the pictures of a task, each with its regions."""
    shown = {
        key: names
        for key, value in (task.data if isinstance(task.data, dict) else {}).items()
        if (names := _names(value))
    }
    own = {region.tag for region in task.regions if region.tag}
    chosen, sure = _chosen(shown, tags, own)
    if not chosen:
        why = f"expected the path of one picture, got {short(task.data)}"
        pictures.nameless.append(f"{task.place}.data: {why}")
    for key in chosen:
        for page, name in enumerate(shown[key]):
            shapes = _shapes(pictures, name, task.place)
            if not sure:
                why = f"expected one picture in the task, got {', '.join(chosen)[:80]}"
                shapes.append(broken_shape(f"{task.place}.data", why))
            shapes += [
                _sized(pictures, name, region, len(shown[key]))
                for region in task.regions
                if region.tag == key or region.tag not in chosen
                if region.page == page or region.page >= len(shown[key])
            ]


def _shapes(pictures: _Pictures, name: str, place: str) -> list[Shape]:
    if name not in pictures.shapes:
        return pictures.shapes.setdefault(name, [])
    why = f"expected each picture once, {name!r} comes again"
    pictures.shapes[name].append(broken_shape(place, why))
    return pictures.shapes[name]


def _sized(pictures: _Pictures, name: str, region: Region, pages: int) -> Shape:
    """Return the shape of a region, a broken one where its page or size is not that of the picture."""
    if region.page >= pages:
        why = f"expected one of {pages} pages, counted from 0, got {region.page}"
        return broken_shape(region.shape.place, why)
    size = pictures.sizes.setdefault(name, region.size) if region.size else None
    if size == region.size:
        return region.shape
    why = f"expected the size of the other regions, {size}, got {region.size}"
    return broken_shape(region.shape.place, why)


def _chosen(
    shown: Mapping[str, Sequence[str]], tags: Sequence[str], own: Set[str]
) -> tuple[list[str], bool]:
    """Choose the fields of a task that were annotated, and tell whether that is sure.

    They are those that regions name: of the export, `tags`, and of the task, `own`. Else it is the only picture.
    """
    pictures = [key for key, names in shown.items() if suffix(names[0]) in PICTURE_SUFFIXES]
    large = [key for key in pictures or shown if not _SMALL.search(key)] or pictures
    if named := [tag for tag in tags if tag in shown]:
        every = list(dict.fromkeys([*named, *large]))
        return (named, True) if own <= shown.keys() or len(every) == 1 else (every, False)
    near = [key for key in large for tag in own if key.startswith(tag) or tag.startswith(key)]
    chosen = near if len(near) == len(own) == 1 else large
    return chosen, len(chosen) == 1


def _names(value: Any) -> list[str]:
    """Return the paths of pictures in a field: of one, or of several pages."""
    texts = value if isinstance(value, list) else [value]
    if not texts or not all(isinstance(text, str) for text in texts):
        return []
    names = [_path(text) for text in texts]
    return names if all(names) else []


def _path(text: str) -> str:
    """Return the path of a picture in an address, empty where it names none."""
    try:
        parts = urlsplit(text)
        asked = [value for _, value in parse_qsl(parts.query)]
    except ValueError:
        return text
    # Pictures of a local storage are served as ".../local-files/?d=images/1.png".
    path = unquote(parts.path)
    if suffix(path) not in PICTURE_SUFFIXES and parts.query:
        path = next((value for value in asked if suffix(value) in PICTURE_SUFFIXES), "")
    return "" if parts.scheme == "data" else path.replace("\\", "/").lstrip("/")
