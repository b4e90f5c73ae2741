"""Write chosen pictures of a source into a zip that every command takes as a source again."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

from flawline.data.archive_names import member_name
from flawline.data.layout import folder_label
from flawline.data.names import PICTURE_SUFFIXES, suffix, why_passed_over
from flawline.data.sniff import HEAD_BYTES, picture_format
from flawline.data.source import Source
from flawline.data.whole_file import replacing
from flawline.errors import ArchiveError
from flawline.types import Sample

_EPOCH = (1980, 1, 1, 0, 0, 0)
_SUFFIXES = {"JPEG": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2"}


def write_zip(source: Source, samples: Iterable[Sample], path: Path) -> int:
    """Copy the files of `samples`, byte for byte; returns how many.

    Members have the names of the samples. Where a zip must not hold a name ("../a.png"), or where its folder would
    not state the label that a manifest gives, the member is the label and the last part of the name, numbered where
    that is taken. The zip holds no times: the same pictures give the same bytes. It appears only when complete.
    """
    ordered = sorted(samples, key=lambda sample: sample.name)
    names = _member_names(source, ordered)
    # Stored, not deflated: pictures are compressed already.
    with replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_STORED) as archive:
        for sample, name in zip(ordered, names, strict=True):
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), source.read(sample.name))
    return len(names)


def _member_names(source: Source, samples: list[Sample]) -> list[str]:
    stated = source.kind == "manifest"
    usable = [
        _fits(sample.name) and not (stated and folder_label(sample.name) != sample.label)
        for sample in samples
    ]
    taken = {sample.name for sample, fits in zip(samples, usable, strict=True) if fits}
    names = []
    for sample, fits in zip(samples, usable, strict=True):
        name = sample.name if fits else _unlike(_new_name(source, sample), taken)
        taken.add(name)
        names.append(name)
    return names


def _fits(name: str) -> bool:
    """Whether an archive with this member is accepted and the member listed under the same name."""
    try:
        return member_name(name) == name and why_passed_over(name) is None
    except ArchiveError:
        return False


def _new_name(source: Source, sample: Sample) -> str:
    """Name a copy: the label as its folder, then the file's name with an extension that is listed."""
    last = sample.name.replace("\\", "/").rpartition("/")[2].lstrip(".") or "picture"
    if suffix(last) not in PICTURE_SUFFIXES:
        kind = picture_format(source.read(sample.name)[:HEAD_BYTES]) or "PNG"
        last += _SUFFIXES.get(kind, f".{kind.lower()}")
    folder = (sample.label or "").translate(str.maketrans("/\\\0", "___"))
    if not folder:
        return last if _fits(last) else f"_{last}"
    return f"{folder}/{last}" if _fits(f"{folder}/{last}") else f"_{folder}/{last}"


def _unlike(name: str, taken: set[str]) -> str:
    """Return `name`, or the first of name-2, name-3, ... that is not taken."""
    start = name[: len(name) - len(suffix(name))]
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{start}-{number}{name[len(start) :]}"
    return free
