"""Match entries of annotations, and mask files, to the pictures of a source."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import takewhile
from pathlib import Path

from flawline.data.names import (
    IMAGE_FOLDERS,
    LABEL_FOLDERS,
    MASK_FOLDERS,
    PICTURE_SUFFIXES,
    stem,
    suffix,
)
from flawline.data.source import Source
from flawline.errors import SourceError
from flawline.types import Sample

_GENERAL_FOLDERS = IMAGE_FOLDERS.union(MASK_FOLDERS, LABEL_FOLDERS, {"."})
_FILES = PICTURE_SUFFIXES | {".txt", ".xml", ".json"}
_UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")

Key = tuple[str, ...]
Part = Callable[[str], str]


def match(
    samples: Iterable[Sample],
    names: Iterable[str],
    *,
    also: Callable[[str], str] | None = None,
    below: str = "",
) -> Mapping[str, str]:
    """Find the entry of each sample that has one, by the sample's name.

    Equal paths belong together. Then folders called images, labels, masks and the like do not count, and one path must
    be the ending of the other, the longer the better: "1.png" belongs to "parts/1.jpg", and "train/1" to
    "images/train/1.png", never to "test/1.png". The names of files are compared whole, then without extensions
    ("plate.2" has none), then "a.jpg" with "a.jpg.png", then in any case, then without the eight digits that Label
    Studio puts before them. `also` gives a second path of an entry, tried where the first fits no picture. `below` is
    the folder of the pictures within that of the entries; where nothing fits so, it does not count.

    Raises:
        SourceError: several entries fit one picture equally well, or one entry fits several.
    """
    names, pictures = tuple(names), [sample.name for sample in samples]
    if below:
        found = _match({name: f"{below}/{name}" for name in pictures}, names, also)
        if found:
            return found
    return _match({name: name for name in pictures}, names, also)


def source_below(source: Source, folder: Path) -> str:
    """Return the path from a folder down to that of a source; empty where the source lies elsewhere."""
    base = source.folder()
    if base is None:
        return ""
    path = os.path.relpath(os.path.realpath(base), os.path.realpath(folder)).replace(os.sep, "/")
    return "" if path.split("/")[0] in (".", "..") else path


def _match(
    pictures: Mapping[str, str], names: Sequence[str], also: Callable[[str], str] | None
) -> dict[str, str]:
    found: dict[str, str] = {}
    for second in (str, also) if also is not None else (str,):
        paths = {name: second(name).replace("\\", "/").removeprefix("./") for name in names}
        found |= _equal(pictures, paths, found)
        for compared in _COMPARED:
            if len(found) < min(len(pictures), len(paths)):
                keys = {name: compared[0](path) for name, path in pictures.items()}
                found |= _matched(keys, {n: compared[1](path) for n, path in paths.items()}, found)
    return found


def telling_folders(name: str) -> list[str]:
    """Return the folders of a path without those called images, labels, masks and the like."""
    folders = name.replace("\\", "/").split("/")[:-1]
    return [part for part in folders if part and part.lower() not in _GENERAL_FOLDERS]


def file_stem(last: str) -> str:
    """Return the name of a file without the extension of a picture or label file: "plate.2" stays whole."""
    return stem(last) if suffix(last) in _FILES else last


def _key(of_name: Part, path: str) -> Key:
    return (*telling_folders(path), of_name(path.rpartition("/")[2]))


def _folded(of_name: Part, path: str) -> Key:
    return tuple(part.casefold() for part in _key(of_name, path))


def _not_uploaded(last: str) -> str:
    return _UPLOADED.sub("", file_stem(last))


_WHOLE, _STEM = partial(_key, str), partial(_key, file_stem)
# What is compared of a picture's path and of an entry's, the surest first.
_COMPARED: tuple[tuple[Callable[[str], Key], Callable[[str], Key]], ...] = (
    (_WHOLE, _WHOLE),
    (_STEM, _STEM),
    (_WHOLE, _STEM),
    (partial(_folded, file_stem),) * 2,
    (partial(_folded, str), partial(_folded, file_stem)),
    (partial(_key, _not_uploaded),) * 2,
)


def _equal(
    pictures: Mapping[str, str], paths: Mapping[str, str], found: Mapping[str, str]
) -> dict[str, str]:
    taken = set(found.values())
    by_path = {path: name for name, path in paths.items() if name not in taken}
    free = ((name, path) for name, path in pictures.items() if name not in found)
    return {name: by_path[path] for name, path in free if path in by_path}


def _matched(
    pictures: Mapping[str, Key], entries: Mapping[str, Key], found: Mapping[str, str]
) -> dict[str, str]:
    """Match the pictures that are left to the entries that share the longest ending with them."""
    fitting, taken = _fitting(entries), set(found.values())
    of_entry: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for picture, key in pictures.items():
        if picture in found:
            continue
        shared, own = fitting(key)
        if len(own) > 1:
            first, second = sorted(own)[:2]
            raise _ambiguous(
                f"annotation for the picture {picture!r}, found {first!r} and {second!r}"
            )
        for entry in own if taken.isdisjoint(own) else ():
            of_entry[entry].append((shared, picture))
    return {_longest(entry, own): entry for entry, own in of_entry.items()}


def _fitting(entries: Mapping[str, Key]) -> Callable[[Key], tuple[int, Sequence[str]]]:
    """Index entries by their keys; the function gives the length of the longest ending shared with a key, by whom."""
    by_key: dict[Key, list[str]] = defaultdict(list)
    by_ending: dict[Key, list[str]] = defaultdict(list)
    folders = zip(*(key[:-1] for key in entries.values()), strict=False)
    root = len([*takewhile(lambda parts: len(set(parts)) == 1, folders)])
    for name, key in entries.items():
        by_key[key].append(name)
        for start in range(1, len(key)):
            by_ending[key[start:]].append(name)

    def fitting(key: Key) -> tuple[int, Sequence[str]]:
        longer = by_ending.get(key, [])
        if len(longer) > 1:
            # "data/1" and not "data/a/1" is meant by "1" where all entries lie in "data".
            longer = [name for name in longer if entries[name][root:] == key] or longer
        if own := by_key.get(key, longer):
            return len(key), own
        shorter = ((len(key) - n, by_key[key[n:]]) for n in range(1, len(key)) if key[n:] in by_key)
        return next(shorter, (0, []))

    return fitting


def _longest(entry: str, pictures: Sequence[tuple[int, str]]) -> str:
    """Return the picture that shares the longest ending with an entry; raises SourceError for two of them."""
    most = max(shared for shared, _ in pictures)
    first, *others = sorted(name for shared, name in pictures if shared == most)
    if others:
        raise _ambiguous(
            f"picture for the annotation {entry!r}, it fits {first!r} and {others[0]!r}"
        )
    return first


def _ambiguous(text: str) -> SourceError:
    return SourceError(
        f"expected one {text}",
        hint="Name pictures in the annotations with the folders that tell them apart.",
        code="annotations-ambiguous",
    )
