"""Suggest the part of each picture from a code in it, from its name, or from the order in which it was taken."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from flawline.core.words import counted
from flawline.data.csv_file import write_csv_rows
from flawline.data.named_files import name_from
from flawline.data.names import natural_key
from flawline.data.part_codes import PartCode, check_reader, codes_of
from flawline.data.part_names import PartPattern, part_pattern
from flawline.data.source import Source
from flawline.data.stream import map_pictures
from flawline.errors import SourceError, UsageError
from flawline.types import Picture, Sample, Track, Unjudged, no_track

_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class NamedPicture:
    """A picture with what was found: its fields, `part` among them; empty where nothing was. `by` tells from what."""

    sample: Sample
    fields: Mapping[str, str]
    by: str


@dataclass(frozen=True, slots=True)
class NamedParts:
    """What pictures of a source say about their parts. Suggestions: nothing is changed.

    `pictures` are in natural order of their names, `fields` the columns that were found. `gaps` name missing numbers
    of a sequence. `uncertain` are parts whose pictures may be shifted by a gap.
    """

    source: str
    pictures: tuple[NamedPicture, ...]
    fields: tuple[str, ...]
    unjudged: tuple[Unjudged, ...]
    gaps: tuple[str, ...]
    uncertain: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def parts(self) -> dict[str, int]:
        """Count the pictures of each part, in the order in which the parts come."""
        return dict(Counter(one.fields["part"] for one in self.pictures if "part" in one.fields))

    @property
    def sentence(self) -> str:
        """Say in one sentence what was found."""
        parts = self.parts
        lost = sum("part" not in one.fields for one in self.pictures)
        sizes = Counter(parts.values())
        usual = max(sizes, key=lambda size: (sizes[size], size)) if sizes else 0
        even = f", {usual} each" if len(sizes) == 1 else f", mostly {usual} each" if sizes else ""
        rest = f"; {counted(lost, 'picture')} without a part" if lost else ""
        return f"{counted(len(self.pictures) - lost, 'picture')} of {counted(len(parts), 'part')}{even}{rest}"


def name_parts(
    source: Source,
    *,
    part_from: str | None = None,
    codes: bool = False,
    sequence: int | None = None,
    track: Track = no_track,
) -> NamedParts:
    """Suggest the part of each picture; a code comes before the name, and the name before the order.

    Args:
        source: the pictures.
        part_from: a pattern of names such as "{lot}_{part}_{view}".
        codes: read DataMatrix, QR and 1-D codes.
        sequence: this many pictures in a row show one part, by the last number in their names, or else by their order.
        track: shows progress, with codes.

    Raises:
        UsageError: nothing is asked for, or a setting makes no sense.
        SourceError: no picture.
        DependencyError: zxing-cpp is not installed.
    """
    if part_from is None and not codes and sequence is None:
        raise UsageError("expected one of `part_from`, `codes` and `sequence`")
    if sequence is not None and sequence < 2:
        raise UsageError(f"`sequence` is at least 2 pictures of one part, got {sequence}")
    pattern = None if part_from is None else part_pattern(part_from)
    samples = sorted(source.samples(), key=lambda sample: natural_key(sample.name))
    if not samples:
        raise SourceError(
            "the source has no picture", hint="give a folder, archive or manifest of pictures"
        )
    read, unjudged = _codes(source, samples, track) if codes else ({}, ())
    ordered, gaps, uncertain = _sequence(samples, sequence) if sequence else ({}, [], ())
    pictures = tuple(_named(sample, read, pattern, ordered) for sample in samples)
    fields = tuple(dict.fromkeys(name for one in pictures for name in one.fields))
    notes = _notes(samples, pictures, read, pattern)
    return NamedParts(source.name, pictures, fields, unjudged, tuple(gaps), uncertain, tuple(notes))


def _named(
    sample: Sample,
    read: Mapping[str, tuple[PartCode, ...]],
    pattern: PartPattern | None,
    ordered: Mapping[str, Mapping[str, str]],
) -> NamedPicture:
    codes = read.get(sample.name, ())
    by_name = None if pattern is None else pattern.read(sample.name)
    by_order = ordered.get(sample.name)
    fields = {**(by_order or {}), **(by_name or {})}
    by = "name" if by_name else "order" if by_order else ""
    if codes:
        fields |= {"part": codes[0].text, "code": codes[0].kind}
        by = "code"
    return NamedPicture(sample, fields, by)


def _codes(
    source: Source, samples: Sequence[Sample], track: Track
) -> tuple[dict[str, tuple[PartCode, ...]], tuple[Unjudged, ...]]:
    check_reader()
    read: dict[str, tuple[PartCode, ...]] = {}
    failed: list[Unjudged] = []
    results = map_pictures(source, samples, _found_codes)
    for sample, result in track(results, title="Codes", total=len(samples)):
        if isinstance(result, Unjudged):
            failed.append(result)
        else:
            read[sample.name] = result
    return read, tuple(failed)


def _found_codes(picture: Picture) -> tuple[PartCode, ...]:
    return codes_of(picture)


def _sequence(
    samples: Sequence[Sample], size: int
) -> tuple[dict[str, Mapping[str, str]], list[str], tuple[str, ...]]:
    """Number parts by the last number in the names, which shows gaps, or by order where names have none."""
    numbers = [_last_number(sample.name) for sample in samples]
    known = [number for number in numbers if number is not None]
    counted_on = len(known) == len(samples) and len(set(known)) == len(known)
    places = known if counted_on else list(range(len(samples)))
    first = min(places) // size * size if counted_on and min(places) % size == 0 else min(places)
    ordered: dict[str, Mapping[str, str]] = {}
    width = len(str((max(places) - first) // size + 1))
    for sample, place in zip(samples, places, strict=True):
        part, view = divmod(place - first, size)
        ordered[sample.name] = {"part": f"{part + 1:0{width}d}", "view": str(view + 1)}
    gaps, uncertain = _gaps(sorted(places), size, partial(_part_name, first, size, width))
    return ordered, gaps, tuple(dict.fromkeys(uncertain))


def _part_name(first: int, size: int, width: int, place: int) -> str:
    return f"{(place - first) // size + 1:0{width}d}"


def _gaps(places: Sequence[int], size: int, part: Any) -> tuple[list[str], list[str]]:
    """Name missing numbers; a gap that is no whole number of parts makes the parts at its ends uncertain."""
    gaps, uncertain = [], []
    for before, after in pairwise(places):
        missing = after - before - 1
        if missing:
            gaps.append(f"{before + 1}" if missing == 1 else f"{before + 1} to {after - 1}")
            if missing % size:
                uncertain += [part(before), part(after)]
    return gaps, uncertain


def _last_number(name: str) -> int | None:
    found = _NUMBER.findall(name.rpartition(".")[0] or name)
    return int(found[-1]) if found and len(found[-1]) < 16 else None


def _notes(
    samples: Sequence[Sample],
    pictures: Sequence[NamedPicture],
    read: Mapping[str, tuple[PartCode, ...]],
    pattern: PartPattern | None,
) -> list[str]:
    notes = []
    several = [name for name, codes in read.items() if len({code.text for code in codes}) > 1]
    if several:
        many = counted(len(several), "picture has", "pictures have")
        notes.append(f"{many} several codes; the uppermost counts, {several[0]} first")
    if read:
        none = sum(not codes for codes in read.values())
        notes.append(f"{counted(len(read) - none, 'picture')} with a code, {none} without")
    if pattern is not None:
        lost = [sample.name for sample in samples if pattern.read(sample.name) is None]
        if lost:
            many = counted(len(lost), "name does", "names do")
            notes.append(f"{many} not fit {pattern.text!r}: {', '.join(lost[:3])}")
    both = [
        one.sample.name
        for one in pictures
        if one.by == "code"
        and pattern is not None
        and (own := pattern.read(one.sample.name)) is not None
        and own["part"] != one.fields["part"]
    ]
    if both:
        notes.append(
            f"code and name disagree in {counted(len(both), 'picture')}, {both[0]} first: the code counts"
        )
    return notes


def write_parts(found: NamedParts, path: Path, folder: Path | None) -> Path:
    """Write a manifest of suggestions: image, label, group (the part), the fields, from what, and that it is suggested.

    With the folder of the pictures, images are paths relative to the table.
    """

    def place(name: str) -> str:
        return name if folder is None else name_from(path.parent, folder, name)

    further = [name for name in found.fields if name != "part"]
    rows = [
        [
            place(one.sample.name),
            one.sample.label,
            part := one.fields.get("part"),
            part,
            *(one.fields.get(name) for name in further),
            one.by or None,
            "true",
        ]
        for one in found.pictures
    ]
    return write_csv_rows(
        path, ["image", "label", "group", "part", *further, "part_by", "suggested"], rows
    )


def parts_as_dict(found: NamedParts) -> dict[str, Any]:
    """Build the JSON document of a suggestion of parts."""
    return {
        "source": found.source,
        "suggested": True,
        "finding": found.sentence,
        "parts": found.parts,
        "pictures": [
            {"image": one.sample.name, "by": one.by or None, **one.fields} for one in found.pictures
        ],
        "gaps": list(found.gaps),
        "uncertain": list(found.uncertain),
        "notes": list(found.notes),
        "unjudged": [
            {"image": one.image, "code": one.code, "reason": one.reason} for one in found.unjudged
        ],
    }
